//! When a key shall expire, as people say it.

use std::time::SystemTime;

use crate::failure::{Failure, Status};

/// A date (`2030-12-31`: its first moment, UTC) or a time from `now` (`2years`, `90d`).
pub(crate) fn parse(text: &str, now: SystemTime) -> Result<SystemTime, Failure> {
    let date = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok();
    let after = || {
        humantime::parse_duration(text)
            .ok()
            .and_then(|time| now.checked_add(time))
    };
    date.or_else(after).ok_or_else(|| {
        let text = format!("--expires {text:?}: give a date (2030-12-31) or a time (2years, 90d)");
        Failure::new(Status::Usage, text)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reads_dates_and_times_from_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let seconds = |text| {
            let time = parse(text, now)
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
            let failure = parse(text, SystemTime::UNIX_EPOCH).unwrap_err();
            assert_eq!(failure.status, Status::Usage, "{text}");
        }
        assert!(parse("600000000000years", SystemTime::UNIX_EPOCH).is_err());
    }
}
