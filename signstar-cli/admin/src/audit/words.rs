//! What comes from a log, for a terminal.

use std::fmt::Write as _;
use std::time::SystemTime;

/// A value that may be anything: what is no plain character of ASCII stands as `\u{…}`.
pub(crate) fn plain(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for char in value.chars() {
        match char {
            ' '..='~' => text.push(char),
            _ => text.extend(char.escape_unicode()),
        }
    }
    text
}

/// A moment, to the millisecond as records have it.
pub(crate) fn moment(time: SystemTime) -> String {
    let mut text = String::new();
    let is_said = time >= SystemTime::UNIX_EPOCH
        && write!(text, "{}", humantime::format_rfc3339_millis(time)).is_ok();
    match is_said {
        true => text,
        // A log may say any number of seconds.
        false => "a year that no clock has".to_owned(),
    }
}

/// So many of something.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(plain("a b~"), "a b~");
        assert_eq!(
            plain("\u{1b}[0m\n\u{9b}é"),
            "\\u{1b}[0m\\u{a}\\u{9b}\\u{e9}"
        );
    }

    #[test]
    fn every_moment_can_be_said() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(moment(at(1)), "1970-01-01T00:00:01.000Z");
        assert_eq!(moment(at(1 << 50)), "a year that no clock has");
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(moment(before), "a year that no clock has");
    }
}
