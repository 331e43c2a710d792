//! `cert extend`.

use serde_json::Value;

use crate::gpg::Gpg;
use crate::place::Place;
use crate::{KEY, done, line};

const EXTEND: [&str; 4] = ["cert", "extend", "--key", "packages"];

#[test]
fn the_device_extends_its_own_certificate() {
    for version in [&[][..], &["--v6"]] {
        let place = Place::new();
        place.admin(&line(&[&KEY, version])).done();
        place.certify(&["--expires", "2090-01-01"]);
        let until = line(&[&EXTEND, &["--expires", "2099-12-31"]]);
        let before = place.contents();
        let said = done(&place, &line(&[&until, &["--dry-run"]]));
        assert_eq!(place.contents(), before);
        let made = done(&place, &until);
        assert_eq!(
            (&said["dry_run"], &made["dry_run"]),
            (&true.into(), &false.into())
        );
        assert_eq!(said["changes"], made["changes"]);
        assert_eq!(made["changes"][0]["change"], "expiry");
        assert_eq!(made["changes"][0]["before"], "2090-01-01T00:00:00Z");
        assert_eq!(made["changes"][0]["after"], "2099-12-31T00:00:00Z");
        assert!(
            made["signed_by"]
                .as_str()
                .unwrap()
                .contains("packages.secret.pgp")
        );
        let shown = done(&place, &["cert", "show", "--key", "packages"]);
        assert_eq!(shown["keys"][0]["expires"], "2099-12-31T00:00:00Z");
        assert_eq!(place.rights("packages.pgp"), (0o644, 0, 0));
        place.admin(&["config", "check"]).done();
        if version.is_empty() {
            let gpg = Gpg::with(&place.path("packages.pgp"));
            assert_eq!(gpg.listed("pub")[0][1..], ["4102358400", "scSC"]);
        }
        place
            .admin(&line(&[&EXTEND, &["--expires", "never"]]))
            .done();
        let shown = done(&place, &["cert", "show", "--key", "packages"]);
        assert_eq!(shown["keys"][0]["expires"], Value::Null);
    }
}

#[test]
fn the_primary_extends_a_subkey_and_itself_only_if_it_must() {
    for version in [&[][..], &["--v6"]] {
        let place = Place::new();
        let primary = place.primary(&line(&[&["--expires", "2095-01-01"], version]));
        let primary = [primary[0].as_str(), primary[1].as_str()];
        place.admin(&line(&[&KEY, version])).done();
        let create = [
            "cert",
            "create",
            "--key",
            "packages",
            "--expires",
            "2090-01-01",
        ];
        place.admin(&line(&[&create, &primary])).done();
        let text = place
            .admin(&line(&[&EXTEND, &["--expires", "2092-01-01"]]))
            .refused(64);
        assert!(text.contains("give its file by --primary"), "{text}");

        let within = line(&[&EXTEND, &primary, &["--expires", "2092-01-01"]]);
        let made = done(&place, &within);
        assert_eq!(made["changes"].as_array().unwrap().len(), 1);
        let beyond = line(&[&EXTEND, &primary, &["--expires", "2099-12-31"]]);
        let made = done(&place, &beyond);
        assert_eq!(made["changes"].as_array().unwrap().len(), 2);
        assert_eq!(made["changes"][1]["before"], "2095-01-01T00:00:00Z");
        let shown = done(&place, &["cert", "show", "--key", "packages"]);
        for key in [0, 1] {
            assert_eq!(shown["keys"][key]["expires"], "2099-12-31T00:00:00Z");
        }
        place.admin(&["config", "check"]).done();
        if version.is_empty() {
            let gpg = Gpg::with(&place.path("packages.pgp"));
            assert_eq!(gpg.listed("sub")[0][1..], ["4102358400", "s"]);
            assert_eq!(gpg.listed("pub")[0][1..], ["4102358400", "cSC"]);
        }
        // A shorter life is that of the subkey only.
        let sooner = line(&[&EXTEND, &primary, &["--expires", "2091-01-01"]]);
        let made = done(&place, &sooner);
        assert_eq!(made["changes"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn what_has_expired_comes_back() {
    let place = Place::new();
    place.admin(&KEY).done();
    place.certify(&["--expires", "1s"]);
    crate::wait_for(|| (place.admin(&["config", "check"]).status == 78).then_some(()));
    place
        .admin(&line(&[&EXTEND, &["--expires", "1year"]]))
        .done();
    place.admin(&["config", "check"]).done();
}

#[test]
fn refuses_to_extend_what_it_cannot() {
    let place = Place::new();
    place.admin(&KEY).done();
    place
        .admin(&line(&[&EXTEND, &["--expires", "1year"]]))
        .refused(74);
    place.certify(&[]);
    for when in ["2001-01-01", "soon", ""] {
        place
            .admin(&line(&[&EXTEND, &["--expires", when]]))
            .refused(64);
    }
    let other = ["--subkey", "913219507E6A22F67A57897356BD7F5CA1C54BAC"];
    let unknown = line(&[&EXTEND, &["--expires", "1year"], &other]);
    assert!(place.admin(&unknown).refused(64).contains("no such subkey"));
    let primary = place.primary(&[]);
    let primary = [primary[0].as_str(), primary[1].as_str()];
    let text = place
        .admin(&line(&[&EXTEND, &["--expires", "1year"], &primary]))
        .refused(65);
    assert!(
        text.contains("and the certificate's primary key is"),
        "{text}"
    );
}
