//! What must hold for every input, one function for each target. The fuzzer and the smoke test on
//! the stable compiler run the same ones.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::packet::Packet;
use sequoia_openpgp::parse::{PacketParser, PacketParserResult, Parse};
use signstar_core::{
    Certificate, Declaration, Event, FRAME_BYTES, Field, HashAlgorithm, HashState, HashStateError,
    Hasher, HasherError, LINE_BYTES_MAX, PublicKey, Record, RequestId, SecretKey, VERDICT_BYTES,
    Verdict, WorkerAnswer, WorkerRequest,
};

/// 2026-12-31: after the creation of every seed, before the expiry of most.
const NOW: Duration = Duration::from_secs(1_798_675_200);

/// A certificate file: what is accepted is read the same each time, and its signing key is valid.
pub(crate) fn certificate(input: &[u8]) {
    let now = SystemTime::UNIX_EPOCH + NOW;
    let certificate = match Certificate::parse(input) {
        Ok(certificate) => certificate,
        Err(error) => return is_one_line(&error.to_string()),
    };
    let primary = certificate.fingerprint();
    is_fingerprint(&primary);
    let key = match certificate.signing_key(None, now) {
        Ok(key) => key,
        Err(error) => return is_one_line(&error.to_string()),
    };
    is_fingerprint(&key.fingerprint());
    assert_eq!(key.certificate_fingerprint(), primary);
    assert!(key.created() <= now);
    assert!(key.is_alive_at(now));
    assert!(key.allows(HashAlgorithm::Sha512));
    if let PublicKey::Rsa { n, e } = key.public_key() {
        assert!((256..=512).contains(&n.len()));
        assert!(n.first() != Some(&0) && e.first() != Some(&0));
    }
    let chosen = certificate.signing_key(Some(&key.fingerprint()), now);
    assert_eq!(chosen.map(|key| key.fingerprint()), Ok(key.fingerprint()));
    let other = "0".repeat(key.fingerprint().len());
    assert!(certificate.signing_key(Some(&other), now).is_err());
}

/// A passphrase (empty: none) on the first line, then a secret key file. A key that opens is the
/// one that was asked for, and its numbers have their lengths.
pub(crate) fn secret_key(input: &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let (Some(passphrase), Some(file)) = (parts.next(), parts.next()) else {
        return;
    };
    let passphrase = (!passphrase.is_empty()).then_some(passphrase);
    let nobody = "0".repeat(40);
    let refused = SecretKey::parse(file, &nobody, passphrase);
    is_one_line(&refused.map_or_else(|error| error.to_string(), |_| "\n".to_owned()));
    for fingerprint in fingerprints(file) {
        match SecretKey::parse(file, &fingerprint, passphrase) {
            Ok(key) => {
                let shown = format!("{key:?} {:?}", key.material());
                assert!(shown.len() < 8192 && shown.contains(".."));
            }
            Err(error) => is_one_line(&error.to_string()),
        }
    }
}

/// The fingerprints of the first keys in a file.
fn fingerprints(file: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(mut parser) = PacketParser::from_bytes(file) else {
        return found;
    };
    while let PacketParserResult::Some(current) = parser {
        let Ok((packet, rest)) = current.next() else {
            break;
        };
        match packet {
            Packet::SecretKey(key) => found.push(key.fingerprint().to_hex()),
            Packet::SecretSubkey(key) => found.push(key.fingerprint().to_hex()),
            Packet::PublicKey(key) => found.push(key.fingerprint().to_hex()),
            _ => {}
        }
        if found.len() == 4 {
            break;
        }
        parser = rest;
    }
    found
}

/// SSH_ORIGINAL_COMMAND: what is accepted has this one spelling.
pub(crate) fn declaration(input: &[u8]) {
    match Declaration::parse(input) {
        Ok(said) => {
            let digest = said.sha512.to_string().replace(':', "=");
            let spelled = format!("sign v1 size={} {digest}", said.bytes);
            assert_eq!(spelled.as_bytes(), input);
        }
        Err(error) => is_one_line(&error.to_string()),
    }
}

