//! What a session takes, with TLS and the largest key.

use std::fs;
use std::io::{pipe, Read, Write};

use crate::scene::{Scene, INPUT};
use crate::support::until;

const PEAK_KIB_MAX: u64 = 16 << 10;
/// Pipes have this room unless told otherwise.
const PIPE_BYTES: usize = 64 << 10;

/// The pipe to the caller is full, so the login shell stands still once it has verified the signature.
#[test]
fn a_signature_takes_16_mebibytes_of_memory_at_most() {
    for (what, scene) in [
        ("rsa4096", Scene::with("rsa4096")),
        ("three devices", Scene::replicas(3)),
    ] {
        let (mut reader, mut writer) = pipe().unwrap();
        writer.write_all(&[0; PIPE_BYTES]).unwrap();
        let mut running = scene.world.shell().stdout(writer).start();
        running.send(INPUT);
        let of = |name: &str| {
            let path = format!("/proc/{}/{name}", running.id());
            fs::read_to_string(path).unwrap_or_default()
        };
        until("the release is recorded", || scene.world.audit().len() == 2);
        let status = of("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = line.unwrap().trim().trim_end_matches(" kB");
        let peak: u64 = peak.parse().unwrap();
        let mut delivered = Vec::new();
        reader.read_to_end(&mut delivered).unwrap();
        assert_eq!(running.outcome().code(), 0);
        assert!((1..=PEAK_KIB_MAX).contains(&peak), "{what}: {peak} KiB");
        println!("{what}: {peak} KiB at most");
    }
}
