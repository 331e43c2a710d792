//! Numbers with leading zeros, once in some hundred signatures: searched for, and written without.

use sequoia_openpgp::crypto::Signer as _;
use sequoia_openpgp::types::HashAlgorithm as PgpHash;
use signstar_core::{Digest, RawSignature, SignatureValue};

use crate::keys::{Kind, cert, device, signing_key};
use crate::packet::Packet;
use crate::stage::Play;

/// The chance to miss a case of one in 256 in so many signatures is one in e^32.
const TRIES: u32 = 8192;

/// Signs numbered artifacts until each part of a signature has been short once; returns the lengths
/// of the numbers of all packets.
fn lengths(
    kind: Kind,
    full: &[usize],
    mut answer: impl FnMut(&Digest) -> RawSignature,
) -> Vec<Vec<usize>> {
    let key = signing_key(kind);
    let mut seen = Vec::new();
    for number in 0..TRIES {
        let artifact = number.to_be_bytes();
        let (outcome, _) = Play::with(&key).run(|digest| Ok(answer(digest)), [&artifact[..]]);
        let packet = Packet::parse(outcome.unwrap().as_bytes());
        let lengths: Vec<usize> = packet.integers().iter().map(Vec::len).collect();
        assert!(
            lengths
                .iter()
                .zip(full)
                .all(|(length, full)| length <= full)
        );
        seen.push(lengths);
        let short = |part: usize| seen.iter().any(|lengths| lengths[part] < full[part]);
        if (0..full.len()).all(short) {
            return seen;
        }
    }
    panic!("{kind:?}: no short number in {TRIES} signatures");
}

#[test]
fn short_numbers_of_every_algorithm_verify_and_have_no_leading_zeros() {
    for (kind, full) in [
        (Kind::Ed25519Legacy, [32, 32]),
        (Kind::P256, [32, 32]),
        (Kind::P384, [48, 48]),
    ] {
        let key = signing_key(kind);
        let mut device = device(cert(kind), &key);
        lengths(kind, &full, |digest| device.sign(digest).unwrap());
    }
}

#[test]
fn a_short_rsa_number_verifies_and_has_no_leading_zeros() {
    // The device is the OpenPGP library's: its arithmetic is optimised in tests, too.
    let secret = cert(Kind::Rsa2048).primary_key().key().clone();
    let mut pair = secret.parts_into_secret().unwrap().into_keypair().unwrap();
    lengths(Kind::Rsa2048, &[256], |digest| {
        let answer = pair.sign(PgpHash::SHA512, digest.as_bytes()).unwrap();
        let sequoia_openpgp::crypto::mpi::Signature::RSA { s } = answer else {
            panic!("not RSA");
        };
        RawSignature {
            value: SignatureValue::Rsa(s.value().to_vec()),
            counter: None,
        }
    });
}

#[test]
fn leading_zeros_of_the_device_do_not_come_out() {
    for kind in [Kind::P256, Kind::P384, Kind::P521, Kind::Rsa2048] {
        let key = signing_key(kind);
        let mut device = device(cert(kind), &key);
        let padded = |number: Vec<u8>| [vec![0; 9], number].concat();
        let (outcome, _) = Play::with(&key).run(
            |digest| {
                let value = match device.sign(digest)?.value {
                    SignatureValue::Ecdsa { r, s } => SignatureValue::Ecdsa {
                        r: padded(r),
                        s: padded(s),
                    },
                    SignatureValue::Rsa(s) => SignatureValue::Rsa(padded(s)),
                    other => other,
                };
                Ok(RawSignature {
                    value,
                    counter: None,
                })
            },
            [b"artifact".as_slice()],
        );
        // Reading the integers asserts that they are canonical.
        Packet::parse(outcome.unwrap().as_bytes()).integers();
    }
}
