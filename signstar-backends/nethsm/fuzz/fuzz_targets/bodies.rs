//! What must hold for every input, one function for each target. The fuzzer and the smoke test on
//! the stable compiler run the same ones.

use signstar_core::{Curve, PublicKey, SignatureValue};
use signstar_nethsm::client::{ClientError, certificate_key};
use signstar_nethsm::der::{INTEGER, Reader};
use signstar_nethsm::{public_key as read_key, sdk, signature as read_signature};

/// A kind of key, then what a device gives as its signature: what is accepted has the lengths of its kind,
/// and its numbers have one spelling.
pub(crate) fn signature(input: &[u8]) {
    let Some((kind, text)) = input.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let ecdsa = |curve: Curve| PublicKey::Ecdsa {
        curve,
        point: vec![4; 1 + 2 * curve.scalar_bytes()],
    };
    let key = match kind % 5 {
        0 => PublicKey::Ed25519([7; 32]),
        1 => ecdsa(Curve::P256),
        2 => ecdsa(Curve::P384),
        3 => ecdsa(Curve::P521),
        _ => PublicKey::Rsa {
            n: vec![0x91; 256],
            e: vec![1, 0, 1],
        },
    };
    match (read_signature(&key, text), &key) {
        (None, _) => {}
        (Some(SignatureValue::Ed25519(value)), PublicKey::Ed25519(_)) => {
            assert_eq!(value.len(), 64)
        }
        (Some(SignatureValue::Ecdsa { r, s }), PublicKey::Ecdsa { curve, .. }) => {
            for number in [r, s] {
                assert!((1..=curve.scalar_bytes()).contains(&number.len()));
                assert_ne!(number.first(), Some(&0));
            }
        }
        (Some(SignatureValue::Rsa(value)), PublicKey::Rsa { n, .. }) => {
            assert_eq!(value.len(), n.len());
        }
        (Some(_), _) => panic!("a signature of another kind than the key"),
    }
}

/// What a device says of a key: what is accepted has the lengths of its kind.
pub(crate) fn public_key(input: &[u8]) {
    let Ok(answer) = serde_json::from_slice::<sdk::models::PublicKey>(input) else {
        return;
    };
    match read_key(&answer) {
        Err(error) => is_one_line(&error.to_string()),
        Ok(PublicKey::Ed25519(point)) => assert_eq!(point.len(), 32),
        Ok(PublicKey::Ecdsa { curve, point }) => {
            assert_eq!(point.len(), 1 + 2 * curve.scalar_bytes());
            assert_eq!(point.first(), Some(&4));
        }
        Ok(PublicKey::Rsa { n, e }) => {
            for number in [n, e] {
                assert!(!number.is_empty() && number.first() != Some(&0));
            }
        }
        Ok(PublicKey::MlDsa65Ed25519 { .. }) => panic!("no device has such keys"),
    }
}

/// Status and body of an answer: success is no error, what a device says is short and printable, and stands
/// in none of our texts.
pub(crate) fn refused(input: &[u8]) {
    let Some(([first, second], body)) = input.split_first_chunk() else {
        return;
    };
    let status = u16::from_be_bytes([*first, *second]);
    let Some(error) = ClientError::of_answer(status, body) else {
        assert!((200..=299).contains(&status) || status == 304);
        return;
    };
    assert!(!(200..=299).contains(&status) && status != 304);
    is_one_line(&error.to_string());
    if let Some(message) = error.message() {
        assert!(message.chars().count() <= 200);
        is_one_line(message);
        // What two devices say differently is told alike.
        let other = ClientError::of_answer(status, b"{\"message\":\"something else\"}");
        assert_eq!(
            other.map(|other| other.to_string()),
            Some(error.to_string())
        );
    }
}

/// A certificate: its key is a part of it, with the header of a sequence, or there is none.
pub(crate) fn certificate(input: &[u8]) {
    if let Some(key) = certificate_key(input) {
        assert!(key.len() < input.len());
        assert_eq!(key.first(), Some(&0x30));
        assert!(input.windows(key.len()).any(|part| part == key));
    }
}

/// Anything: what is read as DER has this one spelling, and what is not read stays.
pub(crate) fn der(input: &[u8]) {
    read_all(input, 16);
}

fn read_all(bytes: &[u8], depth: usize) {
    let mut reader = Reader::new(bytes);
    let mut rest = bytes;
    while let Some(tag) = reader.tag() {
        assert_eq!(rest.first(), Some(&tag));
        let (mut other, mut number) = (reader.clone(), reader.clone());
        let whole = other.take_whole(tag);
        let Some(content) = reader.take(tag) else {
            assert!(whole.is_none() && number.number().is_none());
            return assert_eq!((reader.tag(), number.tag()), (Some(tag), Some(tag)));
        };
        assert_eq!(whole, Some(element(tag, content).as_slice()));
        if let Some(number) = number.number() {
            let digits = number.to_be_bytes();
            let zeros = digits.iter().take_while(|digit| **digit == 0).count();
            let digits = [&[0], &digits[zeros..]].concat();
            let signed = digits.get(1).is_some_and(|first| *first < 0x80);
            assert_eq!(
                whole,
                Some(element(INTEGER, &digits[usize::from(signed)..]).as_slice())
            );
        }
        let (start, after) = rest.split_at(whole.map_or(0, <[u8]>::len));
        assert_eq!(Some(start), whole);
        rest = after;
        if tag & 0x20 != 0 && depth > 0 {
            read_all(content, depth - 1);
        }
    }
    assert!(rest.is_empty() && reader.is_empty());
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let digits = content.len().to_be_bytes();
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = &digits[zeros..];
    let length = match content.len() {
        0 => vec![0],
        1..0x80 => digits.to_vec(),
        _ => [&[0x80 + digits.len() as u8], digits].concat(),
    };
    [&[tag], &length[..], content].concat()
}

/// What an operator reads is one line of readable length.
fn is_one_line(text: &str) {
    assert!(!text.is_empty() && text.len() <= 4096, "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
