//! What a session with a key of two halves takes, whose verification is the largest of all.

use std::fs;
use std::io::{pipe, Read, Write};

use crate::scene::composite_world;
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
