//! Signatures of every class through the whole assembly: their numbers are canonical in the
//! packet, and programs that were not written here verify them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use signstar_core::{Opened, SigningKey};
use signstar_testkit::assembly::{self, Assembled};
use signstar_testkit::encoding::{self, ARTIFACT, KEPT, KEYS, Vector};
use signstar_testkit::key::{SIGNING_SINCE, TestKey};
use signstar_testkit::packet;
use signstar_testkit::verifier::Verifier;

/// Random signatures of each class, beside the vectors.
const RANDOM: usize = 2000;

/// How many of them each program verifies.
const VERIFIED: usize = 1000;

/// Seconds in about half a year: random creation times lie within, and before any clock of today.
const SPAN: u64 = 1 << 24;

/// A test key, opened.
struct Bench {
    test_key: TestKey,
    key: SigningKey,
    opened: Opened,
}

impl Bench {
    fn new(name: &str) -> Self {
        let test_key = TestKey::named(name);
        let opened = signstar_software::open(test_key.material());
        Self {
            test_key,
            key: test_key.signing_key(),
            opened: opened.unwrap_or_else(|error| panic!("{name}: {error}")),
        }
    }

    /// Signs through the whole assembly, and reads the packet strictly.
    fn sign(&mut self, created: u64) -> Assembled {
        let signer = self.opened.signer.as_mut();
        let made = assembly::sign(&self.key, signer, encoding::profile(), ARTIFACT, created);
        let packet =
            packet::read(&made.packet).unwrap_or_else(|error| panic!("{created}: {error}"));
        let numbers = encoding::numbers(&made.value).into_iter();
        let numbers: Vec<&[u8]> = numbers.map(|(_, number)| encoding::trim(number)).collect();
        assert_eq!(packet.numbers, numbers, "{created}");
        assert_eq!(packet.created, created);
        assert_eq!(packet.issuer, self.key.fingerprint());
        assert_eq!(
            packet.digest_start,
            made.digest.as_bytes()[..2],
            "{created}"
        );
        made
    }

    fn good(&self, verifier: Verifier, packets: &[u8], artifact: &[u8]) -> Vec<u64> {
        let fingerprint = self.key.fingerprint();
        verifier.good(self.test_key.certificate, &fingerprint, packets, artifact)
    }
}

/// Different creation times, other ones in every run: a failure names its own, and signs again.
fn random_times() -> BTreeSet<u64> {
    let random = RandomState::new();
    let mut times = BTreeSet::new();
    for count in 0_u64.. {
        times.insert(SIGNING_SINCE + random.hash_one(count) % SPAN);
        if times.len() == RANDOM {
            break;
        }
    }
    times
}

fn vectors_of(name: &str) -> Vec<Vector> {
    let mut vectors = encoding::vectors();
    vectors.retain(|vector| vector.key == name);
    vectors
}

/// The vectors and random signatures of a class.
fn every_signature_is_canonical_and_verified(name: &str) {
    let mut bench = Bench::new(name);
    let unusual: BTreeSet<u64> = vectors_of(name).iter().map(|v| v.created).collect();
    let random = random_times();
    let mut batch = Vec::new();
    let mut expected = BTreeSet::new();
    for &created in unusual.union(&random) {
        let packet = bench.sign(created).packet;
        if unusual.contains(&created) || expected.len() < VERIFIED + unusual.len() {
            expected.insert(created);
            batch.extend(packet);
        }
    }
    assert!(expected.len() >= VERIFIED + unusual.len());
    let expected: Vec<u64> = expected.into_iter().collect();
    for verifier in Verifier::ALL {
        let good = bench.good(verifier, &batch, ARTIFACT);
        let refused = expected.iter().find(|time| !good.contains(time));
        assert_eq!(refused, None, "{name}: the first that {verifier:?} refuses");
        assert_eq!(good.len(), expected.len(), "{name}: {verifier:?}");
    }
}

#[test]
fn every_ed25519_signature_is_canonical_and_verified_by_others() {
    every_signature_is_canonical_and_verified("ed25519");
}

#[test]
fn every_p256_signature_is_canonical_and_verified_by_others() {
    every_signature_is_canonical_and_verified("p256");
}

#[test]
fn every_p384_signature_is_canonical_and_verified_by_others() {
    every_signature_is_canonical_and_verified("p384");
}

#[test]
fn every_p521_signature_is_canonical_and_verified_by_others() {
    every_signature_is_canonical_and_verified("p521");
}

#[test]
fn every_rsa2048_signature_is_canonical_and_verified_by_others() {
    every_signature_is_canonical_and_verified("rsa2048");
}

#[test]
fn each_vector_is_made_again_and_is_as_unusual_as_it_says() {
    for name in KEYS {
        let mut bench = Bench::new(name);
        let full = encoding::full_bytes(name);
        for vector in vectors_of(name) {
            let made = bench.sign(vector.created);
            let digest = encoding::hex(made.digest.as_bytes());
            let signature = encoding::hex(&encoding::padded(&made.value, full));
            assert_eq!(digest, vector.digest, "{vector}");
            assert_eq!(signature, vector.signature, "{vector}");
            let properties = encoding::properties(&made.value, full);
            assert!(properties.contains(&vector.property), "{vector}");
        }
    }
}

#[test]
fn vectors_have_every_number_of_every_class_short_and_with_its_top_bit_set() {
    for name in KEYS {
        let full = encoding::full_bytes(name);
        // A number of P-521 has one bit in its first byte: half of them are one byte shorter.
        let short = if name == "p521" { full - 2 } else { full - 1 };
        let numbers: &[&str] = if name == "rsa2048" {
            &["s"]
        } else {
            &["r", "s"]
        };
        let vectors = vectors_of(name);
        let count = |property: String| vectors.iter().filter(|v| v.property == property).count();
        for number in numbers {
            assert_eq!(count(format!("{number}={short}")), KEPT, "{name} {number}");
            assert_eq!(count(format!("{number}-top")), KEPT, "{name} {number}");
        }
    }
}

#[test]
fn every_verifier_notices_one_damaged_signature_among_good_ones() {
    for name in KEYS {
        let mut bench = Bench::new(name);
        let times = [SIGNING_SINCE, SIGNING_SINCE + 1, SIGNING_SINCE + 2];
        let mut packets = times.map(|created| bench.sign(created).packet);
        let whole = packets.concat();
        if let Some(last) = packets[1].last_mut() {
            *last ^= 1;
        }
        let damaged = packets.concat();
        for verifier in Verifier::ALL {
            assert_eq!(
                bench.good(verifier, &whole, ARTIFACT),
                times,
                "{verifier:?}"
            );
            let good = bench.good(verifier, &damaged, ARTIFACT);
            // GnuPG does not go on after a bad one.
            assert_eq!(good.first(), Some(&times[0]), "{name} {verifier:?}");
            assert!(!good.contains(&times[1]), "{name} {verifier:?}");
            let none = bench.good(verifier, &whole, b"another artifact");
            assert_eq!(none, [0; 0], "{name} {verifier:?}");
        }
    }
}
