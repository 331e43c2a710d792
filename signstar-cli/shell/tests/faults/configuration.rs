//! Configurations that are not there, not trusted or wrong: no input is read, nothing is recorded
//! because no sink is known, and the caller learns nothing of what stands in the file.

use std::fs;
use std::os::unix::fs::symlink;

use signstar_core::{Field, Refusal};

use crate::scene::{assert_refused, assert_refused_and_recorded, assert_signed, run_unread, INPUT};
use crate::support::world::{give, SIGNER, SIGNERS};
use crate::support::{Configuration, World};

const FILE: &str = "/etc/signstar/signstar.toml";

#[track_caller]
fn assert_unusable(world: &World) {
    assert_refused(&run_unread(world.shell()), Refusal::Configuration);
    assert_eq!(world.audit_lines(), [""; 0]);
}

fn good() -> String {
    Configuration::new().text()
}

#[test]
fn signs_with_the_configuration_that_the_other_tests_spoil() {
    let world = World::new();
    assert_signed(&world.shell().run(INPUT));
}

#[test]
fn refuses_a_configuration_that_others_can_change() {
    let world = World::new();
    for (owner, mode) in [
        ((0, SIGNERS), 0o664),
        ((0, 0), 0o646),
        ((0, 0), 0o622),
        ((SIGNER.id, SIGNERS), 0o644),
        ((SIGNER.id, SIGNERS), 0o444),
    ] {
        world.write(FILE, good(), owner, mode);
        assert_unusable(&world);
    }
    world.write(FILE, good(), (0, SIGNERS), 0o640);
    assert_signed(&world.shell().run(INPUT));
}

#[test]
fn refuses_a_configuration_in_a_folder_that_others_can_change() {
    let world = World::new();
    let folder = world.path("/etc/signstar");
    for (owner, mode) in [
        ((0, SIGNERS), 0o775),
        ((0, 0), 0o777),
        ((SIGNER.id, SIGNERS), 0o755),
    ] {
        give(&folder, owner, mode);
        assert_unusable(&world);
    }
    give(&folder, (0, 0), 0o755);
    assert_signed(&world.shell().run(INPUT));
}

#[test]
fn refuses_a_configuration_that_is_missing_unreadable_or_no_file() {
    let world = World::new();
    let path = world.path(FILE);
    world.write(FILE, good(), (0, 0), 0o600);
    assert_unusable(&world);
    fs::remove_file(&path).unwrap();
    assert_unusable(&world);

    world.write("/etc/signstar/other.toml", good(), (0, 0), 0o644);
    symlink("other.toml", &path).unwrap();
    assert_unusable(&world);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_unusable(&world);
    fs::remove_dir(&path).unwrap();
    // A pipe without a writer: waiting for one would never end.
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o644)).unwrap();
    give(&path, (0, 0), 0o644);
    assert_unusable(&world);
}

#[test]
fn refuses_a_configuration_that_is_huge_empty_or_no_text() {
    let world = World::new();
    let bytes_max = 256 * 1024;
    let padded = |length: usize| {
        let text = good();
        let comment = "#".repeat(length - text.len() - 1);
        format!("{text}{comment}\n").into_bytes()
    };
    let mut sparse = padded(bytes_max);
    sparse.resize(64 << 20, b'\n');
    for text in [
        Vec::new(),
        padded(bytes_max + 1),
        sparse,
        [good().as_bytes(), b"# \xff\n"].concat(),
        [b"\xff\xfe".as_slice(), good().as_bytes()].concat(),
        [good().as_bytes(), b"\0"].concat(),
        b"\x7fELF".to_vec(),
        good().into_bytes().split_off(20),
    ] {
        world.write(FILE, text, (0, 0), 0o644);
        assert_unusable(&world);
    }
    world.write(FILE, padded(bytes_max), (0, 0), 0o644);
    assert_signed(&world.shell().run(INPUT));
}

