//! `cert rotate`.

use serde_json::Value;

use crate::gpg::Gpg;
use crate::place::Place;
use crate::{KEY, done, line, rotation};

/// A key below an offline primary one, and another key to follow it; fingerprints of both.
fn scene(certificate: &str, version: &[&str]) -> (Place, [String; 2], [String; 2]) {
    let place = Place::new();
    let primary = place.primary(version);
    place.add_key("next", certificate, "");
    let old = done(&place, &line(&[&KEY, version]));
    let generate = [
        "key", "generate", "--key", "next", "--group", "signers", "--kind", "p256",
    ];
    let new = done(&place, &line(&[&generate, version]));
    let create = [
        "cert",
        "create",
        "--key",
        "packages",
        &primary[0],
        &primary[1],
    ];
    place.admin(&create).done();
    let of = |made: &Value| made["fingerprint"].as_str().unwrap().to_owned();
    (place, primary, [of(&old), of(&new)])
}

#[test]
fn the_new_key_gets_a_certificate_with_both_and_the_service_goes_on() {
    for version in [&[][..], &["--v6"]] {
        let (place, primary, [old, new]) = scene("next.pgp", version);
        let rotate = line(&[
            &rotation("next", "30d"),
            &[&primary[0], &primary[1], "--expires", "2099-12-31"],
        ]);
        let before = place.contents();
        let said = done(&place, &line(&[&rotate, &["--dry-run"]]));
        assert_eq!(place.contents(), before);
        let made = done(&place, &rotate);
        assert_eq!(said["changes"][0], made["changes"][0]);
        assert_eq!(made["changes"][0]["fingerprint"], new.as_str());
        assert_eq!(made["changes"][0]["expires"], "2099-12-31T00:00:00Z");
        assert_eq!(made["changes"][1]["fingerprint"], old.as_str());
        assert_eq!(made["changes"][1]["before"], Value::Null);
        // What is in use has not changed.
        for (name, bytes) in &before {
            assert_eq!(place.contents()[name], *bytes, "{name}");
        }
        assert_eq!(place.rights("next.pgp"), (0o644, 0, 0));
        assert_eq!(place.rights("next.revocation.asc"), (0o400, 0, 0));

        let problems = place.admin(&["config", "check"]).found(78);
        assert!(
            problems.contains("[key.packages] ed25519 key"),
            "{problems}"
        );
        assert!(problems.contains("[key.next]"), "{problems}");
        place.choose("next", &new);
        place.admin(&["config", "check"]).done();
        let again = place.admin(&line(&[&rotate, &["--force"]]));
        again.done();
        if version.is_empty() {
            let gpg = Gpg::with(&place.path("next.pgp"));
            let [one, other] = gpg.listed("sub").try_into().unwrap();
            assert_eq!((one[2].as_str(), other[2].as_str()), ("s", "s"));
            let expiries = [&one[1], &other[1]];
            assert!(expiries.contains(&&"4102358400".to_owned()), "{expiries:?}");
            assert!(!expiries.contains(&&String::new()), "{expiries:?}");
            let early = place.path("next.revocation.asc");
            gpg.run(&["--import", early.to_str().unwrap()]);
            let revoked: Vec<bool> = gpg.listed("sub").iter().map(|sub| sub[0] == "r").collect();
            assert_eq!(revoked.iter().filter(|revoked| **revoked).count(), 1);
        }
    }
}

#[test]
fn in_one_file_it_first_has_both_keys_chosen() {
    let (place, primary, [old, new]) = scene("packages.pgp", &[]);
    let rotate = line(&[&rotation("next", "30d"), &[&primary[0], &primary[1]]]);
    let before = place.contents();
    let text = place.admin(&rotate).refused(78);
    let set = format!("first set there: signing-key = \"{old}\"");
    assert!(
        text.contains("[key.packages]") && text.contains(&set),
        "{text}"
    );
    assert_eq!(place.contents(), before);
    place.choose("packages", &old);
    let text = place.admin(&rotate).done();
    let set = format!("set in [key.next]: signing-key = \"{new}\"\n");
    assert!(text.contains(&set), "{text}");
    place.choose("next", &new);
    place.admin(&["config", "check"]).done();
    let text = place.admin(&rotate).refused(73);
    assert!(text.contains("next.revocation.asc"), "{text}");
    let text = place.admin(&line(&[&rotate, &["--force"]])).refused(64);
    assert!(
        text.contains(&format!("has the key {new} already")),
        "{text}"
    );
}

#[test]
fn what_ends_sooner_is_not_kept_alive() {
    let (place, primary, [_, new]) = scene("next.pgp", &[]);
    let soon = ["cert", "extend", "--key", "packages", "--expires", "3d"];
    let primary = [primary[0].as_str(), primary[1].as_str()];
    place.admin(&line(&[&soon, &primary])).done();
    let made = done(&place, &line(&[&rotation("next", "30d"), &primary]));
    let changes = made["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["fingerprint"], new.as_str());
}

#[test]
fn refuses_to_rotate_a_key_that_is_its_own_primary() {
    let place = Place::new();
    place.add_key("next", "next.pgp", "");
    place.equip();
    place
        .admin(&["key", "generate", "--key", "next", "--group", "signers"])
        .done();
    let before = place.contents();
    let text = place.admin(&rotation("next", "30d")).refused(64);
    assert!(text.contains("cert create"), "{text}");
    assert_eq!(place.contents(), before);
}

#[test]
fn refuses_to_rotate_to_what_cannot_be() {
    let (place, primary, _) = scene("next.pgp", &[]);
    let primary = [primary[0].as_str(), primary[1].as_str()];
    let before = place.contents();
    assert!(
        place
            .admin(&rotation("next", "30d"))
            .refused(64)
            .contains("--primary")
    );
    let same = rotation("packages", "30d");
    let text = place
        .admin(&line(&[&same, &primary, &["--force"]]))
        .refused(64);
    assert!(text.contains("already"), "{text}");
    for overlap in ["soon", "2001-01-01"] {
        let rotate = rotation("next", overlap);
        place.admin(&line(&[&rotate, &primary])).refused(64);
    }
    assert_eq!(place.contents(), before);
}
