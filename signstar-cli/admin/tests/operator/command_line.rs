//! What is refused before anything is done.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::place::{End, Place};
use crate::{KEY, PASSPHRASE};

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
