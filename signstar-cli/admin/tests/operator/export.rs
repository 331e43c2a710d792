//! `cert export`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::gpg::Gpg;
use crate::place::Place;
use crate::{done, line};

const EXPORT: [&str; 4] = ["cert", "export", "--key", "packages"];

fn to(place: &Place, name: &str) -> String {
    place.path(name).display().to_string()
}

#[test]
fn writes_a_certificate_as_bytes_and_as_text() {
    let place = Place::new();
    place.equip();
    let (binary, armored) = (to(&place, "out.pgp"), to(&place, "out.asc"));
    let forms = [("binary", &binary), ("armored", &armored)];
    for (form, path) in forms {
        let export = line(&[&EXPORT, &["--form", form, "--to", path]]);
        let said = done(&place, &line(&[&export, &["--dry-run"]]));
        assert!(!PathBuf::from(path).exists());
        let made = done(&place, &export);
        assert_eq!(said["files"], made["files"]);
        let text = place.admin(&export).refused(73);
        assert!(text.contains("--force replaces it"), "{text}");
        place.admin(&line(&[&export, &["--force"]])).done();
    }
    assert_eq!(
        fs::read(&binary).unwrap(),
        fs::read(place.path("packages.pgp")).unwrap()
    );
    let text = fs::read_to_string(&armored).unwrap();
    assert!(
        text.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"),
        "{text}"
    );
    assert_eq!(place.rights("out.pgp").0, 0o644);
    // From text to bytes too.
    place.write("packages.pgp", &text);
    let export = line(&[&EXPORT, &["--form", "binary", "--force", "--to", &binary]]);
    let before = fs::read(&binary).unwrap();
    place.admin(&export).done();
    assert_eq!(fs::read(&binary).unwrap(), before);
}

#[test]
fn a_web_key_directory_is_where_sequoia_looks_for_it() {
    let place = Place::new();
    place.equip();
    for (form, question) in [("wkd", "url"), ("wkd-direct", "direct-url")] {
        let root = to(&place, &format!("www-{form}"));
        let export = line(&[&EXPORT, &["--form", form, "--to", &root]]);
        let said = done(&place, &line(&[&export, &["--dry-run"]]));
        assert!(!PathBuf::from(&root).exists());
        assert_eq!(done(&place, &export)["files"], said["files"]);
        let output = Command::new("sq")
            .args(["wkd", question, "a@example.org"])
            .output()
            .expect("sq is needed for this test");
        let url = String::from_utf8(output.stdout).unwrap();
        let path = url.trim().strip_prefix("https://").unwrap();
        let (host, path) = path.split_once('/').unwrap();
        let expected = if form == "wkd" {
            "openpgpkey.example.org"
        } else {
            "example.org"
        };
        assert_eq!(host, expected);
        let path = path.split('?').next().unwrap();
        let served = PathBuf::from(&root).join(path);
        assert_eq!(
            fs::read(&served).unwrap(),
            fs::read(place.path("packages.pgp")).unwrap()
        );
        let policy = served.parent().unwrap().parent().unwrap().join("policy");
        assert!(policy.is_file());
        // Whoever has written a policy keeps it.
        fs::write(&policy, "mailbox-only\n").unwrap();
        place.admin(&export).refused(73);
        let text = place.admin(&line(&[&export, &["--force"]])).done();
        assert!(text.contains("left as it is: "), "{text}");
        assert_eq!(fs::read(&policy).unwrap(), b"mailbox-only\n");
    }
}

#[test]
fn two_keys_below_one_primary_become_one_certificate() {
    let place = Place::new();
    let primary = place.primary(&[]);
    let primary = [primary[0].as_str(), primary[1].as_str()];
    place.add_key("other", "other.pgp", "");
    for key in ["packages", "other"] {
        let generate = ["key", "generate", "--group", "signers", "--key", key];
        place.admin(&generate).done();
        let create = ["cert", "create", "--key", key];
        place.admin(&line(&[&create, &primary])).done();
    }
    place.admin(&["config", "check"]).done();
    let folder = to(&place, "keyrings");
    let both = [
        "--key",
        "other",
        "--form",
        "pacman",
        "--keyring",
        "trial",
        "--to",
        &folder,
    ];
    place.admin(&line(&[&EXPORT, &both])).done();
    let gpg = Gpg::with(&place.path("keyrings/trial.gpg"));
    assert_eq!((gpg.listed("pub").len(), gpg.listed("sub").len()), (1, 2));
    let trusted = fs::read_to_string(place.path("keyrings/trial-trusted")).unwrap();
    assert_eq!(trusted.lines().count(), 1, "{trusted}");
    let www = to(&place, "www");
    let both = ["--key", "other", "--form", "wkd", "--to", &www];
    let made = done(&place, &line(&[&EXPORT, &both]));
    assert_eq!(made["files"].as_array().unwrap().len(), 2);
}

#[test]
fn refuses_what_makes_no_sense() {
    let place = Place::new();
    place.equip();
    let out = to(&place, "out");
    let before = place.files();
    for (wrong, status) in [
        (&["--form", "pacman", "--to", &out][..], 64),
        (
            &["--form", "pacman", "--to", &out, "--keyring", "../trial"],
            64,
        ),
        (&["--form", "pacman", "--to", &out, "--keyring", ""], 64),
        (&["--form", "binary", "--to", &out, "--key", "packages"], 64),
        (&["--form", "pdf", "--to", &out], 64),
        (&["--form", "binary", "--to", &out, "--key", "unknown"], 64),
    ] {
        let end = place.admin(&line(&[&EXPORT, wrong]));
        assert_eq!((end.status, end.stdout.as_str()), (status, ""), "{wrong:?}");
    }
    assert_eq!(place.files(), before);
    let other = Place::new();
    other
        .admin(&["key", "generate", "--key", "packages", "--v6"])
        .done();
    other.certify(&[]);
    let out = to(&other, "out");
    let keyring = ["--form", "pacman", "--to", &out, "--keyring", "trial"];
    let text = other.admin(&line(&[&EXPORT, &keyring])).refused(65);
    assert!(text.contains("pacman reads no other"), "{text}");
}
