//! Passphrase and secret key: searched for wherever they must not be, after a search that must
//! find them.

use std::fs;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use sequoia_openpgp::crypto::Password;
use sequoia_openpgp::Profile;
use signstar_core::{SecretKey, SecretMaterial};

use crate::process::waiting;
use crate::scene::{assert_signed, INPUT};
use crate::support::world::SIGNERS;
use crate::support::{Configuration, Running, SigningKey, World};

const PASSPHRASE: &str = "Tr0ub4dor-and-3-horses";

fn world() -> World {
    let builder = SigningKey::builder()
        .set_profile(Profile::RFC4880)
        .unwrap()
        .set_password(Some(Password::from(PASSPHRASE)));
    let configuration = Configuration::new();
    let world = World::with(&configuration, SigningKey::build(builder));
    let file = "/etc/signstar/passphrase";
    world.write(file, PASSPHRASE, (0, SIGNERS), 0o440);
    let text = configuration.text() + &format!("passphrase = \"{file}\"\n");
    world.write("/etc/signstar/signstar.toml", text, (0, 0), 0o644);
    world
}

fn seed(world: &World) -> Vec<u8> {
    let key = &world.key;
    let secret = SecretKey::parse(&key.secret, &key.fingerprint, Some(PASSPHRASE.as_bytes()));
    let secret = secret.unwrap();
    let SecretMaterial::Ed25519(seed) = secret.material() else {
        panic!("another kind of key");
    };
    seed.to_vec()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All memory of a process that root can read.
fn memory(running: &Running) -> Vec<u8> {
    let folder = format!("/proc/{}", running.id());
    let maps = fs::read_to_string(format!("{folder}/maps")).unwrap();
    let file = fs::File::open(format!("{folder}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let mut part = vec![0; usize::try_from(number(end) - number(start)).unwrap()];
        if file.read_exact_at(&mut part, number(start)).is_ok() {
            all.extend(part);
        }
    }
    all
}

#[test]
fn secrets_are_found_in_no_place_that_others_see() {
    let world = world();
    let seed = seed(&world);
    let mut running = waiting(&world);
    // Positive control: the search finds the key where it must be, in the process' own memory,
    // and the passphrase in its file.
    assert!(contains(&memory(&running), &seed));
    let file = fs::read(world.path("/etc/signstar/passphrase")).unwrap();
    assert!(contains(&file, PASSPHRASE.as_bytes()));

    let mut seen = Vec::new();
    for file in ["environ", "cmdline", "status", "comm", "maps"] {
        seen.extend(fs::read(format!("/proc/{}/{file}", running.id())).unwrap());
    }
    assert!(contains(&seen, b"/usr/bin/signstar"));
    running.send(INPUT);
    let outcome = running.outcome();
    assert_signed(&outcome);
    seen.extend(&outcome.stdout);
    seen.extend(outcome.stderr.as_bytes());
    world.write(
        "/etc/signstar/passphrase",
        "Tr0ub4dor-and-3-horse",
        (0, SIGNERS),
        0o440,
    );
    let refused = world.shell().run(INPUT);
    assert_ne!(refused.code(), 0);
    seen.extend(refused.stderr.as_bytes());
    for line in world.audit_lines() {
        seen.extend(line.as_bytes());
    }
    assert!(contains(&seen, b"credential"));
    for secret in [
        seed.clone(),
        seed.iter().rev().copied().collect(),
        hex(&seed).into_bytes(),
        hex(&seed).to_uppercase().into_bytes(),
        PASSPHRASE.as_bytes().to_vec(),
        b"Tr0ub4dor-and".to_vec(),
    ] {
        assert!(!contains(&seen, &secret));
    }
}

#[test]
fn the_passphrase_is_no_longer_in_memory_when_input_is_read() {
    let world = world();
    let running = waiting(&world);
    let memory = memory(&running);
    assert!(contains(&memory, &seed(&world)), "the search finds nothing");
    assert!(!contains(&memory, PASSPHRASE.as_bytes()));
}

#[test]
fn a_signal_that_dumps_core_leaves_none() {
    let world = world();
    // The runtime catches SIGSEGV to tell a stack overflow, and the filter ends it there.
    for (signal, end) in [
        (Signal::SIGQUIT, Signal::SIGQUIT),
        (Signal::SIGSEGV, Signal::SIGSYS),
        (Signal::SIGABRT, Signal::SIGABRT),
        (Signal::SIGSYS, Signal::SIGSYS),
    ] {
        let mut running = waiting(&world);
        let before = fs::read_dir(world.any_path("/")).unwrap().count();
        kill(Pid::from_raw(running.id().try_into().unwrap()), signal).unwrap();
        let status = running.wait();
        assert_eq!(status.signal(), Some(end as i32));
        assert!(!status.core_dumped());
        assert_eq!(fs::read_dir(world.any_path("/")).unwrap().count(), before);
    }
}