/// A line of the audit log: what is accepted has this one spelling. And a record with parts of the
/// input as its values: it is one line of bounded length, and is read back exactly.
pub(crate) fn audit_line(input: &[u8]) {
    if let Ok(line) = std::str::from_utf8(input)
        && let Ok(record) = Record::from_line(line)
    {
        assert_eq!(record.to_line(), line);
    }
    let mut parts = input.split(|&byte| byte == 0);
    let first = parts.next().unwrap_or_default();
    let number = first.iter().fold(0_u64, |sum, &byte| {
        sum.wrapping_mul(257).wrapping_add(u64::from(byte))
    });
    // Times that RFC 3339 can spell.
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(number % 253_402_300_800_000);
    let event = Event::ALL.into_iter().cycle().nth(first.len() % 5);
    let id = RequestId::from_bytes([first.first().copied().unwrap_or(0); 16]);
    let mut record = Record::new(event.unwrap_or(Event::Intent), id, time);
    for (part, field) in parts.zip(Field::ALL) {
        record.set(field, String::from_utf8_lossy(part));
    }
    let line = record.to_line();
    assert!(line.len() <= LINE_BYTES_MAX);
    assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    assert_eq!(line.split(' ').count(), 5 + record.fields().count());
    assert_eq!(Record::from_line(&line), Ok(record));
}

/// An exported state of a hash: what is accepted is exported as it was, counts what it says, and
/// goes on.
pub(crate) fn hash_state(input: &[u8]) {
    for algorithm in HashAlgorithm::ALL {
        let bytes = input.to_vec();
        let state = HashState { algorithm, bytes };
        let mut hasher = match Hasher::resume(&state, u64::MAX) {
            Ok(hasher) => hasher,
            Err(error) => {
                is_one_line(&error.to_string());
                continue;
            }
        };
        assert_eq!(hasher.export(), state);
        let counted = hasher.bytes();
        assert!(Hasher::resume(&state, counted).is_ok());
        if let Some(less) = counted.checked_sub(1) {
            let refused = Hasher::resume(&state, less).err();
            assert_eq!(refused, Some(HashStateError::TooLarge));
        }
        let other = hasher.clone();
        match hasher.update(b"more") {
            Ok(()) => {
                assert_eq!(hasher.bytes(), counted + 4);
                assert_eq!(hasher.finish(), other.finish_with(b"more"));
            }
            Err(HasherError::TooLarge { bytes_max }) => assert!(counted + 4 > bytes_max),
        }
    }
}

/// A frame between the shell and a worker, as it is and filled up to the length of one: what is
/// accepted has this one spelling.
pub(crate) fn worker_messages(input: &[u8]) {
    let mut filled = input.to_vec();
    filled.resize(FRAME_BYTES, 0);
    for frame in [input, &filled] {
        match WorkerRequest::from_frame(frame) {
            Ok(request) => assert_eq!(
                request.to_frame().map(|frame| frame.to_vec()),
                Ok(frame.to_vec())
            ),
            Err(error) => is_one_line(&error.to_string()),
        }
        match WorkerAnswer::from_frame(frame) {
            Ok(answer) => assert_eq!(
                answer.to_frame().map(|frame| frame.to_vec()),
                Ok(frame.to_vec())
            ),
            Err(error) => is_one_line(&error.to_string()),
        }
    }
}

/// A message of the inspector's, filled up to the length of one: what is accepted has this one
/// spelling.
pub(crate) fn verdict(input: &[u8]) {
    let mut message = [0; VERDICT_BYTES];
    for (place, byte) in message.iter_mut().zip(input) {
        *place = *byte;
    }
    match Verdict::decode(&message) {
        Ok(verdict) => assert_eq!(verdict.encode(), Ok(message)),
        Err(error) => is_one_line(&error.to_string()),
    }
}

/// Upper-case hexadecimal digits of version 4 or 6.
fn is_fingerprint(text: &str) {
    assert!([40, 64].contains(&text.len()), "{text}");
    let digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    assert!(text.bytes().all(digit), "{text}");
}

/// What an operator reads is one line of readable length.
fn is_one_line(text: &str) {
    assert!(!text.is_empty() && text.len() <= 4096, "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
