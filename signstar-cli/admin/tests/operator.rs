//! What an operator does, from the empty machine to a configuration that the login shell takes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[path = "support/place.rs"]
mod place;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Command;

use place::{End, Place};
use serde_json::Value;

const KEY: [&str; 4] = ["key", "generate", "--key", "packages"];
const CERT: [&str; 6] = [
    "cert",
    "create",
    "--key",
    "packages",
    "--user-id",
    "A <a@example.org>",
];
const PASSPHRASE: &str = "correct horse battery staple";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

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

#[test]
fn shows_a_certificate_and_whether_it_is_valid() {
    let place = Place::new();
    place.admin(&KEY).done();
    place.certify(&["--expires", "2099-12-31"]);
    let show = ["cert", "show", "--key", "packages"];
    let text = place.admin(&show).done();
    for expected in [
        "user ID    A <a@example.org>",
        "expires    2099-12-31T00:00:00Z",
        "valid now  yes",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    let shown = json(
        &place
            .admin(&[&show[..], &["--output", "json"]].concat())
            .done(),
    );
    assert_eq!(shown["signing_key"], shown["fingerprint"]);
    assert_eq!(shown["version"], 4);
    assert_eq!(shown["keys"][0]["signs"], true);

    let armored = place.admin(&[&show[..], &["--armor"]].concat()).done();
    assert!(
        armored.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
        "{armored}"
    );
    place.write("packages.pgp", &armored);
    assert_eq!(place.admin(&show).done(), text);

    place.certify(&["--force", "--expires", "1s"]);
    let expires = |text: &str| {
        text.lines()
            .find(|line| line.contains("expires"))
            .unwrap()
            .to_owned()
    };
    let shown = wait_for(|| {
        let end = place.admin(&show);
        (end.status == 65).then_some(end.stdout)
    });
    assert!(shown.contains("valid now  no: "), "{shown}");
    assert!(!expires(&shown).contains("never"), "{shown}");
}

/// Tries until there is something; each try takes a while by itself.
fn wait_for<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    (0..1000)
        .find_map(|_| attempt())
        .expect("something within a thousand tries")
}

#[test]
fn names_every_problem_of_a_configuration_with_its_line() {
    let place = Place::new();
    place.write(
        "signstar.toml",
        "version = 1\n[audit]\nsink = \"paper\"\n[user.signer]\nkey = \"none\"\ncolour = 1\n",
    );
    let text = place.admin(&["config", "check"]).found(78);
    for line in ["line 3: ", "line 5: ", "line 6: ", "3 problems"] {
        assert!(text.contains(line), "{text}");
    }
    let checked = json(
        &place
            .admin(&["config", "check", "--output", "json"])
            .found(78),
    );
    assert_eq!(checked["problems"][2]["line"], 6);
    // Other verbs say it in one line.
    let text = place.admin(&KEY).refused(78);
    assert!(
        text.contains("line 3: ") && text.contains("names all 3 problems"),
        "{text}"
    );
}

#[test]
fn checks_the_file_that_is_named() {
    let place = Place::new();
    place.write("candidate.toml", "version = 2\n");
    let candidate = place.path("candidate.toml");
    let text = place
        .admin(&["config", "check", candidate.to_str().unwrap()])
        .found(78);
    assert!(text.contains("candidate.toml: line 1: "), "{text}");
}

#[test]
fn notices_a_certificate_of_another_key() {
    let place = Place::new();
    place.equip();
    place.admin(&["config", "check"]).done();
    place.admin(&[&KEY[..], &["--force"]].concat()).done();
    let text = place.admin(&["config", "check"]).found(78);
    assert!(
        text.contains("[key.packages] secret key file does not hold the key"),
        "{text}"
    );
}