/// In the good text the first is replaced by the second.
const WRONG: &[(&str, &str)] = &[
    ("version = 1\n", ""),
    ("version = 1", "version = 2"),
    ("version = 1", "version = 0"),
    ("version = 1", "version = \"1\""),
    ("version = 1", "version = 1.0"),
    ("version = 1", "version = 1\nversion = 1"),
    ("version = 1", "version = 1\nunknown = true"),
    ("version = 1", "version = 1\nuser = 1"),
    ("[audit]", "[log]"),
    ("sink = \"file\"", "sink = \"none\""),
    ("sink = \"file\"", "sink = 1"),
    ("sink = \"file\"\n", ""),
    (
        "sink = \"file\"",
        "sink = \"file\"\ntimeout-milliseconds = 0",
    ),
    (
        "sink = \"file\"",
        "sink = \"file\"\ntimeout-milliseconds = 60001",
    ),
    (
        "sink = \"file\"",
        "sink = \"file\"\ntimeout-milliseconds = -1",
    ),
    ("sink = \"file\"", "sink = \"file\"\nunknown = 1"),
    ("path = \"/run/signstar/audit.log\"", ""),
    (
        "path = \"/run/signstar/audit.log\"",
        "path = \"run/audit.log\"",
    ),
    (
        "path = \"/run/signstar/audit.log\"",
        "path = \"/run/../audit.log\"",
    ),
    (
        "path = \"/run/signstar/audit.log\"",
        "path = \"/run/a\\u0000b\"",
    ),
    (
        "path = \"/run/signstar/audit.log\"",
        "path = [\"/run/signstar/audit.log\"]",
    ),
    ("audit.log\"", "audit.log\"\nbytes-max = 1048575"),
    ("audit.log\"", "audit.log\"\nsync = 1"),
    (
        "[audit.file]",
        "[audit.syslog]\nformat = \"rfc5424\"\n[audit.file]",
    ),
    (
        "[audit.file]",
        "[audit.syslog]\nformat = \"bsd\"\n[audit.file]",
    ),
    (
        "[audit.file]",
        "[audit.journald]\nsocket = \"here\"\n[audit.file]",
    ),
    ("[user.signer]", "[user.\"sig ner\"]"),
    ("[user.signer]", "[user.\"\"]"),
    (
        "[user.signer]\nkey = \"packages\"",
        "[user.signer]\nkey = \"absent\"",
    ),
    ("[user.signer]\nkey = \"packages\"", "[user.signer]"),
    ("[user.signer]", "[user.signer]\ndisabled = \"no\""),
    ("[user.signer]", "[user.signer]\ninput-bytes-max = 0"),
    (
        "[user.signer]",
        "[user.signer]\ninput-bytes-max = 9223372036854775808",
    ),
    ("[user.signer]", "[user.signer]\ninput-bytes-max = 1.5"),
    ("[user.signer]", "[user.signer]\ndeadline-seconds = 0"),
    ("[user.signer]", "[user.signer]\ndeadline-seconds = 86401"),
    ("[user.signer]", "[user.signer]\nprogress-seconds = 3601"),
    ("[user.signer]", "[user.signer]\nprogress-bytes = 0"),
    (
        "[user.signer]",
        "[user.signer]\nmemory-bytes-max = 16777215",
    ),
    ("[user.signer]", "[user.signer]\nsessions-max = 1025"),
    ("[user.signer]", "[user.signer]\nsessions-max = 0"),
    ("back-end = \"software\"", "back-end = \"hardware\""),
    ("back-end = \"software\"", "back-end = \"\""),
    ("back-end = \"software\"\n", ""),
    ("certificate = \"/etc/signstar/packages.pgp\"\n", ""),
    ("certificate = \"/", "certificate = \""),
    (
        "[key.packages.software]",
        "hash = \"sha1\"\n[key.packages.software]",
    ),
    (
        "[key.packages.software]",
        "hash = \"SHA512\"\n[key.packages.software]",
    ),
    (
        "[key.packages.software]",
        "device-seconds = 601\n[key.packages.software]",
    ),
    (
        "[key.packages.software]",
        "require-declared = 1\n[key.packages.software]",
    ),
    (
        "[key.packages.software]",
        "signing-key = 7\n[key.packages.software]",
    ),
    (
        "[key.packages.software]",
        "sandbox = false\n[key.packages.software]",
    ),
    ("[key.packages.software]", "[key.packages.hardware]"),
    ("secret-key = \"/etc/signstar/packages.secret.pgp\"", ""),
    (
        "packages.secret.pgp\"",
        "packages.secret.pgp\"\npassphrase = \"secret\"",
    ),
    (
        "packages.secret.pgp\"",
        "packages.secret.pgp\"\nunknown = \"x\"",
    ),
    ("packages.secret.pgp\"", "packages.secret.pgp"),
];

#[test]
fn refuses_every_kind_of_wrong_value() {
    let world = World::new();
    for (right, wrong) in WRONG {
        let text = good();
        assert!(text.contains(right), "{right}");
        world.write(FILE, text.replacen(right, wrong, 1), (0, 0), 0o644);
        let outcome = run_unread(world.shell());
        let said = assert_refused_quietly(&outcome);
        assert!(said, "{wrong}: {outcome:?}");
        assert_eq!(world.audit_lines(), [""; 0], "{wrong}");
    }
}

/// Like [`assert_refused`], for a loop that wants to name its case.
fn assert_refused_quietly(outcome: &crate::support::Outcome) -> bool {
    std::panic::catch_unwind(|| assert_refused(outcome, Refusal::Configuration)).is_ok()
}

#[test]
fn refuses_and_records_when_the_sessions_file_is_missing_or_no_file() {
    let world = World::new();
    let path = world.path("/run/signstar/sessions/signer");
    let refused = |why: &str| {
        let outcome = run_unread(world.shell());
        let record = assert_refused_and_recorded(&world, &outcome, Refusal::Configuration);
        let detail = record.get(Field::Detail).unwrap().to_owned();
        assert!(detail.contains(why), "{detail}");
    };
    give(&path, (0, 0), 0o600);
    refused("permission denied");
    fs::remove_file(&path).unwrap();
    refused("no such file");
    fs::create_dir(&path).unwrap();
    refused("is a directory");
    fs::remove_dir(&path).unwrap();
    symlink("second", &path).unwrap();
    refused("symbolic link");
}

#[test]
fn refuses_and_records_an_account_that_passwd_does_not_know_alone() {
    let world = World::new();
    let passwd = fs::read_to_string(world.any_path("/etc/passwd")).unwrap();
    let without: String = passwd
        .lines()
        .filter(|line| !line.starts_with("signer:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let twice = format!("{passwd}twin:x:{}:{SIGNERS}::/:/bin/sh\n", SIGNER.id);
    for text in [without, twice] {
        fs::write(world.path("/etc/passwd.new"), text).unwrap_or_else(|_| panic!("passwd"));
        world.run(std::process::Command::new("mount").args([
            "--bind",
            world.path("/etc/passwd.new").to_str().unwrap(),
            "/etc/passwd",
        ]));
        let outcome = run_unread(world.shell());
        assert_refused_and_recorded(&world, &outcome, Refusal::UserUnknown);
    }
}
