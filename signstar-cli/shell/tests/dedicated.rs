//! The sshd that is shipped for the accounts that sign: its configuration as it is, started as its
//! unit starts it. There is no systemd to run the unit, so what the unit takes away is taken away by
//! other programs, from the unit's own lines: privileges, network, what can be written.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

#[path = "support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use signstar_core::{Event, Field};
use support::sshd::keygen;
use support::verifiers::all_take;
use support::{until, Sshd, World};

const CONFIG: &str = include_str!("../../../packaging/sshd/sshd_config");
const AUTHORITY: &str = include_str!("../../../packaging/sshd/authority.conf");
const UNIT: &str = include_str!("../../../packaging/systemd/signstar-sshd@.service");

/// Takes away what the unit takes away, and becomes what comes behind. `$0` has the capabilities.
const ENCLOSE: &str = r#"
mount -t tmpfs -o mode=1777 tmpfs /tmp
for place in / /etc /etc/signstar /etc/ssh/authorized_keys /usr/bin /usr/lib /home /var/tmp; do
    mount -o remount,bind,ro "$place"
done
exec setpriv --no-new-privs --bounding-set "$0" --inh-caps "-all" "$@"
"#;

/// The values of a setting of the unit, in their order.
fn settings(name: &str) -> Vec<&'static str> {
    let lines = UNIT.lines().filter_map(|line| line.strip_prefix(name));
    lines.filter_map(|line| line.strip_prefix('=')).collect()
}

/// What the unit starts.
fn program() -> Vec<&'static str> {
    let [line] = settings("ExecStart")[..] else {
        panic!("several commands");
    };
    line.trim_start_matches('-').split(' ').collect()
}

/// A world with the shipped configuration, and its host key.
fn world() -> World {
    let world = World::new();
    let host_key = world.path("/client/host");
    keygen(&host_key, &[]);
    let key = fs::read(&host_key).unwrap();
    world.write("/etc/signstar/ssh_host_ed25519_key", key, (0, 0), 0o600);
    world.write("/etc/signstar/sshd_config", CONFIG, (0, 0), 0o644);
    world
}

/// Starts the shipped sshd as its unit does; `inside` stands before sshd.
fn start<'w>(world: &'w World, inside: &[&str]) -> Sshd<'w> {
    for setting in ["NoNewPrivileges", "PrivateNetwork", "PrivateTmp"] {
        assert_eq!(settings(setting), ["yes"]);
    }
    assert_eq!(settings("ProtectSystem"), ["strict"]);
    let [capabilities] = settings("CapabilityBoundingSet")[..] else {
        panic!("several sets");
    };
    let bounding = capabilities
        .split(' ')
        .fold("-all".to_owned(), |set, name| {
            set + ",+" + &name.strip_prefix("CAP_").unwrap().to_lowercase()
        });
    let unshare = ["unshare", "--mount", "--net", "--propagation", "private"];
    let enclosed = ["sh", "-eu", "-c", ENCLOSE, &bounding];
    let program = program();
    Sshd::by_connection(world, &[&unshare[..], &enclosed, inside, &program].concat())
}

#[test]
fn it_signs_with_what_its_unit_leaves_it() {
    let world = world();
    let sshd = start(&world, &[]);
    let client = sshd.client();
    let signature = client.sign(b"artifact").success();
    let artifact = client.path("artifact");
    fs::write(&artifact, "artifact").unwrap();
    all_take(&world.key, &signature, &artifact);
    let events: Vec<Event> = world.audit().iter().map(|record| record.event).collect();
    assert_eq!(events, [Event::Intent, Event::Release]);
    // From the connection, not from the network that sshd does not have.
    assert_eq!(world.audit()[0].get(Field::Address), Some("127.0.0.1"));
    // The log has who came, for the journal.
    until("sshd says who came", || {
        sshd.log().contains("Accepted publickey for signer")
    });
}

#[test]
fn others_and_other_wishes_are_turned_away() {
    let world = world();
    let sshd = start(&world, &[]);
    let client = sshd.client();
    // Its key would do.
    let refused = client.run(&mut client.ssh(&["control"]), b"artifact");
    assert_eq!(refused.status.code(), Some(255));
    for wish in [
        &["signer", "id"][..],
        &["-s", "signer", "sftp"],
        &["-tt", "signer"],
    ] {
        let refused = client.run(&mut client.ssh(wish), b"artifact");
        assert!(!refused.status.success(), "{wish:?}");
        assert!(!String::from_utf8_lossy(&refused.stdout).contains("uid="));
    }
    let events = world.audit().into_iter().map(|record| record.event);
    assert!(events
        .into_iter()
        .all(|event| event == Event::Refusal || event == Event::Intent));
    client.sign(b"artifact").success();
}

