//! The units, read by systemd-analyze, and what the one for credentials does.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use crate::place::{packaging, run, text, Place};

const SERVICE: &str = "systemd/signstar-credential@.service";
const INSTANCE: &str = "signstar-credential@packages.pin.service";
const DROP_IN: &str = "systemd/pcscd.socket.d/signstar.conf";

/// What systemd-analyze has to say about a unit, with ours in `place` before the machine's.
fn verify(place: &Place, unit: &str) -> String {
    let mut command = Command::new("systemd-analyze");
    // The colon at the end stands for the usual folders.
    let units = format!("{}:", place.path("units").display());
    command
        .args(["verify", "--man=no", unit])
        .env("SYSTEMD_UNIT_PATH", units);
    let output = command
        .output()
        .expect("systemd-analyze starts (package systemd)");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn systemd_takes_the_units() {
    let place = Place::new();
    for file in [SERVICE, DROP_IN] {
        place.put(&file.replace("systemd/", "units/"), &text(file));
    }
    assert_eq!(verify(&place, INSTANCE), "");
    assert_eq!(verify(&place, "pcscd.socket"), "");

    let planted = [
        (SERVICE, "UMask=", "Umask=", INSTANCE),
        (DROP_IN, "0660", "staff", "pcscd.socket"),
    ];
    for (file, right, wrong, unit) in planted {
        let changed = text(file).replace(right, wrong);
        place.put(&file.replace("systemd/", "units/"), &changed);
        assert_ne!(verify(&place, unit), "", "{file}: {wrong}");
    }
}

/// A score of under 2.0, as systemd counts.
#[test]
fn the_unit_for_credentials_is_closed() {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=yes", "--threshold=20"]);
    let file = packaging().join(SERVICE);
    run(command.arg(&file));
    // The threshold counts.
    let place = Place::new();
    place.put("open.service", "[Service]\nExecStart=/bin/true\n");
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=yes", "--threshold=20"]);
    let open = command.arg(place.path("open.service")).output().unwrap();
    assert!(!open.status.success());
}

/// The line of a setting, with what systemd puts in.
fn line(setting: &str) -> String {
    let unit = text(SERVICE);
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix(setting))
        .unwrap();
    line.replace("%i", "packages.pin")
        .replace("%d", "/run/credentials")
}

#[test]
fn a_credential_is_roots_and_the_accounts_may_read_it() {
    let place = Place::new();
    place.put("run/signstar/packages.pin", "an old one");
    place.put("run/credentials/packages.pin", "123456");
    let script = |line: &str| {
        format!("mount --bind \"$1/etc/group\" /etc/group\nmount --bind \"$1/run\" /run\n{line}\n")
    };
    place.script(&script(&line("ExecStart=")));
    let written = place.path("run/signstar/packages.pin");
    assert_eq!(fs::read_to_string(&written).unwrap(), "123456");
    let found = fs::metadata(&written).unwrap();
    let signers = place.number("etc/group", "signer");
    assert_eq!(
        (found.uid(), found.gid(), found.mode()),
        (0, signers, 0o100_440)
    );
    place.script(&script(&line("ExecStop=")));
    assert!(!written.exists());
}

#[test]
fn only_the_group_for_devices_may_talk_to_pcscd() {
    let drop_in = text(DROP_IN);
    for line in ["SocketUser=root", "SocketGroup=signstar", "SocketMode=0660"] {
        assert!(drop_in.lines().any(|shown| shown == line), "{line}");
    }
}
