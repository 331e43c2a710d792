//! Which records are meant.

use std::time::SystemTime;

use signstar_core::{Field, Record};

use crate::cli::Which;
use crate::failure::{Failure, Status};

/// Shorter beginnings of a digest or an id are likely to be those of several.
const DIGITS_MIN: usize = 8;

/// A request's id has 16 bytes.
const ID_DIGITS: usize = 32;

/// Records that are meant: those that say all of this.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    fields: Vec<(Field, String)>,
    /// Beginning of the request's id, lower-case hexadecimal.
    id: Option<String>,
    /// Beginning of the artifact's digest, lower-case hexadecimal.
    input: Option<String>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
}

impl Filter {
    pub(crate) fn new(options: &Which, now: SystemTime) -> Result<Self, Failure> {
        let exact = [
            (Field::User, &options.user),
            (Field::Key, &options.key),
            (Field::SshKey, &options.ssh_key),
        ];
        let exact = exact.into_iter();
        let time = |option, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| moment(option, text, now)).transpose()
        };
        Ok(Self {
            fields: exact
                .filter_map(|(field, value)| Some((field, value.clone()?)))
                .collect(),
            id: options.id.as_deref().map(id).transpose()?,
            input: options.input.as_deref().map(digits).transpose()?,
            since: time("--since", &options.since)?,
            until: time("--until", &options.until)?,
        })
    }

    /// Whether `record` is meant.
    pub(crate) fn takes(&self, record: &Record) -> bool {
        let says = |(field, value): &(Field, String)| record.get(*field) == Some(value);
        let input = || {
            let digest = record
                .get(Field::Input)
                .and_then(|input| input.split_once(':'));
            digest.map_or("", |(_, digits)| digits)
        };
        self.fields.iter().all(says)
            && self
                .id
                .as_ref()
                .is_none_or(|start| record.id.to_string().starts_with(start))
            && self
                .input
                .as_ref()
                .is_none_or(|start| input().starts_with(start))
            && self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until)
    }
}

/// Everything from `text` on, or all there is.
pub(crate) fn since(text: Option<&str>, now: SystemTime) -> Result<Filter, Failure> {
    let since = text.map(|text| moment("--since", text, now)).transpose()?;
    Ok(Filter {
        since,
        ..Filter::default()
    })
}

/// The digits of a digest, or of its beginning, as records or `sha512sum` have it.
fn digits(text: &str) -> Result<String, Failure> {
    let digits = text.split_once(':').map_or(text, |(_, digits)| digits);
    hexadecimal(digits).ok_or_else(|| {
        let text = format!(
            "--input: give at least {DIGITS_MIN} hexadecimal digits of the artifact's digest"
        );
        Failure::new(Status::Usage, text)
    })
}

/// The digits of a request's id, or of its beginning, as the caller was told it.
fn id(text: &str) -> Result<String, Failure> {
    let id = hexadecimal(text).filter(|id| id.len() <= ID_DIGITS);
    id.ok_or_else(|| {
        let text = format!(
            "--id: give the {ID_DIGITS} hexadecimal digits that the caller was told, or at least \
             the first {DIGITS_MIN}"
        );
        Failure::new(Status::Usage, text)
    })
}

/// Enough digits to tell one thing, in lower case.
fn hexadecimal(text: &str) -> Option<String> {
    let digits = text.to_ascii_lowercase();
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() >= DIGITS_MIN && digits.bytes().all(is_digit)).then_some(digits)
}

/// A date (`2026-01-31`: its first moment, UTC), a time (`2026-01-31T12:00:00Z`) or how long ago
/// (`2days`).
fn moment(option: &str, text: &str, now: SystemTime) -> Result<SystemTime, Failure> {
    let date = || humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok();
    let exact = || humantime::parse_rfc3339(text).ok();
    let ago = || now.checked_sub(humantime::parse_duration(text).ok()?);
    date().or_else(exact).or_else(ago).ok_or_else(|| {
        let text = format!(
            "{option} {text:?}: give a date (2026-01-31), a time (2026-01-31T12:00:00Z) or how long \
             ago (2days)"
        );
        Failure::new(Status::Usage, text)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use signstar_core::{Event, RequestId};

    use super::*;

    fn record() -> Record {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let mut record = Record::new(Event::Intent, RequestId::from_bytes([1; 16]), time);
        record.set(Field::User, "signer");
        record.set(Field::Key, "packages");
        record.set(Field::SshKey, "SHA256:abc");
        record.set(
            Field::Input,
            format!("sha512:{}", "0123456789abcdef".repeat(8)),
        );
        record
    }

    fn takes(change: impl FnOnce(&mut Which)) -> bool {
        let mut which = Which::default();
        change(&mut which);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_086_400);
        Filter::new(&which, now).unwrap().takes(&record())
    }

    #[test]
    fn takes_what_says_all_that_is_asked_for() {
        assert!(takes(|_| ()));
        for (user, key, ssh_key, taken) in [
            ("signer", "packages", "SHA256:abc", true),
            ("signe", "packages", "SHA256:abc", false),
            ("signer", "images", "SHA256:abc", false),
            ("signer", "packages", "SHA256:ab", false),
        ] {
            let found = takes(|which| {
                which.user = Some(user.to_owned());
                which.key = Some(key.to_owned());
                which.ssh_key = Some(ssh_key.to_owned());
            });
            assert_eq!(found, taken, "{user} {key} {ssh_key}");
        }
        for (id, taken) in [
            ("01010101", true),
            (&"01".repeat(16), true),
            ("0101010101010102", false),
            ("02020202", false),
        ] {
            assert_eq!(takes(|which| which.id = Some(id.to_owned())), taken, "{id}");
        }
        for (input, taken) in [
            ("01234567", true),
            ("SHA512:0123456789ABCDEF", true),
            ("12345678", false),
        ] {
            assert_eq!(takes(|which| which.input = Some(input.to_owned())), taken);
        }
    }

    #[test]
    fn takes_a_span_from_its_first_moment_to_before_its_last() {
        let at = "2023-11-14T22:13:20Z";
        for (since, until, taken) in [
            (Some(at), None, true),
            (Some("2023-11-14T22:13:20.001Z"), None, false),
            (Some("1day"), None, true),
            (Some("86399s"), None, false),
            (None, Some(at), false),
            (Some("2023-11-14"), Some("2023-11-15"), true),
            (Some("2023-11-15"), None, false),
        ] {
            let found = takes(|which| {
                which.since = since.map(str::to_owned);
                which.until = until.map(str::to_owned);
            });
            assert_eq!(found, taken, "{since:?} {until:?}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        let refused = |change: fn(&mut Which)| {
            let mut which = Which::default();
            change(&mut which);
            let failure = Filter::new(&which, SystemTime::UNIX_EPOCH).unwrap_err();
            assert_eq!(failure.status, Status::Usage);
        };
        refused(|which| which.input = Some("0123".to_owned()));
        refused(|which| which.input = Some("sha512:0123456789g".to_owned()));
        refused(|which| which.id = Some("0123".to_owned()));
        refused(|which| which.id = Some("0".repeat(33)));
        refused(|which| which.id = Some("request 01010101".to_owned()));
        refused(|which| which.since = Some("tuesday".to_owned()));
        refused(|which| which.until = Some("99999999999999years".to_owned()));
    }
}
