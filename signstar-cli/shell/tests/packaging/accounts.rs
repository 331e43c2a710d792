//! sysusers.d and tmpfiles.d, applied to a root folder.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::place::{run, text, Place};

const PASSWD: &str = "etc/passwd";
const GROUP: &str = "etc/group";

#[test]
fn the_account_has_the_login_shell_and_is_a_member_of_the_group_for_devices() {
    let place = Place::new();
    let [user, group] =
        [(PASSWD, "signer"), (GROUP, "signer")].map(|(file, name)| place.number(file, name));
    let passwd = fs::read_to_string(place.path(PASSWD)).unwrap();
    let account = format!("signer:x:{user}:{group}:Signs packages:/:/usr/bin/signstar");
    assert_eq!(passwd.lines().collect::<Vec<_>>(), [account]);
    let groups = fs::read_to_string(place.path(GROUP)).unwrap();
    let devices = place.number(GROUP, "signstar");
    assert!(
        groups.contains(&format!("signstar:x:{devices}:signer\n")),
        "{groups}"
    );
    assert_ne!(devices, group);
    // No password fits.
    let shadow = fs::read_to_string(place.path("etc/shadow")).unwrap();
    assert!(shadow.starts_with("signer:!*:"), "{shadow}");
}

#[test]
fn the_folders_of_a_running_system_have_the_documented_owners_and_modes() {
    let place = Place::new();
    place.put(
        "usr/lib/tmpfiles.d/signstar.conf",
        &text("tmpfiles.d/signstar.conf"),
    );
    place.put("tmp/sshauth.left-behind", "");
    let mut tmpfiles = place.program("systemd-tmpfiles");
    run(tmpfiles.args(["--boot", "--remove", "--create", "signstar.conf"]));
    let signers = place.number(GROUP, "signer");
    for (path, group, mode) in [
        ("run/signstar", 0, 0o40755),
        ("run/signstar/sessions", 0, 0o40755),
        ("run/signstar/sessions/signer", signers, 0o100_660),
    ] {
        let found = fs::metadata(place.path(path)).unwrap();
        assert_eq!(
            (found.uid(), found.gid(), found.mode()),
            (0, group, mode),
            "{path}"
        );
    }
    assert!(!place.path("tmp/sshauth.left-behind").exists());

    // A running system keeps what its sessions need.
    place.put("tmp/sshauth.in-use", "");
    run(place
        .program("systemd-tmpfiles")
        .args(["--remove", "--create", "signstar.conf"]));
    assert!(place.path("tmp/sshauth.in-use").exists());
}

/// The documentation shows the same lines.
#[test]
fn the_lines_of_the_documentation_are_those_of_the_file() {
    let documented = include_str!("../../../../docs/sshd.md");
    let file = text("tmpfiles.d/signstar.conf");
    for line in [
        "d /run/signstar/sessions 0755 root root -",
        "f /run/signstar/sessions/signer 0660 root signer -",
    ] {
        assert!(documented.lines().any(|shown| shown == line), "{line}");
        assert!(file.lines().any(|shown| shown == line), "{line}");
    }
}
