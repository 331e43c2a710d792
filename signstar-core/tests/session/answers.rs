//! Devices that answer something else than the right signature.

use std::sync::OnceLock;

use signstar_core::{
    Digest, Event, Field, HashAlgorithm, Profile, PublicKey, RawSignature, Refusal, SignatureValue,
    SignerError, SigningKey,
};

use crate::keys::{Kind, cert, device, signing_key};
use crate::stage::{Play, Step};

fn raw(value: SignatureValue) -> Result<RawSignature, SignerError> {
    Ok(RawSignature {
        value,
        counter: Some(41),
    })
}

/// A key and what its device answers for the artifact, which is always the same: clock and salt
/// stand still here, and no device draws random numbers.
fn right_answer(kind: Kind) -> &'static (SigningKey, SignatureValue) {
    static ANSWERS: [OnceLock<(SigningKey, SignatureValue)>; Kind::ALL.len()] =
        [const { OnceLock::new() }; Kind::ALL.len()];
    ANSWERS[kind as usize].get_or_init(|| {
        let key = signing_key(kind);
        let mut device = device(cert(kind), &key);
        let mut answer = None;
        let sign = |digest: &Digest| {
            let signed = device.sign(digest)?;
            answer = Some(signed.value.clone());
            Ok(signed)
        };
        let (outcome, _) = Play::with(&key).run(sign, [b"artifact".as_slice()]);
        outcome.expect("the right answer is right");
        (key, answer.expect("an answer"))
    })
}

/// What the right device answers is turned into something wrong by `spoil`.
fn spoiled(kind: Kind, spoil: impl Fn(SignatureValue, &Digest) -> SignatureValue) {
    let (key, right) = right_answer(kind);
    let answer = |digest: &Digest| raw(spoil(right.clone(), digest));
    let (outcome, notes) = Play::with(key).run(answer, [b"artifact".as_slice()]);
    let failure = outcome.expect_err("a spoiled signature came out");
    assert_eq!(failure.refusal, Refusal::SelfCheck, "{kind:?}: {failure}");
    assert_eq!(notes.asked(), 1, "{kind:?}: asked again");
    assert_eq!(notes.events(), [Event::Intent, Event::Refusal], "{kind:?}");
    assert_eq!(notes.last(Field::Code).as_deref(), Some("self-check"));
    assert_eq!(notes.last(Field::Signature), None);
    assert!(matches!(
        notes.steps().as_slice(),
        [
            Step::Recorded(Event::Intent),
            Step::Asked(_),
            Step::Recorded(Event::Refusal)
        ]
    ));
}

/// The numbers of a signature as one list of bytes each.
fn parts(value: &SignatureValue) -> Vec<Vec<u8>> {
    match value {
        SignatureValue::Ed25519(both) => vec![both.to_vec()],
        SignatureValue::Ecdsa { r, s } => vec![r.clone(), s.clone()],
        SignatureValue::Rsa(s) => vec![s.clone()],
        SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa } => {
            vec![ed25519.to_vec(), ml_dsa.to_vec()]
        }
    }
}

fn rebuilt(like: &SignatureValue, parts: &[Vec<u8>]) -> SignatureValue {
    match like {
        SignatureValue::Ed25519(_) => {
            SignatureValue::Ed25519(parts[0].as_slice().try_into().unwrap())
        }
        SignatureValue::Ecdsa { .. } => SignatureValue::Ecdsa {
            r: parts[0].clone(),
            s: parts[1].clone(),
        },
        SignatureValue::Rsa(_) => SignatureValue::Rsa(parts[0].clone()),
        SignatureValue::MlDsa65Ed25519 { .. } => SignatureValue::MlDsa65Ed25519 {
            ed25519: parts[0].clone().try_into().unwrap(),
            ml_dsa: parts[1].clone().try_into().unwrap(),
        },
    }
}

fn with_parts(value: SignatureValue, change: impl Fn(&mut Vec<Vec<u8>>)) -> SignatureValue {
    let mut parts = parts(&value);
    change(&mut parts);
    rebuilt(&value, &parts)
}

/// Kinds whose answers have parts of any length.
const OF_ANY_LENGTH: [Kind; 5] = [
    Kind::P256,
    Kind::P384,
    Kind::P521,
    Kind::Rsa2048,
    Kind::P256V6,
];

