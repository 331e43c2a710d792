//! `primary generate`, and `cert create --primary`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::gpg::Gpg;
use crate::place::Place;
use crate::{KEY, PASSPHRASE, done, json, line, primary_in};

const BELOW: [&str; 4] = ["cert", "create", "--key", "packages"];

fn refs(words: &[String; 2]) -> [&str; 2] {
    [&words[0], &words[1]]
}

#[test]
fn the_login_shell_would_take_a_key_below_an_offline_primary_one() {
    for (version, digits) in [(&[][..], 40), (&["--v6"][..], 64)] {
        for kind in ["ed25519", "p384", "rsa2048"] {
            let place = Place::new();
            let primary = place.primary(&line(&[&["--kind", "ed25519"], version]));
            let made = done(&place, &line(&[&KEY, &["--kind", kind], version]));
            let certified = done(&place, &line(&[&BELOW, &refs(&primary)]));
            assert_eq!(certified["signing_key"], made["fingerprint"]);
            assert_ne!(certified["fingerprint"], made["fingerprint"]);
            assert_eq!(certified["fingerprint"].as_str().unwrap().len(), digits);
            let files = [
                "packages.pgp",
                "packages.revocation.asc",
                "packages.secret.pgp",
                "primary.pgp",
                "primary.revocation.asc",
                "signstar.toml",
            ];
            assert_eq!(place.files(), files);
            assert_eq!(place.rights("primary.pgp"), (0o400, 0, 0));
            assert_eq!(place.rights("primary.revocation.asc"), (0o400, 0, 0));

            let checked = done(&place, &["config", "check"]);
            assert_eq!(checked["problems"].as_array().unwrap().len(), 0);
            assert_eq!(checked["keys"][0]["fingerprint"], made["fingerprint"]);
            let shown = done(&place, &["cert", "show", "--key", "packages"]);
            assert_eq!(shown["signing_key"], made["fingerprint"]);
            let signs = shown["keys"].as_array().unwrap().iter();
            let signs: Vec<&serde_json::Value> = signs.map(|key| &key["signs"]).collect();
            assert_eq!(signs, [&false, &true]);
        }
    }
}

#[test]
fn gnupg_sees_a_primary_that_certifies_and_a_subkey_that_signs() {
    let place = Place::new();
    let primary = place.primary(&["--expires", "2099-12-31"]);
    place.admin(&KEY).done();
    let until = ["--expires", "2098-01-01"];
    place
        .admin(&line(&[&BELOW, &refs(&primary), &until]))
        .done();
    let gpg = Gpg::with(&place.path("packages.pgp"));
    assert_eq!(gpg.listed("pub")[0][1..], ["4102358400", "cSC"]);
    assert_eq!(gpg.listed("sub")[0][1..], ["4039372800", "s"]);
    gpg.run(&[
        "--import",
        place.path("packages.revocation.asc").to_str().unwrap(),
    ]);
    assert_eq!(gpg.listed("sub")[0][0], "r");
    assert_ne!(gpg.listed("pub")[0][0], "r");
    gpg.run(&[
        "--import",
        place.path("primary.revocation.asc").to_str().unwrap(),
    ]);
    assert_eq!(gpg.listed("pub")[0][0], "r");
}

#[test]
fn takes_a_primary_key_that_gnupg_has_exported_with_its_user_id() {
    let place = Place::new();
    place.admin(&KEY).done();
    place.write_secret("passphrase", PASSPHRASE);
    let gpg = Gpg::new();
    let with = ["--passphrase", PASSPHRASE];
    let make = [
        "--quick-generate-key",
        "B <b@example.net>",
        "ed25519",
        "cert",
        "never",
    ];
    gpg.run(&line(&[&with, &make]));
    let file = place.path("exported.asc");
    let (file, passphrase) = (file.to_str().unwrap(), place.path("passphrase"));
    gpg.run(&line(&[
        &with,
        &["--armor", "--output", file, "--export-secret-keys"],
    ]));
    let below = line(&[&BELOW, &["--primary", file]]);
    // GnuPG leaves it to the owner, who is root here, and lets nobody else read it.
    let text = place.admin(&below).refused(65);
    assert!(text.contains("give --primary-passphrase-file"), "{text}");
    let passphrase = ["--primary-passphrase-file", passphrase.to_str().unwrap()];
    place.admin(&line(&[&below, &passphrase])).done();
    let shown = done(&place, &["cert", "show", "--key", "packages"]);
    assert_eq!(shown["user_ids"], json("[\"B <b@example.net>\"]"));
    place.admin(&["config", "check"]).done();
    let named = ["--user-id", "C <c@example.net>", "--force"];
    place.admin(&line(&[&below, &passphrase, &named])).done();
    let shown = done(&place, &["cert", "show", "--key", "packages"]);
    assert_eq!(shown["user_ids"].as_array().unwrap().len(), 2);
}

