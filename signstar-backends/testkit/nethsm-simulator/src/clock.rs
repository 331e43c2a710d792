//! Time: what the device thinks it is, and what limits are counted by. Tests can move it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock of a device.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// By how much a test has moved it.
    advanced: Duration,
    /// Seconds between the machine's clock and what the device was told.
    pub(crate) offset_s: i64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            advanced: Duration::ZERO,
            offset_s: 0,
        }
    }

    /// Time since the start, which only goes forward.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed() + self.advanced
    }

    /// Moves it forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.advanced += by;
    }

    /// Seconds since 1970, as the device has it.
    pub(crate) fn now(&self) -> i64 {
        self.raw() + self.offset_s
    }

    /// Makes `now` the time.
    pub(crate) fn set(&mut self, now: i64) {
        self.offset_s = now - self.raw();
    }

    fn raw(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default() + self.advanced;
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
}

/// A day and a time of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
    days: i64,
}

impl Moment {
    /// Of seconds since 1970.
    pub(crate) fn of(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        // Days are counted in eras of 400 years that begin on the first of March.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            second_of_day: seconds.rem_euclid(86_400),
            days,
        }
    }

    fn seconds(year: i64, month: i64, day: i64, second_of_day: i64) -> i64 {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let march_month = (month + 9) % 12;
        let day_of_year = (153 * march_month + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        (era * 146_097 + day_of_era - 719_468) * 86_400 + second_of_day
    }

    fn time(self) -> String {
        let second = self.second_of_day;
        format!(
            "{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    /// `2026-11-22T09:13:02Z`
    pub(crate) fn rfc3339(self) -> String {
        format!(
            "{:04}-{:02}-{:02}T{}Z",
            self.year,
            self.month,
            self.day,
            self.time()
        )
    }

    /// `Sun, 22 Nov 2026 09:13:02 GMT`
    pub(crate) fn http(self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let name = |names: &[&'static str], index: i64| {
            let index = usize::try_from(index).unwrap_or_default();
            names.get(index).copied().unwrap_or_default()
        };
        let (day, month) = (
            name(&DAYS, self.days.rem_euclid(7)),
            name(&MONTHS, self.month - 1),
        );
        format!(
            "{day}, {:02} {month} {:04} {} GMT",
            self.day,
            self.year,
            self.time()
        )
    }
}

/// Seconds since 1970 of a time in UTC by RFC 3339, or the device's message.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let failed = |what: &str, from: usize, to: usize| {
        format!("Failed to decode timestamp: {what} at position {from} to {to}.")
    };
    let bytes = text.as_bytes();
    let last = bytes.len().saturating_sub(1);
    let mut at = 0;
    let mut digits = |count: usize, after: Option<&[u8]>| -> Result<i64, String> {
        if at + count > bytes.len() {
            return Err(failed("unexpected end of input", last, last));
        }
        let mut number = 0;
        for _ in 0..count {
            match bytes.get(at) {
                Some(digit @ b'0'..=b'9') => number = number * 10 + i64::from(digit - b'0'),
                _ => {
                    let expected = "expected a character in: '0' '1' '2' '3' '4' '5'\n                            '6' '7' '8' '9'";
                    return Err(failed(expected, at, at));
                }
            }
            at += 1;
        }
        let Some(after) = after else {
            return Ok(number);
        };
        match bytes.get(at) {
            None => Err(failed("unexpected end of input", last, last)),
            Some(byte) if after.contains(byte) => {
                at += 1;
                Ok(number)
            }
            Some(_) => {
                let names: Vec<String> = after
                    .iter()
                    .map(|byte| format!("'{}'", char::from(*byte)))
                    .collect();
                let expected = format!("expected a character in: {}", names.join(" "));
                Err(failed(&expected, at, at))
            }
        }
    };
    let (year, month, day) = (
        digits(4, Some(b"-"))?,
        digits(2, Some(b"-"))?,
        digits(2, Some(b"Tt "))?,
    );
    let (hour, minute) = (digits(2, Some(b":"))?, digits(2, Some(b":"))?);
    let second = digits(2, None)?;
    let whole = 0..=last;
    let length = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month)
        || !(1..=length).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return Err(failed("invalid time stamp", *whole.start(), *whole.end()));
    }
    let mut rest = text.get(at..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|char: char| char.is_ascii_digit());
    }
    match rest {
        "Z" | "z" | "+00:00" | "-00:00" => Ok(Moment::seconds(
            year,
            month,
            day,
            hour * 3600 + minute * 60 + second,
        )),
        "" => Err(failed("unexpected end of input", last, last)),
        _ if rest.len() == 6 && rest.starts_with(['+', '-']) => {
            Err("Error while parsing timestamp. Offset must be 0.".to_owned())
        }
        _ => {
            let at = text.len() - rest.len();
            Err(failed("expected a character in: '+' '-' 'Z'", at, at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, parse};

    #[test]
    fn times_come_back() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_338_782, "2026-11-22T09:13:02Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment::of(seconds).rfc3339(), text);
            assert_eq!(parse(text), Ok(seconds));
        }
        assert_eq!(
            Moment::of(1_795_338_782).http(),
            "Sun, 22 Nov 2026 09:13:02 GMT"
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-22T09:13:02+02:00",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