#[test]
fn the_right_answer_of_every_kind_of_key_comes_out() {
    for kind in Kind::ALL {
        let key = signing_key(kind);
        let mut device = device(cert(kind), &key);
        let answer = |digest: &Digest| raw(device.sign(digest)?.value);
        let (outcome, notes) = Play::with(&key).run(answer, [b"artifact".as_slice()]);
        outcome.unwrap();
        assert_eq!(notes.events(), [Event::Intent, Event::Release], "{kind:?}");
        assert_eq!(notes.last(Field::Counter).as_deref(), Some("41"));
    }
}

#[test]
fn every_flipped_bit_of_an_ed25519_signature_is_found() {
    for kind in [Kind::Ed25519Legacy, Kind::Ed25519, Kind::Ed25519V6] {
        for bit in 0..512 {
            spoiled(kind, |value, _| {
                with_parts(value, |parts| parts[0][bit / 8] ^= 1 << (bit % 8))
            });
        }
    }
}

#[test]
fn sampled_flipped_bits_of_other_signatures_are_found() {
    for kind in OF_ANY_LENGTH {
        let step = if kind == Kind::Rsa2048 { 61 } else { 17 };
        for part in 0..2 {
            for bit in (0..2048).step_by(step) {
                spoiled(kind, |value, _| {
                    with_parts(value, |parts| {
                        let count = parts.len();
                        let number = &mut parts[part % count];
                        let bits = 8 * number.len();
                        number[bit % bits / 8] ^= 1 << (bit % 8);
                    })
                });
            }
        }
    }
}

#[test]
fn a_short_long_or_empty_answer_is_found() {
    for kind in OF_ANY_LENGTH {
        let changes: [fn(&mut Vec<u8>); 6] = [
            |number| number.clear(),
            |number| {
                number.pop();
            },
            |number| {
                let zeros = number.iter().take_while(|&&byte| byte == 0).count();
                number.drain(..=zeros);
            },
            |number| number.push(0),
            |number| number.insert(0, 1),
            |number| number.resize(100_000, 0x55),
        ];
        for change in changes {
            spoiled(kind, |value, _| {
                with_parts(value, |parts| parts.iter_mut().for_each(change))
            });
            // Only the last number of a pair.
            spoiled(kind, |value, _| {
                with_parts(value, |parts| parts.last_mut().into_iter().for_each(change))
            });
        }
    }
}

#[test]
fn an_answer_of_zeros_or_ones_is_found() {
    for kind in Kind::ALL {
        for byte in [0x00, 0x01, 0xff] {
            spoiled(kind, |value, _| {
                with_parts(value, |parts| {
                    for part in parts {
                        part.fill(byte);
                    }
                })
            });
        }
    }
}

/// The orders of the curves (SEC 2), big-endian.
fn order(kind: Kind) -> Vec<u8> {
    let text = match kind {
        Kind::P256 | Kind::P256V6 => {
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".to_owned()
        }
        Kind::P384 => format!(
            "{}c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            "f".repeat(48)
        ),
        Kind::P521 => format!(
            "01{}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
            "f".repeat(64)
        ),
        _ => panic!("{kind:?} has no such order"),
    };
    bytes(&text)
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The sum of two big-endian numbers.
fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut digits = Vec::new();
    let mut carry = 0;
    for at in 0..one.len().max(other.len()) {
        let digit = |number: &[u8]| number.iter().rev().nth(at).copied().unwrap_or(0);
        let total = u16::from(digit(one)) + u16::from(digit(other)) + carry;
        digits.push(total.to_le_bytes()[0]);
        carry = total >> 8;
    }
    if carry > 0 {
        digits.push(1);
    }
    digits.reverse();
    digits
}

#[test]
fn ecdsa_numbers_of_zero_the_order_or_above_it_are_found() {
    for kind in [Kind::P256, Kind::P384, Kind::P521, Kind::P256V6] {
        let n = order(kind);
        for part in [0, 1] {
            let zero = vec![0; n.len()];
            for wrong in [vec![0], zero, n.clone(), sum(&n, &[1])] {
                spoiled(kind, |value, _| {
                    with_parts(value, |parts| parts[part] = wrong.clone())
                });
            }
            // The same number modulo the order, where it fits at all.
            spoiled(kind, |value, _| {
                with_parts(value, |parts| parts[part] = sum(&parts[part], &n))
            });
        }
    }
}

#[test]
fn an_ed25519_scalar_above_the_order_is_found() {
    let order = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
    for kind in [Kind::Ed25519Legacy, Kind::Ed25519, Kind::Ed25519V6] {
        spoiled(kind, |value, _| {
            with_parts(value, |parts| {
                let mut scalar = parts[0].split_off(32);
                scalar.reverse();
                let mut above = sum(&scalar, &bytes(order));
                above.reverse();
                parts[0].extend(above);
            })
        });
    }
}

