//! Extended headers (POSIX.1-2001, "pax Interchange Format"): records of the form
//! `LENGTH KEY=VALUE\n`, here only of paths.

use super::path::is_text;

/// Two paths of the greatest length, and what belongs to them.
pub(super) const BYTES_MAX: usize = 10 * 1024;

/// What an extended header replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) path: Option<String>,
    pub(super) target: Option<String>,
}

/// Reads the content of an extended header; `None` if there is anything else in it.
pub(super) fn parse(mut content: &[u8]) -> Option<Extension> {
    let mut extension = Extension::default();
    while !content.is_empty() {
        let space = content.iter().take(6).position(|&byte| byte == b' ')?;
        let digits = std::str::from_utf8(content.get(..space)?).ok()?;
        // No sign, no leading zero.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
            return None;
        }
        let (record, rest) = content.split_at_checked(digits.parse().ok()?)?;
        let text = std::str::from_utf8(record.get(space + 1..)?).ok()?;
        let (key, value) = text.strip_suffix('\n')?.split_once('=')?;
        if value.is_empty() || !is_text(value) {
            return None;
        }
        let place = match key {
            "path" => &mut extension.path,
            "linkpath" => &mut extension.target,
            _ => return None,
        };
        if place.replace(value.to_owned()).is_some() {
            return None;
        }
        content = rest;
    }
    Some(extension)
}