#[test]
fn a_primary_that_signs_too_needs_a_choice_which_is_said() {
    let place = Place::new();
    let made = done(&place, &KEY);
    let gpg = Gpg::new();
    let with = ["--passphrase", ""];
    gpg.run(&line(&[
        &with,
        &[
            "--quick-generate-key",
            "B <b@example.net>",
            "ed25519",
            "sign",
            "never",
        ],
    ]));
    let file = place.path("exported.pgp");
    let file = file.to_str().unwrap();
    gpg.run(&line(&[&with, &["--output", file, "--export-secret-keys"]]));
    let text = place.admin(&line(&[&BELOW, &["--primary", file]])).done();
    let fingerprint = made["fingerprint"].as_str().unwrap();
    let set = format!("set in [key.packages]: signing-key = \"{fingerprint}\"\n");
    assert!(text.contains(&set), "{text}");
    let problems = place.admin(&["config", "check"]).found(78);
    assert!(
        problems.contains("several valid signing keys"),
        "{problems}"
    );
    place.choose("packages", fingerprint);
    place.admin(&["config", "check"]).done();
}

#[test]
fn protects_a_primary_key_and_opens_it_with_its_passphrase_only() {
    let place = Place::new();
    place.admin(&KEY).done();
    place.write_secret("right", &format!("{PASSPHRASE}\n"));
    place.write_secret("wrong", "wrong");
    let (right, wrong) = (place.path("right"), place.path("wrong"));
    let (right, wrong) = (right.to_str().unwrap(), wrong.to_str().unwrap());
    let file = place.path("primary.pgp");
    let file = file.to_str().unwrap();
    let generate = ["primary", "generate", "--user-id", "A", "--file", file];
    let text = place.admin(&generate).refused(64);
    assert!(
        text.contains("--passphrase-file or --no-passphrase"),
        "{text}"
    );
    let made = done(&place, &line(&[&generate, &["--passphrase-file", right]]));
    assert_eq!(made["protected"], true);

    let below = line(&[&BELOW, &["--primary", file]]);
    let with = |passphrase| line(&[&below, &["--primary-passphrase-file", passphrase]]);
    let text = place.admin(&with(wrong)).refused(65);
    assert!(text.contains("passphrase does not open"), "{text}");
    let text = place.admin(&below).refused(65);
    assert!(text.contains("nobody is there to ask"), "{text}");
    assert!(!place.path("packages.pgp").exists());
    let end = place.admin_with_log("trace", &with(right));
    assert_eq!(end.status, 0);
    let said = end.stdout + &end.stderr;
    assert!(
        said.contains("DEBUG") && said.contains("primary.pgp"),
        "{said}"
    );
    assert!(
        !said.contains("correct") && !said.contains("staple"),
        "{said}"
    );

    // Whoever gives one believes that it protects something.
    let other = Place::new();
    other.admin(&KEY).done();
    let primary = other.primary(&[]);
    let text = other
        .admin(&line(&[
            &BELOW,
            &refs(&primary),
            &["--primary-passphrase-file", right],
        ]))
        .refused(65);
    assert!(text.contains("not protected"), "{text}");
}

