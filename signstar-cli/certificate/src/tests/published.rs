//! Where others look for a certificate: pacman's keyring, a Web Key Directory.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::*;

fn certificate(user_id: &str, version: KeyVersion) -> NewCertificate {
    let request = CertificateRequest {
        user_id,
        ..request(version)
    };
    create(software(KeyKind::Ed25519).as_mut(), &request).unwrap()
}

#[test]
fn a_keyring_names_who_is_trusted_and_who_is_revoked() {
    let (one, two) = (
        certificate("One <one@example.org>", KeyVersion::V4),
        certificate("Two <two@example.org>", KeyVersion::V4),
    );
    let now = created() + 2 * DAY;
    let (revoked, _) = merge_revocation(&two.certificate, &two.revocation, now).unwrap();
    let armored = armor(&one.certificate).unwrap();
    let made = keyring(
        &[&one.certificate, &armored, &two.certificate, &revoked],
        now,
    )
    .unwrap();
    assert_eq!(made.trusted, format!("{}:4:\n", one.fingerprint));
    assert_eq!(made.revoked, format!("{}\n", two.fingerprint));
    let found: Vec<String> = CertParser::from_bytes(&made.certificates)
        .unwrap()
        .map(|cert| cert.unwrap().fingerprint().to_hex())
        .collect();
    let mut expected = [one.fingerprint, two.fingerprint];
    expected.sort();
    assert_eq!(found, expected);
    let v6 = certificate(USER_ID, KeyVersion::V6);
    assert!(keyring(&[&v6.certificate], now).is_err());
    assert!(keyring(&[b"hello"], now).is_err());
}

/// Paths of the files below `folder`, with what is in them.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let output = Command::new("find")
        .arg(folder)
        .args(["-type", "f"])
        .output()
        .unwrap();
    let paths = String::from_utf8(output.stdout).unwrap();
    let relative = |path: &str| path[folder.to_str().unwrap().len()..].to_owned();
    paths
        .lines()
        .map(|path| (relative(path), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_web_key_directory_is_laid_out_as_sequoia_lays_it_out() {
    let user_ids = [
        "Packages <packages@example.org>",
        "MiXed <Joe.Doe@Example.ORG>",
        "Umlaut <jürgen@example.org>",
        "<images+daily@example.org>",
    ];
    for user_id in user_ids {
        let made = certificate(user_id, KeyVersion::V4);
        let published = web_key_directory(&[&made.certificate]).unwrap();
        let [ours] = published.as_slice() else {
            panic!("{published:?}")
        };
        assert_eq!(ours.domain, "example.org");
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("certificate");
        std::fs::write(&certificate, &made.certificate).unwrap();
        for direct in [true, false] {
            let root = folder
                .path()
                .join(if direct { "direct" } else { "advanced" });
            let mut command = Command::new("sq");
            command.args(["wkd", "generate"]);
            if direct {
                command.arg("--direct-method");
            }
            command.arg(&root).arg("example.org").arg(&certificate);
            assert!(command.status().unwrap().success(), "{user_id}");
            let theirs = tree(&root);
            let known = "/.well-known/openpgpkey";
            let at = match direct {
                true => format!("{known}/hu/{}", ours.hash),
                false => format!("{known}/{}/hu/{}", ours.domain, ours.hash),
            };
            let policy = theirs.keys().find(|path| path.ends_with("/policy"));
            assert!(policy.is_some(), "{theirs:?}");
            let bytes = theirs.get(&at).unwrap_or_else(|| panic!("{theirs:?}"));
            assert_eq!(*bytes, ours.certificates, "{user_id}");
        }
    }
}

#[test]
fn each_address_gets_the_certificate_without_the_other_ones() {
    let mut device = software(KeyKind::Ed25519);
    let made = create(device.as_mut(), &request(KeyVersion::V4)).unwrap();
    let now = created() + 2 * DAY;
    let both = Edit::of(&made.certificate, now)
        .and_then(|edit| edit.user_id("Images <images@example.net>"))
        .and_then(|edit| edit.user_id("no address"))
        .and_then(|edit| edit.sign(device.as_mut(), None))
        .unwrap();
    let other = certificate(USER_ID, KeyVersion::V6);
    let published = web_key_directory(&[&both, &other.certificate]).unwrap();
    let summary: Vec<(&str, Vec<Vec<String>>)> = published
        .iter()
        .map(|entry| {
            let certs = CertParser::from_bytes(&entry.certificates).unwrap();
            let user_ids = certs.map(|cert| {
                let cert = cert.unwrap();
                let user_ids = cert.userids().map(|found| found.userid().to_string());
                user_ids.collect()
            });
            (entry.address.as_str(), user_ids.collect())
        })
        .collect();
    let expected = [
        (
            "images@example.net",
            vec![vec!["Images <images@example.net>".to_owned()]],
        ),
        (
            "packages@example.org",
            vec![vec![USER_ID.to_owned()], vec![USER_ID.to_owned()]],
        ),
    ];
    assert_eq!(summary, expected);
}

#[test]
fn an_address_never_leaves_the_directory() {
    for user_id in [
        "no address",
        "A <a@../../etc>",
        "A <a@example..org>",
        "A <a@.example.org>",
        "A <a@exam/ple.org>",
        "A <a@[127.0.0.1]>",
    ] {
        let made = certificate(user_id, KeyVersion::V4);
        assert!(
            web_key_directory(&[&made.certificate]).is_err(),
            "{user_id}"
        );
    }
}
