//! What a session with a key of two halves takes, whose verification is the largest of all; and what of the
//! worker's memory is locked.

use std::fs;
use std::io::{pipe, Read, Write};

use nix::sys::resource::{getrlimit, Resource};
use signstar_testkit::token::Software;

use crate::faults::waits;
use crate::scene::{composite_world, world};
use crate::support::until;
use crate::support::verifiers::library_takes;

const ARTIFACT: &[u8] = b"ARTIFACT\n";
const PEAK_KIB_MAX: u64 = 16 << 10;
/// Pipes have this room unless told otherwise.
const PIPE_BYTES: usize = 64 << 10;

/// The pipe to the caller is full, so the login shell stands still once it has verified the signature.
#[test]
fn a_composite_signature_takes_16_mebibytes_of_memory_at_most() {
    let world = composite_world();
    let (mut reader, mut writer) = pipe().unwrap();
    writer.write_all(&[0; PIPE_BYTES]).unwrap();
    let mut running = world.shell().stdout(writer).start();
    running.send(ARTIFACT);
    let of = |name: &str| {
        let path = format!("/proc/{}/{name}", running.id());
        fs::read_to_string(path).unwrap_or_default()
    };
    // Recorded after it was verified, before it is delivered.
    until("the release is recorded", || world.audit().len() == 2);
    let status = of("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.unwrap().trim().trim_end_matches(" kB");
    let peak: u64 = peak.parse().unwrap();
    let mut delivered = Vec::new();
    reader.read_to_end(&mut delivered).unwrap();
    assert_eq!(running.outcome().code(), 0);
    let path = world.path("/tmp/artifact");
    fs::write(&path, ARTIFACT).unwrap();
    assert!(library_takes(&world.key, &delivered[PIPE_BYTES..], &path));
    assert!((1..=PEAK_KIB_MAX).contains(&peak), "{peak} KiB");
    println!("a composite signature: {peak} KiB at most");
}

/// The processes whose parent is `process`.
fn children(process: u32) -> Vec<u32> {
    let task = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(task).unwrap();
    text.split_ascii_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}

/// Under the limit that accounts have, and without a capability.
#[test]
fn the_worker_of_an_ordinary_account_locks_memory_while_the_upload_lasts() {
    let (_, limit) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
    assert!(limit <= 8 << 20, "{limit}: this test wants the usual limit");
    for software in [Software::SoftHsm, Software::Kryoptic] {
        let world = world(software, "p256");
        let mut running = world.shell().start();
        until("it waits for input", || waits(running.id()));
        let children = children(running.id());
        assert_eq!(children.len(), 1, "the worker");
        let status = fs::read_to_string(format!("/proc/{}/status", children[0])).unwrap();
        let line = |name: &str| {
            let found = status.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap().trim().to_owned()
        };
        assert_eq!(line("CapEff:"), "0000000000000000");
        let locked: u64 = line("VmLck:").trim_end_matches(" kB").parse().unwrap();
        assert!(locked > 0, "{status}");
        println!("{software:?}: the worker has locked {locked} KiB");
        running.send(ARTIFACT);
        assert_eq!(running.outcome().code(), 0);
    }
}
