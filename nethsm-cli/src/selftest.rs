//! `selftest`: a device from the factory does everything once, and is emptied again.
//!
//! For whoever has unpacked a device or mended it. What it signs is verified here, by other code than the
//! device's; what it encrypts it must decrypt.

use std::thread::sleep;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    BackupPassphraseConfig, DecryptMode, DecryptRequestData, EncryptMode, EncryptRequestData,
    KeyGenerateRequestData, KeyMechanism, KeyType, ProvisionRequestData, RandomRequestData,
    SignRequestData, UserPostData, UserRole,
};
use zeroize::Zeroizing;

use crate::certificates::shown;
use crate::device::{ADMINISTRATOR, As, BACKUP, Device, OPERATOR};
use crate::failure::{Failure, Status};
use crate::key::data::decoded;
use crate::key::sign::Mode;
use crate::key::verify::{Verdict, judged};
use crate::provision::now;
use crate::report::Report;

/// Long enough that nobody guesses them in the seconds for which they hold.
const PASSPHRASE_BYTES: usize = 16;
/// How long a device may take to come back, and how often it is looked for.
const RESTART_WAIT: Duration = Duration::from_secs(180);
const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// What is encrypted: two blocks of AES.
const BLOCKS: [u8; 32] = [0x5a; 32];

/// What a device does, in this order; the names are those of the report.
const STEPS: [(&str, Step); 7] = [
    ("users", users),
    ("random bytes", random),
    ("RSA", rsa),
    ("EC_P256", p256),
    ("Curve25519", ed25519),
    ("AES", aes),
    ("backup", backup),
];

type Step = fn(&mut Asked) -> Result<(), Failure>;

/// The same device, asked by each of its users.
struct Asked {
    admin: Device,
    operator: Device,
    backup: Device,
}

impl Asked {
    fn new(device: &Device) -> Result<Self, Failure> {
        let user = |id: &str| {
            let mut manner = device.manner.clone();
            (manner.namespace, manner.passphrase) = (None, None);
            manner.user = Some(id.to_owned());
            let mut one = Device::new(&device.label, device.profile.clone(), manner);
            one.knows(id, passphrase()?);
            Ok::<_, Failure>(one)
        };
        Ok(Self {
            admin: user("admin")?,
            operator: user("operator")?,
            backup: user("backup")?,
        })
    }
}

/// A random one.
fn passphrase() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new([0; PASSPHRASE_BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(Failure::failed)?;
    Ok(Zeroizing::new(Base64::encode_string(bytes.as_slice())))
}

fn wrong(what: &str) -> Failure {
    Failure::new(Status::Wrong, what)
}

pub(crate) fn selftest(device: &mut Device) -> Result<Report, Failure> {
    let state = device.read(
        As::Nobody,
        "health_state_get",
        default_api::health_state_get,
    )?;
    if state.state.to_string() != "Unprovisioned" {
        let text = format!(
            "{}: is {}: only an Unprovisioned device is tried out, since it is emptied",
            device.label, state.state
        );
        return Err(Failure::new(Status::State, text));
    }
    device.confirm(
        "is provisioned, tried out and emptied: its TLS key goes",
        "yes",
    )?;
    device.rehearse("provision_post")?;
    let mut asked = Asked::new(device)?;
    provision(&mut asked)?;
    let mut done: Vec<(&str, Option<String>)> = vec![("provisioning", None)];
    for (name, step) in STEPS {
        let problem = step(&mut asked).err().map(|failure| failure.text);
        done.push((name, problem));
    }
    let before = shown(device).ok().map(|(fingerprint, _)| fingerprint);
    // Whatever happened: nobody knows its passphrases.
    let reset = asked.admin.change(
        ADMINISTRATOR,
        "system_factory_reset_post",
        default_api::system_factory_reset_post,
    );
    done.push(("factory reset", reset.err().map(|failure| failure.text)));
    let started = match restarts(device, before.as_deref()) {
        true => None,
        false => Some("it has not come back".to_owned()),
    };
    done.push(("restart", started));
    report(&done)
}

/// Whether the device comes back with another certificate.
fn restarts(device: &Device, before: Option<&str>) -> bool {
    let end = Instant::now() + RESTART_WAIT;
    while Instant::now() < end {
        if shown(device).is_ok_and(|(fingerprint, _)| Some(fingerprint.as_str()) != before) {
            return true;
        }
        sleep(RESTART_PAUSE);
    }
    false
}

fn report(done: &[(&str, Option<String>)]) -> Result<Report, Failure> {
    let line = |(name, problem): &(&str, Option<String>)| match problem {
        None => format!("{name}: good\n"),
        Some(problem) => format!("{name}: BAD: {problem}\n"),
    };
    let text: String = done.iter().map(line).collect();
    let steps: Vec<Value> = done
        .iter()
        .map(|(name, problem)| json!({ "step": name, "problem": problem }))
        .collect();
    let status = match done.iter().all(|(_, problem)| problem.is_none()) {
        true => Status::Done,
        false => Status::Wrong,
    };
    let end = "next, for its new TLS key: nethsm-cli device trust\n";
    Ok(Report::new(format!("{text}{end}"), &json!({ "steps": steps }))?.ending_with(status))
}

fn provision(asked: &mut Asked) -> Result<(), Failure> {
    let (unlock, admin) = (passphrase()?, asked.admin.passphrase("admin")?);
    asked.admin.change(As::Nobody, "provision_post", |asking| {
        let request = ProvisionRequestData::new(unlock.to_string(), admin.to_string(), now());
        default_api::provision_post(asking, request)
    })?;
    Ok(())
}

fn users(asked: &mut Asked) -> Result<(), Failure> {
    for (id, role) in [
        ("operator", UserRole::Operator),
        ("backup", UserRole::Backup),
    ] {
        let known = match role {
            UserRole::Operator => asked.operator.passphrase(id)?,
            _ => asked.backup.passphrase(id)?,
        };
        asked
            .admin
            .change(ADMINISTRATOR, "users_user_id_put", |asking| {
                let request = UserPostData::new(id.to_owned(), role, known.to_string());
                default_api::users_user_id_put(asking, id, request)
            })?;
    }
    Ok(())
}

fn random(asked: &mut Asked) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let answer = asked.operator.read(OPERATOR, "random_post", |asking| {
            default_api::random_post(asking, RandomRequestData::new(32))
        })?;
        seen.push(decoded(&answer.random)?);
    }
    match seen.as_slice() {
        [first, second] if first != second && first.len() == 32 => Ok(()),
        _ => Err(wrong("the same bytes came twice, or too few")),
    }
}

