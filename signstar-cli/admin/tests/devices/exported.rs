//! What GnuPG exports comes onto a card: of several keys in a file that one which the certificate signs with.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::card::Machine;
use crate::gpg::Gpg;
use crate::inside::inside;
use crate::place::End;
use crate::{done, refused};

/// A certificate as most are: a primary key that certifies, and a subkey that signs. Their fingerprints.
fn certificate(gpg: &Gpg) -> [String; 2] {
    let run = |words: &[&str]| gpg.run(&[&["--passphrase", ""], words].concat());
    let fingerprints = || -> Vec<String> {
        let listed = gpg.run(&["--with-colons", "--list-keys"]);
        let lines = listed.lines().filter(|line| line.starts_with("fpr:"));
        lines
            .map(|line| line.split(':').nth(9).unwrap().to_owned())
            .collect()
    };
    let user = "Old <old@example.org>";
    run(&["--quick-generate-key", user, "ed25519", "cert", "never"]);
    let primary = fingerprints().remove(0);
    run(&["--quick-add-key", &primary, "ed25519", "sign", "2y"]);
    fingerprints().try_into().unwrap()
}

#[test]
fn of_several_keys_that_one_is_imported_which_the_certificate_signs_with() {
    let name = "exported::of_several_keys_that_one_is_imported_which_the_certificate_signs_with";
    inside(name, || {
        let machine = Machine::new();
        let place = &machine.place;
        let path = |name: &str| place.path(name).to_str().unwrap().to_owned();
        let gpg = Gpg::new();
        let [primary, subkey] = certificate(&gpg);
        let export = |gpg: &Gpg, what: &str, name: &str, mode: u32| {
            let file = path(name);
            let _ = fs::remove_file(&file);
            gpg.run(&["--passphrase", "", "--output", &file, what]);
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            file
        };
        let whole = export(&gpg, "--export-secret-keys", "whole.pgp", 0o400);
        let subkeys = export(&gpg, "--export-secret-subkeys", "subkeys.pgp", 0o400);
        let words = |file: &str, more: &[&str]| -> Vec<String> {
            let import = ["key", "import", "--key", "packages", "--from", file];
            let agreed = ["--has-been-outside", "--force", "--yes"];
            let all = machine.with_pin(&import, &agreed);
            let all = all.iter().chain(more);
            all.map(|word| (*word).to_owned()).collect()
        };
        let ask = |file: &str, more: &[&str]| -> End {
            let words = words(file, more);
            place.admin(&words.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let imported = |file: &str, more: &[&str]| {
            let words = words(file, more);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            done(place, &words)["fingerprint"].clone()
        };
        // Nothing says which of the two it is, but where there is one only.
        let several = format!("2 keys can sign: name one by --subkey: {primary}, {subkey}");
        refused(ask(&whole, &[]), 65, &several);
        assert_eq!(imported(&subkeys, &[]), subkey);

        export(&gpg, "--export", "packages.pgp", 0o644);
        for file in [&whole, &subkeys] {
            assert_eq!(imported(file, &[]), subkey);
            done(place, &["config", "check"]);
            machine.sign(&subkey);
        }
        let named = ["--subkey", &primary.to_lowercase()];
        assert_eq!(imported(&whole, &named), primary);
        // What stands in its place there is no key.
        refused(ask(&subkeys, &named), 65, "only the public half");
        refused(
            ask(&whole, &["--subkey", "0123"]),
            65,
            "does not hold the key 0123",
        );

        // The certificate of others.
        let gpg = Gpg::new();
        certificate(&gpg);
        export(&gpg, "--export", "packages.pgp", 0o644);
        refused(ask(&subkeys, &[]), 65, "name another one by --subkey");
        place.write("packages.pgp", "no certificate");
        refused(ask(&subkeys, &[]), 65, "which key signs, ");
    });
}
