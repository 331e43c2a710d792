//! Signs at 65,536 successive seconds with a key of each class, has all signatures verified by two
//! other programs, and collects those whose numbers are unusual as vectors for the tests.
//!
//! `encoding_soak [check|write] [KEY…]`: `check` (as without an argument) compares with the
//! committed vectors; `write` replaces them and takes no keys.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test that takes long"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;
use std::time::Instant;

use signstar_core::SigningKey;
use signstar_testkit::encoding::{self, ARTIFACT, KEPT, KEYS, Vector};
use signstar_testkit::key::{SIGNING_SINCE, TestKey};
use signstar_testkit::verifier::Verifier;
use signstar_testkit::{assembly, packet};

/// Signatures of each key.
const COUNT: u64 = 65_536;

/// Signatures that are verified in one run of a program.
const BATCH: u64 = 2048;

/// What starts the file.
const HEADER: &str = "\
# Key, property, creation time, digest, numbers. Written by:
# cargo run --release -p signstar-software --example encoding_soak -- write
";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write"] => write(&KEYS),
        [] | ["check"] => check(&KEYS),
        ["check", ref keys @ ..] => check(keys),
        _ => panic!("usage: encoding_soak [check|write] [KEY…]"),
    }
}

fn check(keys: &[&str]) {
    let committed = encoding::vectors();
    for key in keys {
        let of_key = |vector: &&Vector| vector.key == *key;
        let committed: Vec<Vector> = committed.iter().filter(of_key).cloned().collect();
        assert_eq!(campaign(key), committed, "{key}: other vectors were found");
    }
}

fn write(keys: &[&str]) {
    let mut text = HEADER.to_owned();
    for vector in keys.iter().flat_map(|key| campaign(key)) {
        writeln!(text, "{vector}").unwrap();
    }
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testkit/vectors/encoding.txt"
    );
    std::fs::write(file, text).unwrap();
}

/// The vectors of one key.
fn campaign(name: &str) -> Vec<Vector> {
    let start = Instant::now();
    let threads = thread::available_parallelism().unwrap().get();
    let batches = || (0..COUNT / BATCH).map(|batch| SIGNING_SINCE + batch * BATCH);
    let mut found: Vec<Vector> = thread::scope(|scope| {
        let worker = |worker| {
            let own = batches().skip(worker).step_by(threads);
            move || own.flat_map(|from| batch(name, from)).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..threads).map(|at| scope.spawn(worker(at))).collect();
        let joined = workers.into_iter().map(|worker| worker.join().unwrap());
        joined.flatten().collect()
    });
    found.sort_by_key(|vector| vector.created);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    found.retain(|vector| {
        let count = counts.entry(vector.property.clone()).or_default();
        *count += 1;
        *count <= KEPT
    });
    found.sort_by_key(|vector| (vector.property.clone(), vector.created));
    let seconds = start.elapsed().as_secs();
    println!("{name}: {COUNT} signatures, each verified twice, in {seconds} s");
    for (property, count) in counts {
        println!("  {property}: {count}");
    }
    found
}

/// Signs, checks and verifies `BATCH` signatures, the first one made at `from`.
fn batch(name: &str, from: u64) -> Vec<Vector> {
    let test_key = TestKey::named(name);
    let key = test_key.signing_key();
    let opened = signstar_software::open(test_key.material());
    let mut opened = opened.expect("a test key opens");
    let mut packets = Vec::new();
    let mut found = Vec::new();
    for created in from..from + BATCH {
        let signer = opened.signer.as_mut();
        let made = assembly::sign(&key, signer, encoding::profile(), ARTIFACT, created);
        check_packet(&key, &made, created);
        let full = encoding::full_bytes(name);
        for property in encoding::properties(&made.value, full) {
            found.push(Vector {
                key: name.to_owned(),
                property,
                created,
                digest: encoding::hex(made.digest.as_bytes()),
                signature: encoding::hex(&encoding::padded(&made.value, full)),
            });
        }
        packets.extend(made.packet);
    }
    let all: Vec<u64> = (from..from + BATCH).collect();
    for verifier in [Verifier::Gpgv, Verifier::Rsop] {
        let good = verifier.good(test_key.certificate, &key.fingerprint(), &packets, ARTIFACT);
        assert_eq!(good, all, "{name}: {verifier:?} refuses some");
    }
    found
}

fn check_packet(key: &SigningKey, made: &assembly::Assembled, created: u64) {
    let packet = packet::read(&made.packet).unwrap();
    let numbers = encoding::numbers(&made.value).into_iter();
    let numbers: Vec<&[u8]> = numbers.map(|(_, number)| encoding::trim(number)).collect();
    assert_eq!(packet.numbers, numbers, "{created}");
    assert_eq!(packet.created, created);
    assert_eq!(packet.issuer, key.fingerprint());
    assert_eq!(packet.digest_start, made.digest.as_bytes()[..2]);
}
