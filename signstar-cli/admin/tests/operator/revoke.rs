//! `cert revoke`.

use crate::gpg::Gpg;
use crate::place::Place;
use crate::{KEY, done, line};

const REVOKE: [&str; 4] = ["cert", "revoke", "--key", "packages"];
const RETIRED: [&str; 2] = ["--reason", "retired"];

#[test]
fn a_revoked_certificate_signs_no_more() {
    for reason in ["superseded", "retired", "compromised", "unspecified"] {
        let place = Place::new();
        place.equip();
        let revoke = line(&[&REVOKE, &["--reason", reason, "--text", "it was time"]]);
        let before = place.contents();
        let text = place.admin(&revoke).refused(64);
        assert!(text.contains("give --yes"), "{text}");
        let said = done(&place, &line(&[&revoke, &["--dry-run"]]));
        assert_eq!(said["changes"][0]["reason"], reason);
        assert_eq!(place.contents(), before);
        place.admin(&line(&[&revoke, &["--yes"]])).done();
        let problems = place.admin(&["config", "check"]).found(78);
        assert!(problems.contains("is revoked"), "{problems}");
        let text = place.admin(&line(&[&revoke, &["--yes"]])).refused(65);
        assert!(text.contains("is revoked"), "{text}");
        let gpg = Gpg::with(&place.path("packages.pgp"));
        assert_eq!(gpg.listed("pub")[0][0], "r");
        let text = gpg.run(&["--with-colons", "--check-signatures"]);
        assert!(text.contains("rev:"), "{text}");
    }
}

#[test]
fn the_revocation_from_the_safe_works_without_any_key() {
    let place = Place::new();
    place.equip();
    // Of the key there is nothing left.
    std::fs::remove_file(place.path("packages.secret.pgp")).unwrap();
    let file = place.path("packages.revocation.asc");
    let revoke = line(&[&REVOKE, &["--revocation", file.to_str().unwrap()]]);
    let before = place.contents();
    assert!(place.admin(&revoke).refused(64).contains("give --yes"));
    done(&place, &line(&[&revoke, &["--dry-run"]]));
    assert_eq!(place.contents(), before);
    let made = done(&place, &line(&[&revoke, &["--yes"]]));
    assert_eq!(made["changes"][0]["fingerprint"], made["fingerprint"]);
    let shown = place
        .admin(&["cert", "show", "--key", "packages"])
        .found(65);
    assert!(shown.contains("revoked    yes"), "{shown}");
    let text = place.admin(&line(&[&revoke, &["--yes"]])).refused(65);
    assert!(text.contains("no revocation that is valid for"), "{text}");
}

#[test]
fn one_subkey_is_revoked_by_its_primary_or_by_the_file_from_the_safe() {
    for from_safe in [false, true] {
        let place = Place::new();
        let primary = place.primary(&[]);
        let primary = [primary[0].as_str(), primary[1].as_str()];
        place.admin(&KEY).done();
        let create = ["cert", "create", "--key", "packages"];
        let made = done(&place, &line(&[&create, &primary]));
        let subkey = made["signing_key"].as_str().unwrap();
        let file = place.path("packages.revocation.asc");
        let given = match from_safe {
            true => vec!["--revocation", file.to_str().unwrap()],
            false => line(&[&RETIRED, &["--subkey", subkey], &primary]),
        };
        let revoked = done(&place, &line(&[&REVOKE, &given, &["--yes"]]));
        assert_eq!(revoked["changes"][0]["fingerprint"], subkey);
        let problems = place.admin(&["config", "check"]).found(78);
        assert!(problems.contains("no valid signing key"), "{problems}");
        let gpg = Gpg::with(&place.path("packages.pgp"));
        assert_ne!(gpg.listed("pub")[0][0], "r");
        assert_eq!(gpg.listed("sub")[0][0], "r");
        let text = place
            .admin(&line(&[&REVOKE, &given, &["--yes"]]))
            .refused(65);
        assert!(text.contains(subkey) || from_safe, "{text}");
    }
}

#[test]
fn refuses_to_revoke_what_it_cannot() {
    let place = Place::new();
    place.equip();
    let before = place.contents();
    let subkey = ["--subkey", "913219507E6A22F67A57897356BD7F5CA1C54BAC"];
    let unknown = line(&[&REVOKE, &RETIRED, &subkey, &["--yes"]]);
    assert!(place.admin(&unknown).refused(64).contains("no valid key"));
    let text = line(&[&REVOKE, &RETIRED, &["--text", "a\nb", "--yes"]]);
    assert!(
        place
            .admin(&text)
            .refused(64)
            .contains("control characters")
    );
    for wrong in [
        &["--yes"][..],
        &["--yes", "--reason", "boredom"],
        &["--yes", "--reason", "retired", "--revocation", "file"],
    ] {
        let end = place.admin(&line(&[&REVOKE, wrong]));
        assert_eq!((end.status, end.stdout.as_str()), (64, ""), "{wrong:?}");
    }
    let own = place.path("packages.pgp");
    let none = line(&[&REVOKE, &["--yes", "--revocation", own.to_str().unwrap()]]);
    assert!(place.admin(&none).refused(65).contains("no revocation"));
    assert_eq!(place.contents(), before);
}