#[test]
fn certificates_of_the_shipped_recipe_sign_and_expired_ones_do_not() {
    let world = world();
    let folder = world.path("/etc/signstar/sshd_config.d");
    fs::create_dir(&folder).unwrap();
    world.write(
        "/etc/signstar/sshd_config.d/authority.conf",
        AUTHORITY,
        (0, 0),
        0o644,
    );
    // The commands of the recipe, in this world and without questions.
    let recipe: Vec<&str> = AUTHORITY
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .collect();
    assert_eq!(recipe.len(), 4);
    let run = |command: &str| {
        let mut shell = Command::new("sh");
        shell
            .args(["-eu", "-c", command])
            .current_dir(world.path("/client"));
        let outcome = world.run(&mut shell);
        assert!(outcome.status.success(), "{command}: {outcome:?}");
    };
    let sshd = start(&world, &[]);
    let client = sshd.client();
    fs::remove_file(world.path("/etc/ssh/authorized_keys/signer")).unwrap();
    assert!(!client.sign(b"artifact").status.success());
    for command in &recipe {
        // The world keeps the folders that are its own.
        let command = command.replace("-f authority", "-N '' -q -f authority");
        run(&command.replace("/etc/ssh/authorized_principals", "/etc/signstar/principals"));
    }
    let drop_in = AUTHORITY.replace("/etc/ssh/authorized_principals", "/etc/signstar/principals");
    world.write(
        "/etc/signstar/sshd_config.d/authority.conf",
        drop_in,
        (0, 0),
        0o644,
    );
    client.sign(b"artifact").success();
    let records = world.audit();
    for (field, value) in [
        (Field::SshCertificate, "builder-7"),
        (Field::SshSerial, "1"),
    ] {
        assert_eq!(records[0].get(field), Some(value));
    }
    for other in [
        recipe[3].replace("-V +8h", "-V 20200101:20200102"),
        recipe[3].replace("-n repository-tool", "-n signer"),
    ] {
        run(&other);
        assert!(!client.sign(b"artifact").status.success(), "{other}");
    }
}

/// The names in one of systemd's sets of system calls, those of sets in it included.
fn set(name: &str) -> BTreeSet<String> {
    let output = Command::new("systemd-analyze")
        .args(["syscall-filter", name])
        .output()
        .expect("systemd-analyze starts (package systemd)");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("    ")) {
        match line.strip_prefix('@') {
            Some(_) => names.extend(set(line)),
            None if line.starts_with('#') => {}
            None => {
                names.insert(line.to_owned());
            }
        }
    }
    assert!(!names.is_empty(), "{name}");
    names
}

/// What the unit's lines leave.
fn allowed() -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for line in settings("SystemCallFilter") {
        let (removes, names) = match line.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, line),
        };
        for name in names.split(' ') {
            let named = match name.starts_with('@') {
                true => set(name),
                false => BTreeSet::from([name.to_owned()]),
            };
            for call in named {
                match removes {
                    true => allowed.remove(&call),
                    false => allowed.insert(call),
                };
            }
        }
    }
    allowed
}

#[test]
fn every_call_of_a_session_is_one_that_its_unit_allows() {
    let world = world();
    let trace = world.path("/run/trace");
    let sshd = start(&world, &["strace", "-f", "-qq", "-A", "-o", "/run/trace"]);
    let client = sshd.client();
    client.sign(b"artifact").success();
    // One who has no key ends otherwise.
    let refused = client.run(&mut client.ssh(&["control"]), b"");
    assert!(!refused.status.success());
    let text = fs::read_to_string(&trace).unwrap();
    let call = |line: &str| {
        let line = line.split_once(' ')?.1.trim_start();
        let name = line.split_once('(')?.0;
        let plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
        (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
    };
    let called: BTreeSet<String> = text.lines().filter_map(call).collect();
    // It has seen sshd lock itself up, and the login shell confine itself.
    for expected in ["chroot", "seccomp", "landlock_restrict_self", "setresuid"] {
        assert!(called.contains(expected), "{expected}: {called:?}");
    }
    let allowed = allowed();
    let refused: Vec<&String> = called.difference(&allowed).collect();
    assert!(refused.is_empty(), "{refused:?}");
}
