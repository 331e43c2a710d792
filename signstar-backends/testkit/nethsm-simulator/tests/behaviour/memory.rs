//! What a device remembers: in its file, in backups and their way back, and after an update.

use crate::client::Received;
use crate::device::{ADMIN, Device, OPERATOR, UNLOCK};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::sha2::{Digest as _, Sha256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use signstar_nethsm_simulator::{DeviceOptions, Options, State};

const BACKUP: &str = "backup:backupbackup";

/// A device with a backup passphrase, and its backup.
fn backed_up() -> (Device, Vec<u8>) {
    let device = Device::provisioned(Options::default());
    device.add_user("backup", "Backup", "backupbackup");
    let body = r#"{"newPassphrase":"backupbackup","currentPassphrase":""}"#;
    assert_eq!(
        device.status(ADMIN, "PUT config/backup-passphrase", body),
        204
    );
    let received = device.ask(BACKUP, "POST system/backup", "");
    assert_eq!(received.status, 200);
    (device, received.body)
}

fn restore(device: &Device, user: &str, file: &[u8]) -> Received {
    let head = "--x\r\nContent-Disposition: form-data; name=\"arguments\"\r\n\r\n\
        {\"backupPassphrase\":\"backupbackup\"}\r\n--x\r\n\
        Content-Disposition: form-data; name=\"backup_file\"\r\n\r\n";
    let body = [head.as_bytes(), file, b"\r\n--x--\r\n"].concat();
    device.send(
        user,
        "system/restore",
        "multipart/form-data; boundary=x",
        &body,
    )
}

#[test]
fn the_state_file_keeps_everything_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        state_file: Some(folder.path().join("state")),
        ..Options::default()
    };
    let first = Device::provisioned(options.clone());
    let (fingerprint, key) = (
        first.running.fingerprint(),
        first.json(OPERATOR, "GET keys/ed"),
    );
    drop(first);
    let second = Device::start(options.clone());
    assert_eq!(second.running.state(), State::Locked);
    assert_eq!(second.running.fingerprint(), fingerprint);
    assert_eq!(second.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(second.json(OPERATOR, "GET keys/ed"), key);
    let on = r#"{"status":"on"}"#;
    assert_eq!(second.status(ADMIN, "PUT config/unattended-boot", on), 204);
    drop(second);
    let third = Device::start(options);
    assert_eq!(third.running.state(), State::Operational);
    assert_eq!(third.json(OPERATOR, "GET keys/ed"), key);
}

#[test]
fn a_backup_of_another_device_locks() {
    let (_, file) = backed_up();
    let (other, _) = backed_up();
    other.add_user("late", "Operator", "latelatelate");
    assert_eq!(restore(&other, ADMIN, &file).status, 204);
    assert_eq!(other.running.state(), State::Locked);
    assert_eq!(other.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(other.status(ADMIN, "GET users/late", ""), 404);
    assert_eq!(other.status(OPERATOR, "GET keys/ed", ""), 200);
}

#[test]
fn a_cut_backup_brings_what_it_has() {
    let (device, file) = backed_up();
    assert_eq!(device.status(ADMIN, "DELETE keys/ed", ""), 204);
    device.add_user("late", "Operator", "latelatelate");
    let received = restore(&device, ADMIN, &file[..file.len() - 30]);
    assert_eq!(received.status, 400);
    assert!(received.text().contains("truncated"), "{}", received.text());
    assert_eq!(device.status(OPERATOR, "GET keys/ed", ""), 200);
    assert_eq!(device.status(ADMIN, "GET users/late", ""), 200);
    assert_eq!(restore(&device, ADMIN, &file).status, 204);
    assert_eq!(device.status(ADMIN, "GET users/late", ""), 404);
}

fn cipher(key: &[u8]) -> Aes256Gcm {
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
}

fn open(key: &[u8], aad: &str, blob: &[u8]) -> Vec<u8> {
    let payload = Payload {
        msg: &blob[12..],
        aad: aad.as_bytes(),
    };
    cipher(key)
        .decrypt(Nonce::from_slice(&blob[..12]), payload)
        .unwrap()
}

fn seal(key: &[u8], aad: &str, msg: &[u8]) -> Vec<u8> {
    let payload = Payload {
        msg,
        aad: aad.as_bytes(),
    };
    let sealed = cipher(key).encrypt(Nonce::from_slice(&[7; 12]), payload);
    [&[7; 12][..], &sealed.unwrap()].concat()
}

fn field(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[1..], content].concat()
}

fn take<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = rest[..3]
        .iter()
        .fold(0, |sum, byte| sum * 256 + usize::from(*byte));
    let (taken, after) = rest[3..].split_at(length);
    *rest = after;
    taken
}

