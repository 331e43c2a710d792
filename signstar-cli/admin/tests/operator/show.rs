//! `cert show`

use crate::place::Place;
use crate::{KEY, json, wait_for};

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