fn rsa(asked: &mut Asked) -> Result<(), Failure> {
    let digest = Sha256::digest(b"rsa");
    let mechanism = KeyMechanism::RsaSignaturePssSha256;
    sign(
        asked,
        KeyType::Rsa,
        Some(2048),
        mechanism,
        Mode::PssSha256,
        &digest,
    )
}

fn p256(asked: &mut Asked) -> Result<(), Failure> {
    let digest = Sha256::digest(b"ecdsa");
    let mechanism = KeyMechanism::EcdsaSignature;
    sign(
        asked,
        KeyType::EcP256,
        None,
        mechanism,
        Mode::Ecdsa,
        &digest,
    )
}

fn ed25519(asked: &mut Asked) -> Result<(), Failure> {
    let mechanism = KeyMechanism::EdDsaSignature;
    sign(
        asked,
        KeyType::Curve25519,
        None,
        mechanism,
        Mode::Eddsa,
        b"eddsa",
    )
}

fn generate(
    asked: &mut Asked,
    kind: KeyType,
    bits: Option<i32>,
    mechanisms: &[KeyMechanism],
) -> Result<String, Failure> {
    let made = asked
        .admin
        .change(ADMINISTRATOR, "keys_generate_post", |asking| {
            let mut request = KeyGenerateRequestData::new(mechanisms.to_vec(), kind);
            request.length = bits;
            default_api::keys_generate_post(asking, request)
        })?;
    Ok(made.value.id)
}

fn sign(
    asked: &mut Asked,
    kind: KeyType,
    bits: Option<i32>,
    mechanism: KeyMechanism,
    mode: Mode,
    message: &[u8],
) -> Result<(), Failure> {
    let id = generate(asked, kind, bits, &[mechanism])?;
    let key = asked.operator.read(OPERATOR, "keys_key_id_get", |asking| {
        default_api::keys_key_id_get(asking, &id)
    })?;
    let answer = asked
        .operator
        .change(OPERATOR, "keys_key_id_sign_post", |asking| {
            let request = SignRequestData::new(mode.sdk(), Base64::encode_string(message));
            default_api::keys_key_id_sign_post(asking, &id, request)
        })?;
    let signature = decoded(&answer.value.signature)?;
    match judged(&key, mode, message, &signature) {
        Verdict::Good => Ok(()),
        Verdict::Bad | Verdict::Unknown => Err(wrong("the signature is not good")),
    }
}

fn aes(asked: &mut Asked) -> Result<(), Failure> {
    let both = [
        KeyMechanism::AesEncryptionCbc,
        KeyMechanism::AesDecryptionCbc,
    ];
    let id = generate(asked, KeyType::Generic, Some(256), &both)?;
    let plain = Base64::encode_string(&BLOCKS);
    let sealed = asked
        .operator
        .change(OPERATOR, "keys_key_id_encrypt_post", |asking| {
            let request = EncryptRequestData::new(EncryptMode::AesCbc, plain.clone());
            default_api::keys_key_id_encrypt_post(asking, &id, request)
        })?;
    let sealed = sealed.value;
    let opened = asked
        .operator
        .change(OPERATOR, "keys_key_id_decrypt_post", |asking| {
            let mut request =
                DecryptRequestData::new(DecryptMode::AesCbc, sealed.encrypted.clone());
            request.iv = Some(sealed.iv.clone());
            default_api::keys_key_id_decrypt_post(asking, &id, request)
        })?;
    let changed = sealed.encrypted != plain;
    match changed && decoded(&opened.value.decrypted)?.as_slice() == BLOCKS {
        true => Ok(()),
        false => Err(wrong("what was encrypted is not what comes back")),
    }
}

fn backup(asked: &mut Asked) -> Result<(), Failure> {
    let passphrase = passphrase()?;
    asked
        .admin
        .change(ADMINISTRATOR, "config_backup_passphrase_put", |asking| {
            let request = BackupPassphraseConfig::new(passphrase.to_string(), String::new());
            default_api::config_backup_passphrase_put(asking, request)
        })?;
    let bytes = asked.backup.read(
        BACKUP,
        "system_backup_post",
        default_api::system_backup_post,
    )?;
    let opened = crate::backup::opens(&bytes, &passphrase);
    opened.map_err(|text| wrong(&format!("the backup {text}")))
}
