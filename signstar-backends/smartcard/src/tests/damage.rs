//! Answers that are not what the card said: each answer of a conversation, spoiled in each way.
//!
//! What comes of it goes through a whole session, as in the shell. Nothing may be released but a
//! right signature; the PIN is sent once at most, and a signature asked for once.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use signstar_core::{
    Digest, Failure, HashAlgorithm, Ledger, Notation, Policy, Profile, PublicKey, RawSignature,
    Record, RequestId, Session, Signer, SignerError, Subject,
};
use signstar_testkit::key::{SIGNING_SINCE, TestKey};
use signstar_testkit::openssl::OpenSsl;
use signstar_virtual_card::{USER_PIN, VirtualCard};

use super::card::{Spoil, Tap, holding, open};
use crate::fault::Fault;

/// Ways to spoil an answer, with names.
const SPOILS: [(&str, Spoil); 20] = [
    ("nothing", |_| Ok(Vec::new())),
    ("half a status", |_| Ok(vec![0x90])),
    ("status only", |_| Ok(vec![0x90, 0x00])),
    ("without its status", |answer| {
        Ok(answer[..answer.len() - 2].to_vec())
    }),
    ("first half", |answer| {
        Ok(data(answer, |data| data.truncate(data.len() / 2)))
    }),
    ("without its last byte", |answer| {
        Ok(data(answer, |data| {
            data.truncate(data.len().saturating_sub(1))
        }))
    }),
    ("one byte more", |answer| {
        Ok(data(answer, |data| data.push(0)))
    }),
    ("first bit flipped", |answer| {
        Ok(data(answer, |data| flip(data, 0, 0x80)))
    }),
    ("length flipped", |answer| {
        Ok(data(answer, |data| flip(data, 1, 0x40)))
    }),
    ("middle bit flipped", |answer| {
        Ok(data(answer, |data| {
            let at = data.len() / 2;
            flip(data, at, 0x01)
        }))
    }),
    ("last bit flipped", |answer| {
        Ok(data(answer, |data| {
            let at = data.len().saturating_sub(1);
            flip(data, at, 0x01)
        }))
    }),
    ("all ones", |answer| {
        Ok(data(answer, |data| data.fill(0xff)))
    }),
    ("all zeros", |answer| Ok(data(answer, |data| data.fill(0)))),
    ("garbage", |_| Ok((0..=255).chain(0..=255).collect())),
    ("refused", |_| Ok(vec![0x69, 0x82])),
    ("another length wanted", |_| Ok(vec![0x6c, 0x10])),
    ("more to come", |answer| {
        Ok([&answer[..answer.len() - 2], &[0x61, 0xff]].concat())
    }),
    ("far too long", |_| Ok(vec![0x90; 70_000])),
    ("connection lost", |_| Err(Fault::Lost)),
    ("card taken out", |_| Err(Fault::Removed)),
];

/// Changes the answer's data and leaves its status.
fn data(answer: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (data, status) = answer.split_at(answer.len() - 2);
    let mut data = data.to_vec();
    change(&mut data);
    [&data, status].concat()
}

fn flip(data: &mut [u8], at: usize, bit: u8) {
    if let Some(byte) = data.get_mut(at) {
        *byte ^= bit;
    }
}

fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(SIGNING_SINCE)
}

/// What the card itself says of them.
fn tries_and_counter(card: &VirtualCard) -> (u8, u64) {
    card.execute(&[
        0x00, 0xa4, 0x04, 0x00, 0x06, 0xd2, 0x76, 0x00, 0x01, 0x24, 0x01,
    ]);
    let pins = card.execute(&[0x00, 0xca, 0x00, 0xc4, 0x00]);
    let template = card.execute(&[0x00, 0xca, 0x00, 0x7a, 0x00]);
    let [.., high, middle, low, 0x90, 0x00] = template[..] else {
        panic!("{template:02x?}");
    };
    (
        pins[4],
        u64::from_be_bytes([0, 0, 0, 0, 0, high, middle, low]),
    )
}

/// Passes everything on and keeps what it has seen.
struct Witness<S> {
    signer: S,
    seen: Vec<(Digest, RawSignature)>,
}

impl<S: Signer> Signer for Witness<S> {
    fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    fn waits_for(&self) -> Option<&'static str> {
        self.signer.waits_for()
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        let raw = self.signer.sign(digest)?;
        self.seen.push((digest.clone(), raw.clone()));
        Ok(raw)
    }
}

