//! What each record of an event has, and in which form.

use signstar_core::{Event, Field, Record};

/// What says whom and what all records of a request are about. They are known before the intent.
pub(super) const SUBJECT: [Field; 10] = [
    Field::User,
    Field::Address,
    Field::SshKey,
    Field::SshCertificate,
    Field::SshSerial,
    Field::SshAuthority,
    Field::Key,
    Field::Fingerprint,
    Field::Certificate,
    Field::BackEnd,
];

/// What every record of an event has.
const fn needed(event: Event) -> &'static [Field] {
    match event {
        Event::Intent => &[
            Field::Fingerprint,
            Field::Certificate,
            Field::Input,
            Field::Bytes,
            Field::Verdict,
        ],
        Event::Release => &[
            Field::Fingerprint,
            Field::Certificate,
            Field::Input,
            Field::Bytes,
            Field::Verdict,
            Field::Signature,
        ],
        Event::Attempt => &[Field::Fingerprint],
        Event::Refusal => &[Field::Verdict, Field::Code],
        Event::Undelivered => &[Field::Fingerprint, Field::Code],
    }
}

/// The field that `record` lacks or has in another form than records have, if there is one.
pub(super) fn wrong(record: &Record) -> Option<Field> {
    let lacking = needed(record.event).iter().copied();
    let lacking = lacking.filter(|field| record.get(*field).is_none());
    let misshapen = record
        .fields()
        .filter(|(field, value)| !fits(record.event, *field, value));
    lacking.chain(misshapen.map(|(field, _)| field)).next()
}

fn fits(event: Event, field: Field, value: &str) -> bool {
    let is_number = || !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match field {
        Field::Verdict => match event {
            Event::Refusal => value == "refused",
            _ => value == "approved",
        },
        Field::Bytes | Field::Counter | Field::SshSerial => is_number(),
        Field::Input | Field::Signature => is_digest(value),
        Field::Origin => value == "hash-state",
        Field::Fingerprint | Field::Certificate => {
            matches!(value.len(), 40 | 64) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        // What has no form of its own, or one that is not known here.
        _ => true,
    }
}

fn is_digest(value: &str) -> bool {
    let Some((name, digits)) = value.split_once(':') else {
        return false;
    };
    let length = match name {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == length && digits.bytes().all(is_digit)
}

/// The field of which two records of a request say different things, if there is one.
pub(super) fn disagreement(earlier: &Record, later: &Record) -> Option<Field> {
    Field::ALL.into_iter().find(|&field| {
        let said = (earlier.get(field), later.get(field));
        match said {
            _ if SUBJECT.contains(&field) => said.0 != said.1,
            // What was approved can still be refused.
            _ if field == Field::Verdict => false,
            (Some(earlier), Some(later)) => earlier != later,
            _ => false,
        }
    })
}