#[test]
fn refuses_a_primary_key_that_others_can_read_or_that_is_none() {
    let place = Place::new();
    place.admin(&KEY).done();
    let primary = place.primary(&[]);
    let file = place.path("primary.pgp");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let below = line(&[&BELOW, &refs(&primary)]);
    assert!(place.admin(&below).refused(77).contains("holds a secret"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    place.admin(&below).done();
    // The certificate is the public half of the same key.
    fs::copy(place.path("packages.pgp"), place.path("public.pgp")).unwrap();
    fs::set_permissions(place.path("public.pgp"), fs::Permissions::from_mode(0o400)).unwrap();
    for (name, because) in [
        ("public.pgp", "does not hold the secret half"),
        ("signstar.toml", "holds a secret"),
    ] {
        let path = place.path(name);
        let given = ["--force", "--primary", path.to_str().unwrap()];
        let end = place.admin(&line(&[&BELOW, &given]));
        assert!([65, 77].contains(&end.status), "{end:?}");
        assert!(end.stderr.contains(because), "{end:?}");
    }
}

#[test]
fn refuses_a_key_of_another_version_than_its_primary() {
    for (primary, key) in [(&["--v6"][..], &[][..]), (&[], &["--v6"])] {
        let place = Place::new();
        let primary = place.primary(primary);
        place.admin(&line(&[&KEY, key])).done();
        let before = place.contents();
        let text = place.admin(&line(&[&BELOW, &refs(&primary)])).refused(64);
        assert!(
            text.contains("key generate, with or without --v6"),
            "{text}"
        );
        assert_eq!(place.contents(), before);
    }
}

#[test]
fn a_dry_run_says_all_and_writes_nothing() {
    let place = Place::new();
    let file = place.path("primary.pgp");
    let file = file.to_str().unwrap();
    let generate = primary_in(file);
    let before = place.contents();
    let text = place.admin(&line(&[&generate, &["--dry-run"]])).done();
    assert!(
        text.contains("would write") && text.contains("primary.pgp"),
        "{text}"
    );
    assert_eq!(place.contents(), before);

    let primary = place.primary(&[]);
    let key = done(&place, &KEY);
    let before = place.contents();
    for shape in [&refs(&primary)[..], &["--user-id", "A <a@example.org>"]] {
        let create = line(&[&BELOW, shape]);
        let said = done(&place, &line(&[&create, &["--dry-run"]]));
        assert_eq!(place.contents(), before);
        assert_eq!(
            (&said["dry_run"], &said["signing_key"]),
            (&true.into(), &key["fingerprint"])
        );
        // It tells the truth.
        let made = done(&place, &create);
        for field in ["fingerprint", "signing_key", "certificate", "revocation"] {
            assert_eq!(said[field], made[field]);
        }
        // And fails where the rest would.
        place.admin(&line(&[&create, &["--dry-run"]])).refused(73);
        for name in ["packages.pgp", "packages.revocation.asc"] {
            fs::remove_file(place.path(name)).unwrap();
        }
        let early = ["--dry-run", "--expires", "2001-01-01"];
        place.admin(&line(&[&create, &early])).refused(64);
        assert_eq!(place.contents(), before);
    }
}

#[test]
fn never_replaces_a_primary_key() {
    let place = Place::new();
    place.primary(&[]);
    let before = place.contents();
    let file = place.path("primary.pgp");
    let again = [
        "primary",
        "generate",
        "--user-id",
        "A",
        "--no-passphrase",
        "--file",
    ];
    let text = place
        .admin(&line(&[&again, &[file.to_str().unwrap()]]))
        .refused(73);
    assert!(text.contains("exists already; move it away"), "{text}");
    assert_eq!(place.contents(), before);
}

#[test]
fn lists_what_the_devices_hold() {
    let place = Place::new();
    place.add_key("other", "other.pgp", "");
    let made = done(&place, &KEY);
    let listed = json(&place.admin(&["key", "list", "--output", "json"]).found(69));
    let [other, packages] = listed["keys"].as_array().unwrap().as_slice() else {
        panic!("{listed}")
    };
    assert_eq!(packages["fingerprint"], made["fingerprint"]);
    assert_eq!(packages["kind"], "ed25519");
    assert_eq!(packages["problem"], serde_json::Value::Null);
    assert!(
        other["problem"]
            .as_str()
            .unwrap()
            .contains("other.secret.pgp")
    );
    place
        .admin(&["key", "generate", "--key", "other", "--group", "signers"])
        .done();
    let text = place.admin(&["key", "list"]).done();
    assert_eq!(text.lines().count(), 2);
    assert!(text.contains("[key.other] software ed25519 "), "{text}");
}
