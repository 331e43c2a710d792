//! `cert create`

use crate::place::Place;
use crate::{CERT, KEY, json};

#[test]
fn makes_keys_and_certificates_that_the_login_shell_would_take() {
    for kind in ["ed25519", "p256", "p384", "p521", "rsa2048"] {
        for version in [&[][..], &["--v6"]] {
            let place = Place::new();
            let generate = [&KEY[..], &["--kind", kind, "--output", "json"], version].concat();
            let made = json(&place.admin(&generate).done());
            assert_eq!(made["kind"], kind);
            let certified = json(
                &place
                    .admin(&[&CERT[..], &["--output", "json"]].concat())
                    .done(),
            );
            assert_eq!(certified["fingerprint"], made["fingerprint"]);

            assert_eq!(
                place.rights("packages.secret.pgp"),
                (0o440, 0, place.group())
            );
            assert_eq!(place.rights("packages.pgp"), (0o644, 0, 0));
            assert_eq!(place.rights("packages.revocation.asc"), (0o400, 0, 0));
            let files = place.files();
            let expected = [
                "packages.pgp",
                "packages.revocation.asc",
                "packages.secret.pgp",
                "signstar.toml",
            ];
            assert_eq!(files, expected);

            // RSA and P-256 go with the default hash, the longest one.
            let checked = json(&place.admin(&["config", "check", "--output", "json"]).done());
            assert_eq!(checked["problems"].as_array().unwrap().len(), 0);
            assert_eq!(checked["keys"][0]["fingerprint"], made["fingerprint"]);
            assert_eq!(checked["keys"][0]["kind"], kind);
        }
    }
}

#[test]
fn writes_no_certificate_while_a_revocation_is_in_the_way() {
    let place = Place::new();
    place.admin(&KEY).done();
    place.write("packages.revocation.asc", "of another key");
    place.admin(&CERT).refused(73);
    assert!(!place.path("packages.pgp").exists());
    let elsewhere = place.path("elsewhere.asc");
    place.certify(&["--revocation", elsewhere.to_str().unwrap()]);
    assert!(elsewhere.exists());
}

#[test]
fn writes_no_revocation_while_a_certificate_is_in_the_way() {
    let place = Place::new();
    place.admin(&KEY).done();
    place.write("packages.pgp", "of another key");
    place.admin(&CERT).refused(73);
    assert!(!place.path("packages.revocation.asc").exists());
}
