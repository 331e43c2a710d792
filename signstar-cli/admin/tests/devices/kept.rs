//! Certificates that a NetHSM keeps beside its keys.

use std::fs;

use signstar_nethsm::sdk::apis::default_api::{
    keys_key_id_cert_delete, keys_key_id_cert_get, keys_key_id_cert_put,
};
use signstar_nethsm_simulator::Fault;
use signstar_testkit::nethsm::{NetHsm, PASSPHRASE};

use crate::nethsm::{GENERATE, place};
use crate::place::Place;
use crate::{done, found, refused, signing};

const STORE: [&str; 4] = ["cert", "store", "--key", "packages"];
const SHOW: [&str; 5] = ["cert", "show", "--key", "packages", "--from-device"];
const CREATE: [&str; 6] = [
    "cert",
    "create",
    "--key",
    "packages",
    "--user-id",
    "A <a@example.org>",
];

/// A place with a key on the device, and the arguments that name the Administrator.
fn equipped(device: &NetHsm) -> (Place, [String; 2]) {
    let place = place(device);
    let file = place.path("admin.passphrase").display().to_string();
    let administrator = ["--admin-passphrase-file".to_owned(), file];
    done(&place, &with(&GENERATE, &administrator, &[]));
    (place, administrator)
}

fn with<'a>(first: &[&'a str], administrator: &'a [String; 2], last: &[&'a str]) -> Vec<&'a str> {
    let administrator = administrator.each_ref().map(String::as_str);
    [first, &administrator, last].concat()
}

/// What the device keeps.
fn kept(device: &NetHsm) -> Option<Vec<u8>> {
    let answer = device.administrate(|admin| admin.call(|at| keys_key_id_cert_get(at, "packages")));
    answer.ok().map(|answer| answer.value)
}

fn keep(device: &NetHsm, bytes: &[u8]) {
    device
        .administrate(|admin| {
            let _ = admin.call(|at| keys_key_id_cert_delete(at, "packages"));
            admin.call(|at| keys_key_id_cert_put(at, "packages", bytes.to_vec()))
        })
        .unwrap();
}

#[test]
fn a_certificate_that_the_device_keeps_is_shown_exported_and_good() {
    let device = NetHsm::simulated();
    let (place, administrator) = equipped(&device);
    // Nothing is there yet.
    refused(place.admin(&SHOW), 65, "keeps no certificate");
    let made = done(&place, &with(&CREATE, &administrator, &["--store"]));
    assert_eq!(made["devices"][0]["done"], "added");
    let fingerprint = made["signing_key"].as_str().unwrap();
    let shown = done(&place, &SHOW);
    assert_eq!(shown["fingerprint"], fingerprint);
    assert_eq!(shown["signing_key"], fingerprint);
    assert!(
        shown["device"]
            .as_str()
            .unwrap()
            .contains("NetHSM first at")
    );

    // The file is lost, and the device has it.
    fs::remove_file(place.path("packages.pgp")).unwrap();
    let to = place.path("packages.pgp").display().to_string();
    let export = [
        "cert", "export", "--key", "packages", "--form", "binary", "--to", &to,
    ];
    place.admin(&export).refused(74);
    done(&place, &[&export[..], &["--from-device"]].concat());
    assert_eq!(
        fs::read(place.path("packages.pgp")).unwrap(),
        kept(&device).unwrap()
    );
    let mut opened = signstar_nethsm::open(&device.settings("packages")).unwrap();
    signing::check(&place, opened.signer.as_mut(), fingerprint);

    // It changes, and is stored again.
    let store = with(&STORE, &administrator, &[]);
    assert_eq!(done(&place, &store)["devices"][0]["done"], "unchanged");
    done(
        &place,
        &["cert", "extend", "--key", "packages", "--expires", "2years"],
    );
    let before = done(&place, &SHOW);
    assert_eq!(before["keys"][0]["expires"], serde_json::Value::Null);
    done(&place, &with(&STORE, &administrator, &["--dry-run"]));
    assert_eq!(done(&place, &SHOW), before);
    assert_eq!(done(&place, &store)["devices"][0]["done"], "renewed");
    assert_ne!(
        done(&place, &SHOW)["keys"][0]["expires"],
        serde_json::Value::Null
    );
}

