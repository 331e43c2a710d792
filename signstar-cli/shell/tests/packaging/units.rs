//! The units, read by systemd-analyze, and what the one for credentials does.

use std::fs;
use std::os::unix::fs::{symlink, MetadataExt};
use std::process::Command;

use crate::place::{packaging, run, text, Place};

const SERVICE: &str = "systemd/signstar-credential@.service";
const INSTANCE: &str = "signstar-credential@packages.pin.service";
const DROP_IN: &str = "systemd/pcscd.socket.d/signstar.conf";

/// The sshd for the accounts that sign.
const SSHD: [&str; 4] = [
    "systemd/signstar-hostkey.service",
    "systemd/signstar-sshd.socket",
    "systemd/signstar-sshd@.service",
    "systemd/signstar.slice",
];
const CONNECTION: &str = "signstar-sshd@1.service";

/// Examples, and the units that each belongs to.
const EXAMPLES: [(&str, &str); 4] = [
    (
        "systemd/examples/signstar-sshd-addresses.conf",
        "signstar-sshd.socket",
    ),
    (
        "systemd/examples/signstar-sshd-devices.conf",
        "signstar-sshd@.service",
    ),
    (
        "systemd/examples/signstar-sshd-network.conf",
        "signstar-sshd@.service",
    ),
    (
        "systemd/examples/signstar-sshd-token.conf",
        "signstar-sshd@.service",
    ),
];

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
    for file in [SERVICE, DROP_IN].iter().chain(&SSHD) {
        place.put(&file.replace("systemd/", "units/"), &text(file));
    }
    for (file, unit) in EXAMPLES {
        let folder = format!("units/{unit}.d/example.conf");
        place.put(&folder, &text(file));
    }
    let units = [INSTANCE, "pcscd.socket", CONNECTION, "signstar-sshd.socket"];
    for unit in units
        .into_iter()
        .chain(["signstar-hostkey.service", "signstar.slice"])
    {
        assert_eq!(verify(&place, unit), "", "{unit}");
    }

    let planted = [
        (SERVICE, "UMask=", "Umask=", INSTANCE),
        (DROP_IN, "0660", "staff", "pcscd.socket"),
        (
            SSHD[1],
            "Accept=yes",
            "Accept=always",
            "signstar-sshd.socket",
        ),
        (SSHD[2], "seccomp", "secomp", CONNECTION),
        (SSHD[3], "1536M", "1536 apples", "signstar.slice"),
    ];
    for (file, right, wrong, unit) in planted {
        let changed = text(file).replace(right, wrong);
        place.put(&file.replace("systemd/", "units/"), &changed);
        assert_ne!(verify(&place, unit), "", "{file}: {wrong}");
    }
}

/// A machine whose operator has enabled the port and a credential: what starts when it boots.
fn enabled() -> Place {
    let place = Place::new();
    for file in [SERVICE].iter().chain(&SSHD) {
        place.put(&file.replace("systemd/", "units/"), &text(file));
    }
    for (target, unit, enabled) in [
        (
            "sockets.target",
            "signstar-sshd.socket",
            "signstar-sshd.socket",
        ),
        (
            "multi-user.target",
            "signstar-credential@.service",
            INSTANCE,
        ),
    ] {
        assert!(text(&format!("systemd/{unit}")).contains(&format!("WantedBy={target}\n")));
        let wants = place.path(&format!("units/{target}.wants"));
        fs::create_dir_all(&wants).unwrap();
        symlink(format!("../{unit}"), wants.join(enabled)).unwrap();
    }
    place
}

/// What systemd has to say about a boot with our units: of cycles, which it breaks by leaving out what
/// it likes, and of whatever else is ours. A unit by itself shows no cycle.
fn of_a_boot(place: &Place) -> String {
    let said = ["default.target", "multi-user.target"].map(|target| verify(place, target));
    let said = said.concat();
    let ours = said
        .lines()
        .filter(|line| line.contains("ordering cycle") || line.contains("signstar"));
    ours.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_boot_opens_the_port_after_host_key_and_credentials() {
    assert_eq!(of_a_boot(&enabled()), "");
    for file in [SERVICE, SSHD[0]] {
        let unit = text(file);
        let before = unit.lines().find(|line| line.starts_with("Before="));
        assert!(before.unwrap().contains("signstar-sshd.socket"), "{file}");
        // With the order that services have by default it cannot be before a port.
        let place = enabled();
        let changed = unit.replace("DefaultDependencies=no\n", "");
        place.put(&file.replace("systemd/", "units/"), &changed);
        assert!(of_a_boot(&place).contains("ordering cycle"), "{file}");
    }
}

/// A score of under 2.0, as systemd counts.
#[test]
fn the_services_are_closed() {
    for file in [SERVICE, SSHD[0], SSHD[2]] {
        let mut command = Command::new("systemd-analyze");
        command.args(["security", "--offline=yes", "--threshold=20"]);
        run(command.arg(packaging().join(file)));
    }
    // The threshold counts.
    let place = Place::new();
    place.put("open.service", "[Service]\nExecStart=/bin/true\n");
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=yes", "--threshold=20"]);
    let open = command.arg(place.path("open.service")).output().unwrap();
    assert!(!open.status.success());
}

/// The README says how closed, and what stays open.
#[test]
fn the_score_of_the_documentation_is_that_of_systemd() {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=yes", "--no-pager"]);
    let said = run(command.arg(packaging().join(SSHD[2])));
    let line = said
        .lines()
        .find(|line| line.contains("Overall exposure level"));
    let score = line.unwrap().split(": ").nth(1).unwrap();
    let score = score.split(' ').next().unwrap();
    assert!(
        text("README.md").contains(&format!("**{score}**")),
        "{score}"
    );
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
