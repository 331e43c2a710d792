//! When a key shall expire or was created, as people say it.

use std::time::SystemTime;

use crate::failure::{Failure, Status};

/// A date (`2030-12-31`: its first moment, UTC) or a time from `now` (`2years`, `90d`); `option` is
/// where it stands on the command line.
pub(crate) fn parse(option: &str, text: &str, now: SystemTime) -> Result<SystemTime, Failure> {
    let after = || {
        humantime::parse_duration(text)
            .ok()
            .and_then(|time| now.checked_add(time))
    };
    date(text).or_else(after).ok_or_else(|| {
        let text = format!("{option} {text:?}: give a date (2030-12-31) or a time (2years, 90d)");
        Failure::new(Status::Usage, text)
    })
}

/// When something expires, if it does: as [`parse`] reads it, or `never`.
pub(crate) fn parse_or_never(
    option: &str,
    text: &str,
    now: SystemTime,
) -> Result<Option<SystemTime>, Failure> {
    match text {
        "never" => Ok(None),
        other => parse(option, other, now).map(Some),
    }
}

/// When a key was created: to the second (`2026-01-31T12:00:00Z`), or a date.
pub(crate) fn parse_created(text: &str) -> Result<SystemTime, Failure> {
    let exact = || humantime::parse_rfc3339(text).ok();
    date(text).or_else(exact).ok_or_else(|| {
        let text = format!("--created {text:?}: give 2026-01-31T12:00:00Z or a date");
        Failure::new(Status::Usage, text)
    })
}

/// A moment, for people.
pub(crate) fn shown(time: Option<SystemTime>) -> String {
    let format = |time| humantime::format_rfc3339_seconds(time).to_string();
    time.map_or_else(|| "never".to_owned(), format)
}

fn date(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reads_dates_and_times_from_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let seconds = |text| {
            let time = parse("--expires", text, now)
                .unwrap()
                .duration_since(SystemTime::UNIX_EPOCH);
            time.unwrap().as_secs()
        };
        assert_eq!(seconds("2030-12-31"), 1_924_905_600);
        assert_eq!(seconds("90d"), 1_700_000_000 + 90 * 86_400);
        assert_eq!(seconds("2years"), 1_700_000_000 + 2 * 31_557_600);
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "2030",
            "2030-13-01",
            "31.12.2030",
            "soon",
            "-1d",
            "2030-12-31T00:00:00Z",
        ] {
            let failure = parse("--expires", text, SystemTime::UNIX_EPOCH).unwrap_err();
            assert_eq!(failure.status, Status::Usage, "{text}");
        }
        assert!(parse("--expires", "600000000000years", SystemTime::UNIX_EPOCH).is_err());
    }
}
