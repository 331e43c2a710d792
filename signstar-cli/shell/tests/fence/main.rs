//! The profile for AppArmor, compared with what the login shell and its helpers do: every file that
//! they open, every program that they start and every socket that they connect to is allowed by it.
//!
//! There is no kernel with AppArmor here. AppArmor's parser puts the profile together, includes and all,
//! and `profile` reads what it says; strace says what a session does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "this is a test"
)]

#[path = "../support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

mod glob;
mod profile;
#[path = "../pkcs11/scene.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod scene;
mod session;

use std::path::Path;

use signstar_core::KeyKind;
use signstar_testkit::token::Software;

use crate::profile::Profile;
use crate::session::{accesses, Access};
use crate::support::built::Build;
use crate::support::{artifacts, Configuration, SigningKey, World};

/// Where records of the tests are, and where the documentation has them.
const RECORDS: [&str; 2] = ["/run/signstar/audit.log", "/var/log/signstar/audit.log"];

/// What the profile does not allow of what happened.
fn denied(profile: &Profile, accesses: &[Access]) -> Vec<String> {
    let wanted = accesses.iter().map(|access| {
        let path = access.path.replace(RECORDS[0], RECORDS[1]);
        // The place where an operator's own tokens are; the tests have theirs elsewhere.
        let path = path.replace(scene::TOKENS, "/var/lib/signstar/tokens");
        (path, &access.rights)
    });
    let denied = wanted.filter(|(path, rights)| !profile.allows(path, rights));
    denied
        .map(|(path, rights)| format!("{path} {rights}"))
        .collect()
}

/// Asserts that a session was seen with `expected` in it, and that all of it is allowed.
#[track_caller]
fn assert_allowed(what: &str, accesses: &[Access], expected: &[(&str, &str)]) {
    for (path, rights) in expected {
        let is_it = |access: &&Access| access.path == *path && access.rights == *rights;
        assert!(
            accesses.iter().any(|access| is_it(&access)),
            "{what}: {path} {rights} was not seen: {accesses:#?}"
        );
    }
    let denied = denied(&Profile::shipped(), accesses);
    assert!(denied.is_empty(), "{what}: {denied:#?}");
}

/// What every process looks at before it confines itself.
const HARDEN: [(&str, &str); 2] = [("/proc/7/fd/", "r"), ("/proc/7/task/", "r")];

#[test]
fn a_session_with_a_key_in_a_file_and_an_inspector_is_allowed() {
    let world = World::configured(&Configuration::new().input("pacman-package"));
    let package = std::fs::read(artifacts::package(&world)).unwrap();
    let accesses = accesses(&world, &package);
    let expected = [
        ("/etc/passwd", "r"),
        ("/etc/signstar/signstar.toml", "r"),
        (signstar::inspection::INSPECTOR, "x"),
    ];
    assert_allowed("inspected", &accesses, &[&HARDEN[..], &expected].concat());
    // Shell and inspector have both looked.
    let looked = accesses.iter().filter(|access| access.path == HARDEN[1].0);
    assert!(looked.count() >= 2, "{accesses:#?}");

    // The same with a profile that lacks a line: the test would see it.
    for line in [
        "@{PROC}/@{pid}/task/ r,",
        "/usr/lib/signstar/signstar-inspector mrix,",
    ] {
        let profile = Profile::of(&profile::text().replace(line, ""));
        assert!(!denied(&profile, &accesses).is_empty(), "{line}");
    }
}

#[test]
fn a_session_with_a_key_on_a_token_is_allowed() {
    let world = scene::world(Software::SoftHsm, "ed25519");
    let accesses = accesses(&world, b"artifact");
    let module = std::fs::canonicalize(Software::SoftHsm.module()).unwrap();
    let expected = [
        ("/usr/lib/signstar/signstar-pkcs11-worker", "x"),
        (scene::PIN_FILE, "r"),
        (module.to_str().unwrap(), "r"),
    ];
    assert_allowed("token", &accesses, &[&HARDEN[..], &expected].concat());
}

/// The build for cards and TPMs, whose libraries are looked up and read.
#[test]
fn a_session_of_the_build_for_devices_is_allowed() {
    let key = SigningKey::new(KeyKind::Ed25519);
    let world = World::of(Build::Devices, &Configuration::new(), key);
    let accesses = accesses(&world, b"artifact");
    let expected = [("/etc/ld.so.cache", "r"), ("/etc/passwd", "r")];
    assert_allowed("devices", &accesses, &[&HARDEN[..], &expected].concat());
}

/// What depends on the configuration: the sinks of the documentation, and devices.
#[test]
fn every_sink_of_the_documentation_is_allowed() {
    let profile = Profile::shipped();
    let configuration = include_str!("../../../../docs/configuration.md");
    let audit = include_str!("../../../../docs/audit.md");
    let pages = [configuration, audit].join("\n");
    let parts = pages
        .split("socket =")
        .flat_map(|part| part.split("socket="));
    let quoted = parts.filter_map(|rest| {
        let value = rest.trim_start();
        value.strip_prefix('"')?.split('"').next()
    });
    let mut sockets: Vec<&str> = quoted.collect();
    // Both pages name the one of rsyslogd, and name it alike.
    let of_rsyslogd = |socket: &&&str| **socket == "/run/rsyslog/signstar.sock";
    assert!(
        sockets.iter().filter(of_rsyslogd).count() >= 3,
        "{sockets:?}"
    );
    sockets.push("/dev/log");
    for socket in sockets {
        assert!(profile.allows(socket, "w"), "{socket}");
    }
    for (path, rights) in [
        (RECORDS[1], "rw"),
        ("/run/signstar/sessions/signer", "rwk"),
        ("/run/signstar/packages.pin", "r"),
        ("/dev/tpmrm0", "rw"),
        ("/run/pcscd/pcscd.comm", "rw"),
    ] {
        assert!(profile.allows(path, rights), "{path} {rights}");
    }
    for (path, rights) in [
        ("/etc/shadow", "r"),
        ("/etc/signstar/signstar.toml", "w"),
        ("/usr/bin/bash", "x"),
        ("/srv/secret", "r"),
    ] {
        assert!(!profile.allows(path, rights), "{path} {rights}");
    }
}

/// Helpers start under no_new_privs, where a profile of their own would keep them from starting at all.
#[test]
fn no_program_changes_the_profile() {
    let text = profile::text();
    for line in text.lines().map(str::trim) {
        let is_rule = Path::new(line).is_absolute() && line.ends_with(',');
        assert!(!is_rule || !line.contains("->"), "{line}");
        let rights = line.split_whitespace().last().unwrap_or_default();
        if is_rule && rights.contains('x') {
            assert!(rights.ends_with("ix,"), "{line}");
        }
    }
}