#[test]
fn what_others_keep_there_stays_unless_it_is_given_up() {
    let device = NetHsm::simulated();
    let (place, administrator) = equipped(&device);
    let p256 = include_bytes!("../../../../signstar-backends/testkit/keys/p256.pgp");
    let x509 = b"-----BEGIN CERTIFICATE-----\nnot one of OpenPGP\n-----END CERTIFICATE-----\n";
    let store = with(&STORE, &administrator, &[]);
    for (theirs, words) in [(&p256[..], "the certificate "), (&x509[..], "no OpenPGP")] {
        keep(&device, theirs);
        // Before anything is signed or written.
        let signed = device.simulator().requests("keys_key_id_sign_post");
        let create = with(&CREATE, &administrator, &["--store", "--force"]);
        refused(place.admin(&create), 73, words);
        assert_eq!(device.simulator().requests("keys_key_id_sign_post"), signed);
        assert!(!place.path("packages.pgp").exists());
        place.certify(&["--force"]);
        refused(place.admin(&store), 73, "--replace-stored replaces it");
        refused(
            place.admin(&with(&STORE, &administrator, &["--dry-run"])),
            73,
            words,
        );
        assert_eq!(kept(&device).as_deref(), Some(theirs));
        let words = match theirs == x509 {
            true => "no OpenPGP",
            false => "not for the key",
        };
        let text = match theirs == x509 {
            true => place.admin(&SHOW).refused(73),
            false => place.admin(&SHOW).refused(65),
        };
        assert!(text.contains(words), "{text}");
        let replaced = done(&place, &with(&STORE, &administrator, &["--replace-stored"]));
        assert_eq!(replaced["devices"][0]["done"], "replaced");
        done(&place, &SHOW);
        fs::remove_file(place.path("packages.pgp")).unwrap();
    }
}

#[test]
fn a_certificate_of_another_key_is_not_stored() {
    let device = NetHsm::simulated();
    let (place, administrator) = equipped(&device);
    let other = include_bytes!("../../../../signstar-backends/testkit/keys/p256.pgp");
    fs::write(place.path("packages.pgp"), other).unwrap();
    let store = with(&STORE, &administrator, &[]);
    refused(place.admin(&store), 65, "not for the key");
    place.write("packages.pgp", "no certificate");
    refused(place.admin(&store), 65, "not an OpenPGP certificate");
    // Longer than what a device takes.
    place.write("packages.pgp", &"x".repeat((1 << 20) + 1));
    refused(place.admin(&store), 65, "1048576");
    assert_eq!(kept(&device), None);
    // An Operator reads, and does not write.
    place.certify(&["--force"]);
    place.write_for_signers("admin.passphrase", &format!("{PASSPHRASE}\n"));
    let operator = ["--admin-user", device.operator.as_str()];
    refused(place.admin(&[&store[..], &operator].concat()), 65, "role");
    refused(
        place.admin(&[&CREATE[..], &["--replace-stored"]].concat()),
        64,
        "--store",
    );
}

#[test]
fn what_was_there_comes_back_where_the_device_does_not_take_another() {
    let device = NetHsm::simulated();
    let (place, administrator) = equipped(&device);
    done(&place, &with(&CREATE, &administrator, &["--store"]));
    let before = kept(&device).unwrap();
    done(
        &place,
        &["cert", "extend", "--key", "packages", "--expires", "2years"],
    );
    let store = with(&STORE, &administrator, &[]);
    let fault = Fault::Status(500, "{}".to_owned());
    let put = Some("keys_key_id_cert_put");
    device.simulator().fail_next(put, fault.clone(), 1);
    refused(place.admin(&store), 69, "has failed (status 500)");
    assert_eq!(kept(&device), Some(before));
    device.simulator().fail_next(put, fault, 2);
    refused(place.admin(&store), 69, "gone from the device");
    assert_eq!(kept(&device), None);
    assert_eq!(done(&place, &store)["devices"][0]["done"], "added");
}

#[test]
fn only_nethsms_keep_certificates() {
    let place = Place::new();
    place.equip();
    refused(place.admin(&STORE), 64, "only NetHSMs keep certificates");
    refused(place.admin(&SHOW), 64, "only NetHSMs keep certificates");
    let shown = found(&place, 0, &["cert", "show", "--key", "packages"]);
    assert_eq!(shown["device"], serde_json::Value::Null);
}
