//! `key …`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::place::{End, Place};
use crate::{CERT, KEY, PASSPHRASE, json};

#[test]
fn never_overwrites_without_force() {
    let place = Place::new();
    place.equip();
    let read = |name| fs::read(place.path(name)).unwrap();
    let names = [
        "packages.secret.pgp",
        "packages.pgp",
        "packages.revocation.asc",
    ];
    let before = names.map(read);
    for arguments in [&KEY[..], &CERT] {
        let text = place.admin(arguments).refused(73);
        assert!(
            text.contains("exists already; --force replaces it"),
            "{text}"
        );
    }
    assert_eq!(names.map(read), before);
    place.admin(&[&KEY[..], &["--force"]].concat()).done();
    place.admin(&[&CERT[..], &["--force"]].concat()).done();
    for (name, before) in names.into_iter().zip(before) {
        assert_ne!(read(name), before, "{name}");
    }
    assert_eq!(place.files().len(), 4);
    place.admin(&["config", "check"]).done();
}

#[test]
fn says_what_an_interrupted_run_has_left() {
    let place = Place::new();
    place.write(".packages.secret.pgp.new", "half a key");
    let text = place.admin(&KEY).refused(73);
    assert!(
        text.contains(".packages.secret.pgp.new: left by a run"),
        "{text}"
    );
    assert!(!place.path("packages.secret.pgp").exists());
}

#[test]
fn protects_the_key_with_the_passphrase_of_the_configuration() {
    let place = Place::new();
    let passphrase = place.path("passphrase");
    place.configure(&format!("passphrase = {passphrase:?}\n"));
    assert!(place.admin(&KEY).refused(74).contains("passphrase"));
    place.write_secret("passphrase", &format!("{PASSPHRASE}\n"));
    assert_eq!(
        json(
            &place
                .admin(&[&KEY[..], &["--output", "json"]].concat())
                .done()
        )["protected"],
        true
    );
    place.certify(&[]);
    // Running as root, the check sees that the account's group cannot read the passphrase.
    let problems = place.admin(&["config", "check"]).found(78);
    assert!(
        problems.contains("passphrase must be readable by the account's group"),
        "{problems}"
    );

    place.write("passphrase", "wrong");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o400)).unwrap();
    let text = place.admin(&[&CERT[..], &["--force"]].concat()).refused(65);
    assert!(
        text.contains("passphrase does not open the secret key"),
        "{text}"
    );
    place.write("passphrase", PASSPHRASE);
    assert!(
        place
            .admin(&[&CERT[..], &["--force"]].concat())
            .refused(77)
            .contains("mode 0440")
    );
}

#[test]
fn takes_the_passphrase_from_another_file_while_the_configured_one_is_not_there() {
    let place = Place::new();
    place.write_secret("early", PASSPHRASE);
    let early = place.path("early");
    let generate = [&KEY[..], &["--passphrase-file", early.to_str().unwrap()]].concat();
    // Without one in the configuration the login shell could not use the key.
    let text = place.admin(&generate).refused(78);
    assert!(
        text.contains("name a `passphrase` in [key.packages.software]"),
        "{text}"
    );
    place.configure(&format!("passphrase = {:?}\n", place.path("late")));
    place.admin(&generate).done();
    place.write_secret("late", &format!("{PASSPHRASE}\n"));
    place.certify(&[]);
}

#[test]
fn never_shows_a_passphrase() {
    let place = Place::new();
    place.configure(&format!("passphrase = {:?}\n", place.path("passphrase")));
    place.write_secret("passphrase", PASSPHRASE);
    let check = ["config", "check"];
    let mut seen = String::new();
    for arguments in [&KEY[..], &KEY, &CERT, &CERT, &check] {
        let End { stdout, stderr, .. } = place.admin_with_log("trace", arguments);
        seen += &(stdout + &stderr);
    }
    // The search finds what is there: diagnostics, and the name of the file.
    assert!(
        seen.contains("DEBUG") && seen.contains("/passphrase"),
        "{seen}"
    );
    assert!(
        !seen.contains("correct") && !seen.contains("staple"),
        "{seen}"
    );
}

#[test]
fn gives_the_key_to_the_group_of_those_who_sign() {
    let place = Place::new();
    let append = |more: &str| {
        let text = fs::read_to_string(place.path("signstar.toml")).unwrap();
        place.write("signstar.toml", &(text + more));
    };
    append("[user.other]\nkey = \"packages\"\n");
    assert!(
        place
            .admin(&KEY)
            .refused(64)
            .contains("of several groups: give --group")
    );
    append("[user.nobody-knows]\nkey = \"packages\"\n");
    assert!(
        place
            .admin(&KEY)
            .refused(78)
            .contains("[user.nobody-knows]: there is no such account")
    );
    assert!(
        place
            .admin(&[&KEY[..], &["--group", "unknown"]].concat())
            .refused(64)
            .contains("unknown")
    );
    place
        .admin(&[&KEY[..], &["--group", "signers"]].concat())
        .done();
    assert_eq!(
        place.rights("packages.secret.pgp"),
        (0o440, 0, place.group())
    );
}