#[test]
fn notices_what_would_keep_the_account_from_signing() {
    let place = Place::new();
    place.equip();
    let check = || place.admin(&["config", "check"]);
    check().done();

    let secret = place.path("packages.secret.pgp");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(
        check()
            .found(78)
            .contains("must be readable by the account's group")
    );
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o440)).unwrap();

    // Of another group now; then a member of the old one too.
    let passwd = fs::read_to_string(place.path("passwd")).unwrap();
    let own = format!(":{}::/:/usr/bin/signstar", place.group());
    place.write(
        "passwd",
        &passwd.replace(&own, ":6005::/:/usr/bin/signstar"),
    );
    let problems = check().found(78);
    assert!(
        problems.contains("must be readable by the account's group"),
        "{problems}"
    );
    assert!(
        problems.contains("must be writable by the account's group"),
        "{problems}"
    );
    let group = fs::read_to_string(place.path("group")).unwrap();
    let signers = format!("signers:x:{}:", place.group());
    place.write(
        "group",
        &group.replace(&signers, &format!("{signers}somebody,signer")),
    );
    check().done();

    fs::remove_file(place.path("run/signstar/sessions/signer")).unwrap();
    assert!(check().found(78).contains("sessions/signer: no such file"));

    place.write("passwd", &passwd.replace("/usr/bin/signstar", "/bin/bash"));
    assert!(check().found(78).contains("its login shell is /bin/bash"));
    place.write("passwd", &passwd.replace("signer:", "sinner:"));
    assert!(
        check()
            .found(78)
            .contains("[user.signer] there is no such account")
    );

    let text = fs::read_to_string(place.path("signstar.toml")).unwrap();
    let file = format!(
        "sink = \"file\"\n[audit.file]\npath = {:?}\n",
        place.path("audit.log")
    );
    place.write("signstar.toml", &text.replace("sink = \"stderr\"\n", &file));
    assert!(check().found(78).contains("[audit] "));
}

#[test]
fn refuses_what_it_does_not_understand() {
    let place = Place::new();
    for arguments in [
        &["key"][..],
        &["key", "generate"],
        &[&KEY[..], &["--kind", "rsa1024"]].concat(),
        &[&KEY[..], &["--passphrase", PASSPHRASE]].concat(),
        &["sign"],
        &["sandbox", "attempt", "unheard-of", "filter"],
    ] {
        let end = place.admin(arguments);
        assert_eq!((end.status, end.stdout.as_str()), (64, ""), "{arguments:?}");
    }
    let text = place
        .admin(&["cert", "show", "--key", "package"])
        .refused(64);
    assert!(
        text.ends_with("no [key.package]; there are: packages"),
        "{text}"
    );
    place.admin(&KEY).done();
    for more in [
        &["--expires", "soon"][..],
        &["--expires", "2001-01-01"],
        &["--user-id", "a\nb"],
    ] {
        let create = ["cert", "create", "--key", "packages"];
        let named = ["--user-id", "A <a@example.org>"];
        let named = if more[0] == "--user-id" {
            &[][..]
        } else {
            &named
        };
        place
            .admin(&[&create[..], named, more].concat())
            .refused(64);
    }
    assert!(!place.path("packages.pgp").exists());
}

#[test]
fn says_that_it_wants_to_be_root() {
    let place = Place::new();
    // Where it was built, only its builder may look.
    let copy = place.folder().join("signstar-admin");
    // By another program: what this one has open for writing, its other tests' children hold too.
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_signstar-admin"))
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    let mut command = Command::new(&copy);
    command
        .args(KEY)
        .arg("--group=0")
        .arg("--config")
        .arg(place.path("signstar.toml"));
    if nix::unistd::geteuid().is_root() {
        command.uid(65534);
    }
    let text = End::from(command.output().unwrap()).refused(77);
    assert!(text.contains("root"), "{text}");
}

#[test]
fn every_attempt_to_break_out_is_stopped() {
    let place = Place::new();
    let tested = json(
        &place
            .admin(&["sandbox", "selftest", "--output", "json"])
            .done(),
    );
    let attempts = tested["attempts"].as_array().unwrap();
    assert!(attempts.len() >= 50, "{}", attempts.len());
    for tried in attempts {
        assert_eq!(
            (&tried["filter"], &tried["stopped"]),
            (&"killed".into(), &true.into()),
            "{tried}"
        );
    }
    let open = attempts
        .iter()
        .find(|tried| tried["name"] == "open-read")
        .unwrap();
    assert_eq!(
        (&open["unconfined"], &open["landlock"]),
        (&"succeeds".into(), &"refused".into())
    );
}

#[test]
fn an_attempt_ends_as_its_defence_says() {
    let ends = |defence| {
        let admin = env!("CARGO_BIN_EXE_signstar-admin");
        Command::new(admin)
            .args(["sandbox", "attempt", "open-read", defence])
            .status()
            .unwrap()
    };
    assert_eq!(ends("none").code(), Some(0));
    assert_eq!(ends("landlock").code(), Some(10));
    assert_eq!(ends("filter").signal(), Some(31), "SIGSYS");
}
