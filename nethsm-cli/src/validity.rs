//! Until when a certificate is valid, whatever it is: X.509 (DER or PEM) or OpenPGP.
//!
//! It is not verified: who looks at the day of expiry has put it there.

use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding as _};
use signstar_core::Certificate;

use signstar_nethsm::der::{EXPLICIT_0, Reader, SEQUENCE};

/// Times of two digits for the year, and of four.
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// What a certificate is, and until when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// X.509 or OpenPGP.
    pub kind: &'static str,
    /// Nothing where it does not expire, or never held.
    pub until: Option<SystemTime>,
    /// It does not hold any more.
    pub over: bool,
}

/// Reads a certificate, the first one of a chain; nothing where it is none that is known.
pub fn validity(bytes: &[u8], now: SystemTime) -> Option<Validity> {
    let x509 = |der: &[u8]| {
        let until = not_after(der)?;
        Some(Validity {
            kind: "X.509",
            until,
            over: until.is_some_and(|until| until < now),
        })
    };
    if let Some(der) = pem(bytes) {
        return x509(&der);
    }
    x509(bytes).or_else(|| {
        let certificate = Certificate::parse(bytes).ok()?;
        let key = certificate.signing_key(None, now);
        Some(Validity {
            kind: "OpenPGP",
            // What cannot sign any more has expired, was revoked, or never could.
            over: key.is_err(),
            until: key.ok().and_then(|key| key.expires()),
        })
    })
}

/// The first certificate of a PEM file.
fn pem(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    Base64::decode_vec(&body).ok()
}

/// The end of the validity (RFC 5280, section 4.1.2.5), nothing where there is none.
fn not_after(der: &[u8]) -> Option<Option<SystemTime>> {
    let mut signed = Reader::new(der).enter(SEQUENCE)?.enter(SEQUENCE)?;
    if signed.tag() == Some(EXPLICIT_0) {
        signed.skip()?;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        signed.skip()?;
    }
    let mut both = signed.enter(SEQUENCE)?;
    both.skip()?;
    let tag = both.tag()?;
    let text = std::str::from_utf8(both.take(tag)?).ok()?;
    let digits = text.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year: u32 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    // What "no well-defined expiration date" looks like.
    if year == 9999 {
        return Some(None);
    }
    let (month, rest) = rest.split_at_checked(2)?;
    let (day, rest) = rest.split_at_checked(2)?;
    let (hour, rest) = rest.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    let written = format!("{year:04}-{month}-{day}T{hour}:{minute}:{second}Z");
    humantime::parse_rfc3339(&written).ok().map(Some)
}

/// How many whole days are left at `now`; less than nothing where it is over.
pub(crate) fn days_left(until: SystemTime, now: SystemTime) -> i64 {
    const DAY_S: u64 = 86_400;
    let days = |duration: Duration| i64::try_from(duration.as_secs() / DAY_S).unwrap_or(i64::MAX);
    match until.duration_since(now) {
        Ok(left) => days(left),
        Err(over) => -days(over.duration()) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frame of a certificate with these times.
    fn framed(tag: u8, time: &[u8]) -> Vec<u8> {
        let element = |tag: u8, content: &[u8]| {
            let mut bytes = vec![tag, u8::try_from(content.len()).unwrap()];
            bytes.extend_from_slice(content);
            bytes
        };
        let one = element(tag, time);
        let both = element(SEQUENCE, &[one.clone(), one].concat());
        let head = [
            element(0x02, &[1]),
            element(SEQUENCE, &[]),
            element(SEQUENCE, &[]),
        ]
        .concat();
        element(SEQUENCE, &element(SEQUENCE, &[head, both].concat()))
    }

    #[test]
    fn both_forms_of_times_are_read_and_nonsense_is_not() {
        let at = |text: &str| Some(Some(humantime::parse_rfc3339(text).unwrap()));
        let utc = framed(UTC_TIME, b"490131120000Z");
        assert_eq!(not_after(&utc), at("2049-01-31T12:00:00Z"));
        let old = framed(UTC_TIME, b"990131120000Z");
        assert_eq!(not_after(&old), at("1999-01-31T12:00:00Z"));
        let far = framed(GENERALIZED_TIME, b"20500131120000Z");
        assert_eq!(not_after(&far), at("2050-01-31T12:00:00Z"));
        let never = framed(GENERALIZED_TIME, b"99991231235959Z");
        assert_eq!(not_after(&never), Some(None));
        for wrong in [
            &b"4901311200Z"[..],
            b"490131120000",
            b"49013112000aZ",
            b"\xff",
        ] {
            assert_eq!(not_after(&framed(UTC_TIME, wrong)), None);
        }
        for end in 0..utc.len() {
            assert_eq!(not_after(&utc[..end]), None, "{end}");
        }
    }

    #[test]
    fn a_day_that_has_begun_is_not_left() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let days = |seconds: u64| Duration::from_secs(seconds);
        assert_eq!(days_left(now + days(86_399), now), 0);
        assert_eq!(days_left(now + days(86_400), now), 1);
        assert_eq!(days_left(now - days(1), now), -1);
    }
}
