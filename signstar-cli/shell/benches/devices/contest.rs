//! The login shell and a bare loop in turns.

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use signstar_core::{Digest, HashAlgorithm, Hasher};

use crate::support::World;

/// The artifact.
const ARTIFACT: [u8; 1024] = [0x5a; 1024];

/// What is done beside the shell, by the device's library in this process.
pub(crate) struct Bare<'b> {
    /// Opens the device, looks for the key, authorises, signs: all that the shell has the device do.
    pub(crate) whole: &'b mut dyn FnMut(),
    /// A signature alone, with a device that is open.
    pub(crate) signature: &'b mut dyn FnMut(),
}

/// Prints `rounds` lines for what is called `name`, and runs one round before that to warm caches. To
/// be called inside the world.
pub(crate) fn in_turns(world: &World, name: &str, rounds: u32, bare: Bare<'_>) {
    for round in 0..=rounds {
        let shell = shell(world);
        let [whole, signature] = [&mut *bare.whole, bare.signature].map(|action| {
            let start = Instant::now();
            action();
            start.elapsed()
        });
        if round > 0 {
            let [shell, whole, signature] = [shell, whole, signature].map(|took| took.as_nanos());
            println!("{name} {shell} {whole} {signature}");
        }
    }
}

/// A digest as the shell has it, SHA-512.
pub(crate) fn digest() -> Digest {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, 1024);
    hasher.update(&ARTIFACT).expect("an artifact of that size");
    hasher.finish()
}

/// From before the start to after the end of the process.
fn shell(world: &World) -> Duration {
    let mut shell = world.shell();
    let command = shell.command();
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().expect("the login shell starts");
    let sent = child.stdin.take().expect("a pipe").write_all(&ARTIFACT);
    let mut signature = Vec::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_end(&mut signature).expect("its output");
    let status = child.wait().expect("its end");
    let took = start.elapsed();
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut said).expect("its complaints");
    assert!(status.success(), "{said}{:?}", world.audit_lines().pop());
    sent.expect("it reads its input");
    assert!(!signature.is_empty());
    took
}