/// The same backup as firmware before 4.0 would have made it: settings plain, no device named.
fn as_version_0(file: &[u8]) -> Vec<u8> {
    let mut rest = &file[16..];
    let salt = take(&mut rest);
    let mut key = [0; 32];
    let cheap = scrypt::Params::new(1, 1, 1, 32).unwrap();
    scrypt::scrypt(b"backupbackup", salt, &cheap, &mut key).unwrap();
    assert_eq!(open(&key, "backup-version", take(&mut rest)), [1]);
    let domain_key = open(&key, "domain-key", take(&mut rest));
    let device = open(&key, "backup-device-id", take(&mut rest));
    let local = format!("/local/{}", String::from_utf8(device).unwrap());
    let settings = open(&key, "backup-config-store-key", take(&mut rest));
    let mut out = [b"_NETHSM_BACKUP_\0", &field(salt)[..]].concat();
    out.extend(field(&seal(&key, "backup-version", &[0])));
    out.extend(field(&seal(&key, "domain-key", &domain_key)));
    loop {
        let sealed = take(&mut rest);
        if sealed.is_empty() {
            return out;
        }
        let entry = open(&key, "backup", sealed);
        let mut value = &entry[..];
        let path = String::from_utf8(take(&mut value).to_vec()).unwrap();
        let (path, value) = match path.strip_prefix(&local) {
            Some(rest) if rest.starts_with("/config/") => {
                (rest.to_owned(), open(&settings, &path, value))
            }
            Some(_) => continue,
            None => (path, value.to_vec()),
        };
        let entry = [field(path.as_bytes()), value].concat();
        out.extend(field(&seal(&key, "backup", &entry)));
    }
}

#[test]
fn a_backup_of_version_0_is_restored() {
    let (device, file) = backed_up();
    let old = as_version_0(&file);
    let (key, fingerprint) = (
        device.json(OPERATOR, "GET keys/ed"),
        device.running.fingerprint(),
    );
    device.running.reset().unwrap();
    assert_eq!(restore(&device, "", &old[..old.len() - 1]).status, 400);
    assert_eq!(device.running.state(), State::Unprovisioned);
    let received = restore(&device, "", &old);
    assert_eq!(received.status, 204, "{}", received.text());
    assert_eq!(device.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(device.json(OPERATOR, "GET keys/ed"), key);
    assert_eq!(device.running.fingerprint(), fingerprint);
}

fn image(key: &RsaPrivateKey, version: &str, blocks: usize) -> Vec<u8> {
    let count = u32::try_from(blocks).unwrap().to_be_bytes();
    let signed = [
        field(b"new things"),
        field(version.as_bytes()),
        count.to_vec(),
        vec![1; 512 * blocks],
    ]
    .concat();
    let padding = Pkcs1v15Sign::new::<Sha256>();
    let signature = key.sign(padding, &Sha256::digest(&signed)).unwrap();
    [b"_NETHSM_UPDATE_\0", &field(&signature)[..], &signed].concat()
}

#[test]
fn updates_are_verified_and_take_effect_when_committed() {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let public = key
        .to_public_key()
        .to_public_key_pem(LineEnding::LF)
        .unwrap();
    let device = Device::provisioned(Options {
        device: DeviceOptions {
            update_key: Some(public),
            ..DeviceOptions::default()
        },
        ..Options::default()
    });
    let upload =
        |image: &[u8]| device.send(ADMIN, "system/update", "application/octet-stream", image);
    let mut spoilt = image(&key, "5.1", 2);
    *spoilt.last_mut().unwrap() ^= 1;
    assert!(upload(&spoilt).text().contains("Signature check"));
    let mut cut = image(&key, "5.1", 2);
    cut.pop();
    assert!(upload(&cut).text().contains("unexpected end of data"));
    assert_eq!(upload(&image(&key, "4.9", 1)).status, 409);
    assert_eq!(
        upload(&image(&key, "5.1", 3)).text(),
        r#"{"releaseNotes":"new things"}"#
    );
    assert_eq!(upload(&image(&key, "5.1", 3)).status, 409);
    assert_eq!(device.status(ADMIN, "POST system/cancel-update", ""), 204);
    assert_eq!(upload(&image(&key, "5.1", 3)).status, 200);
    assert_eq!(device.status(ADMIN, "POST system/commit-update", ""), 204);
    device.client.forget();
    while device.client.is_listening() {
        std::thread::yield_now();
    }
    assert_eq!(device.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(
        device.json(ADMIN, "GET system/info")["softwareVersion"],
        "5.1"
    );
}