/// A session with the card in which every answer passes `prepare`'s tap.
fn session(
    card: &Arc<VirtualCard>,
    key: TestKey,
    spoil: Option<(usize, Spoil)>,
    lasting: bool,
) -> (Result<Vec<(Digest, RawSignature)>, Failure>, Tap) {
    let signing_key = key.signing_key();
    let (link, tap) = super::card::Slot::holding(card);
    {
        let mut tap = tap.lock().unwrap();
        tap.spoil = spoil;
        tap.lasting = lasting;
    }
    let pin = super::card::pin(USER_PIN);
    let run = || {
        let signer = crate::signer::Smartcard::new(link, &super::card::location(), pin)?;
        let mut witness = Witness {
            signer,
            seen: Vec::new(),
        };
        signing_key
            .check_signer(&witness)
            .map_err(|error| SignerError::Failed(error.to_string()))?;
        let mut records: Vec<Record> = Vec::new();
        let mut session = Session {
            key: &signing_key,
            profile: Profile {
                hash: HashAlgorithm::Sha512,
                notation: Notation::None,
                artifact_notation: None,
            },
            policy: Policy::default(),
            signer: &mut witness,
            ledger: Ledger {
                subject: Subject::new(RequestId::from_bytes([0; 16])),
                sink: &mut records,
                clock,
            },
        };
        let mut intake = session.intake(None, &[0; 32]);
        intake.update(b"an artifact").unwrap();
        let approval = session.approve(intake)?;
        let signed = session.sign(approval)?;
        session.release(signed)?;
        Ok(witness.seen)
    };
    let outcome = run();
    card.reset();
    let tap = std::mem::take(&mut *tap.lock().unwrap());
    (outcome, tap)
}

/// `lastings`: whether one answer is spoiled, or all from it on.
fn withstands_damage(name: &str, lastings: &[bool]) {
    let key = TestKey::named(name);
    let card = holding(name);
    let openssl = OpenSsl::new(key.signing_key().public_key());
    let (good, tap) = session(&card, key, None, false);
    let [(digest, raw)] = &good.unwrap()[..] else {
        panic!("one signature");
    };
    assert!(openssl.verifies(digest, &raw.value));
    let exchanges = tap.commands.len();
    let (mut points, mut refused, mut last_counter) = (0, 0, raw.counter.unwrap());
    for at in 0..exchanges {
        for (what, spoil) in SPOILS {
            for &lasting in lastings {
                let place = format!("{name}: answer {at}: {what}, lasting: {lasting}");
                let (outcome, tap) = session(&card, key, Some((at, spoil)), lasting);
                points += 1;
                assert!(tap.commands.len() > at, "{place}: not reached");
                assert!(tap.pins() <= 1, "{place}: {} PINs", tap.pins());
                let asked = tap.commands.iter().filter(|command| command[1] == 0x2a);
                assert!(asked.count() <= 1, "{place}: signatures");
                match outcome {
                    Ok(seen) => {
                        let [(digest, raw)] = &seen[..] else {
                            panic!("{place}: {} signatures", seen.len());
                        };
                        assert!(openssl.verifies(digest, &raw.value), "{place}: wrong");
                        let counter = raw.counter.unwrap();
                        assert!(counter > last_counter, "{place}: counter {counter}");
                        last_counter = counter;
                    }
                    Err(failure) => {
                        refused += 1;
                        let text = format!("{failure:?}");
                        assert!(!text.contains(USER_PIN), "{place}: {text}");
                    }
                }
                let (tries, counter) = tries_and_counter(&card);
                assert_eq!(tries, 3, "{place}");
                last_counter = last_counter.max(counter);
            }
        }
    }
    println!("{name}: {exchanges} answers, {points} points, {refused} refused");
    assert!(points >= 200, "{points}");
    assert!(refused > points / 2, "{refused} of {points}");
    let (again, _) = session(&card, key, None, false);
    again.unwrap();
}

#[test]
fn spoiled_answers_of_a_card_with_ed25519_give_no_wrong_signature() {
    withstands_damage("ed25519", &[false, true]);
}

#[test]
fn spoiled_answers_of_a_card_with_rsa2048_give_no_wrong_signature() {
    withstands_damage("rsa2048", &[false]);
}

#[test]
fn the_pin_stands_in_no_error() {
    let card = holding("ed25519");
    let planted = SignerError::Failed(format!("a PIN {USER_PIN}"));
    assert!(format!("{planted:?}").contains(USER_PIN));
    let (signer, _) = open(&card, "12345");
    let text = format!("{:?}", signer.err().unwrap());
    assert!(!text.contains("12345"), "{text}");
}
