//! `config check`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::place::Place;
use crate::{KEY, json};

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
