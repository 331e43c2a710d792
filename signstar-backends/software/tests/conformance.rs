//! The promises of a signer, kept by a key in memory of every kind; and signers that break one, to
//! show that the suite notices.

use signstar_core::{Digest, HashAlgorithm, PublicKey, RawSignature, Signer, SignerError};
use signstar_testkit::conformance::{Counting, check};
use signstar_testkit::key::TestKey;

fn conforms(name: &str) {
    let opened = signstar_software::open(TestKey::named(name).material());
    let Ok(mut opened) = opened else {
        unreachable!("the test key {name} does not open");
    };
    check(opened.signer.as_mut(), name, Counting::Absent);
}

#[test]
fn ed25519_keeps_the_promises_of_a_signer() {
    conforms("ed25519");
}

#[test]
fn p256_keeps_the_promises_of_a_signer() {
    conforms("p256");
}

#[test]
fn p384_keeps_the_promises_of_a_signer() {
    conforms("p384");
}

#[test]
fn p521_keeps_the_promises_of_a_signer() {
    conforms("p521");
}

#[test]
fn rsa2048_keeps_the_promises_of_a_signer() {
    conforms("rsa2048");
}

#[test]
fn rsa3072_keeps_the_promises_of_a_signer() {
    conforms("rsa3072");
}

#[test]
fn rsa4096_keeps_the_promises_of_a_signer() {
    conforms("rsa4096");
}

/// A signer that breaks one promise.
struct Liar {
    honest: Box<dyn Signer>,
    lie: Lie,
    count: u64,
    first: Option<RawSignature>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    SignsShortDigests,
    RepeatsItself,
    CountsByTwo,
    CountsRefusals,
    HasAnotherKey,
    DoesNotCount,
}

impl Signer for Liar {
    fn public_key(&self) -> &PublicKey {
        self.honest.public_key()
    }

    fn waits_for(&self) -> Option<&'static str> {
        self.honest.waits_for()
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        let longer = Digest::new(HashAlgorithm::Sha512, &[1; 64]);
        let digest = match (self.lie, longer) {
            (Lie::SignsShortDigests, Some(longer)) if digest.as_bytes().len() < 48 => longer,
            _ => digest.clone(),
        };
        self.count += u64::from(self.lie == Lie::CountsRefusals);
        let mut raw = self.honest.sign(&digest)?;
        self.count += match self.lie {
            Lie::CountsByTwo => 2,
            Lie::CountsRefusals => 0,
            _ => 1,
        };
        if self.lie == Lie::RepeatsItself {
            raw = self.first.get_or_insert(raw).clone();
        }
        raw.counter = (self.lie != Lie::DoesNotCount).then_some(self.count);
        Ok(raw)
    }
}

fn caught(lie: Lie) {
    let name = if lie == Lie::HasAnotherKey {
        "p256"
    } else {
        "p384"
    };
    let opened = signstar_software::open(TestKey::named(name).material());
    let Ok(opened) = opened else {
        unreachable!("the test key {name} does not open");
    };
    let mut liar = Liar {
        honest: opened.signer,
        lie,
        count: 0,
        first: None,
    };
    check(&mut liar, "p384", Counting::EverySignature);
}

#[test]
#[should_panic(expected = "sha256 was signed")]
fn a_signer_of_short_digests_is_caught() {
    caught(Lie::SignsShortDigests);
}

#[test]
#[should_panic(expected = "sha384")]
fn a_signer_that_repeats_itself_is_caught() {
    caught(Lie::RepeatsItself);
}

#[test]
#[should_panic(expected = "a refusal counts")]
fn a_signer_that_counts_by_two_is_caught() {
    caught(Lie::CountsByTwo);
}

#[test]
#[should_panic(expected = "a refusal counts")]
fn a_signer_that_counts_refusals_is_caught() {
    caught(Lie::CountsRefusals);
}

#[test]
#[should_panic(expected = "p384")]
fn a_signer_with_another_key_is_caught() {
    caught(Lie::HasAnotherKey);
}

#[test]
#[should_panic(expected = "the signer does not count")]
fn a_signer_that_does_not_count_is_caught() {
    caught(Lie::DoesNotCount);
}