#[test]
fn an_rsa_number_of_the_modulus_or_above_it_is_found() {
    let key = signing_key(Kind::Rsa2048);
    let PublicKey::Rsa { n, .. } = key.public_key().clone() else {
        panic!("not RSA");
    };
    for wrong in [n.clone(), sum(&n, &[1]), vec![0], vec![1]] {
        spoiled(Kind::Rsa2048, |_, _| SignatureValue::Rsa(wrong.clone()));
    }
    spoiled(Kind::Rsa2048, |value, _| {
        with_parts(value, |parts| parts[0] = sum(&parts[0], &n))
    });
}

#[test]
fn the_signature_of_a_foreign_key_is_found() {
    for kind in [Kind::Ed25519Legacy, Kind::P256] {
        let foreign = crate::keys::builder(
            match kind {
                Kind::P256 => sequoia_openpgp::cert::CipherSuite::P256,
                _ => sequoia_openpgp::cert::CipherSuite::Cv25519,
            },
            sequoia_openpgp::Profile::RFC4880,
        );
        let foreign = foreign.generate().unwrap().0;
        let file = crate::keys::public_file(&foreign);
        let foreign_key = signstar_core::Certificate::parse(&file)
            .unwrap()
            .signing_key(None, crate::keys::noon())
            .unwrap();
        spoiled(kind, |_, digest| {
            let mut other = device(&foreign, &foreign_key);
            other.sign(digest).unwrap().value
        });
    }
}

#[test]
fn a_signature_of_another_kind_is_found() {
    for kind in Kind::ALL {
        let others = [Kind::Ed25519, Kind::P256, Kind::P384, Kind::Rsa2048];
        for other in others.into_iter().chain([Kind::Composite]) {
            if signing_key(kind).public_key().name() == signing_key(other).public_key().name() {
                continue;
            }
            spoiled(kind, |_, digest| {
                let mut device = device(cert(other), &signing_key(other));
                device.sign(digest).unwrap().value
            });
        }
    }
}

#[test]
fn a_right_signature_over_another_digest_is_found() {
    for kind in Kind::ALL {
        spoiled(kind, |_, digest| {
            let mut device = device(cert(kind), &signing_key(kind));
            let mut bytes = digest.as_bytes().to_vec();
            // ECDSA takes the leftmost bits only.
            bytes[0] ^= 1;
            let other = Digest::new(digest.algorithm(), &bytes).unwrap();
            device.sign(&other).unwrap().value
        });
    }
}

#[test]
fn the_right_signature_over_a_shorter_hash_of_the_same_stream_is_found() {
    spoiled(Kind::P256, |_, digest| {
        let mut device = device(cert(Kind::P256), &signing_key(Kind::P256));
        let shorter = Digest::new(HashAlgorithm::Sha384, &digest.as_bytes()[16..]).unwrap();
        device.sign(&shorter).unwrap().value
    });
}

#[test]
fn an_error_of_the_device_is_recorded_and_never_retried() {
    let cases = [
        (
            SignerError::Unavailable("x".into()),
            Refusal::DeviceUnavailable,
        ),
        (SignerError::Busy("x".into()), Refusal::Busy),
        (SignerError::Credential("x".into()), Refusal::Credential),
        (SignerError::Failed("x".into()), Refusal::DeviceFailed),
    ];
    let key = signing_key(Kind::P256);
    for (error, refusal) in cases {
        let (outcome, notes) =
            Play::with(&key).run(|_| Err(error.clone()), [b"artifact".as_slice()]);
        assert_eq!(outcome.unwrap_err().refusal, refusal);
        assert_eq!(notes.asked(), 1);
        assert_eq!(notes.events(), [Event::Intent, Event::Refusal]);
        assert_eq!(notes.last(Field::Code).as_deref(), Some(refusal.code()));
    }
}

#[test]
fn a_hash_too_weak_for_the_curve_never_reaches_the_device() {
    for (kind, hash) in [
        (Kind::P384, HashAlgorithm::Sha256),
        (Kind::P521, HashAlgorithm::Sha384),
    ] {
        let key = signing_key(kind);
        let mut play = Play::with(&key);
        play.profile = Profile {
            hash,
            ..Profile::default()
        };
        let (outcome, notes) = play.run(|_| panic!("asked"), [b"artifact".as_slice()]);
        assert_eq!(outcome.unwrap_err().refusal, Refusal::Configuration);
        assert_eq!(notes.events(), [Event::Refusal]);
    }
}
