//! `key = value` lines, as makepkg writes them into .PKGINFO and .BUILDINFO.

use signstar_core::VERDICT_TEXT_BYTES_MAX;

/// The longest line: libalpm gives up at 512 KiB.
const LINE_BYTES_MAX: usize = 256 << 10;

/// The lines of a file, all of keys that are known.
pub(crate) struct Fields<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Fields<'t> {
    /// Reads `content`; `None` if a line is no comment and no `key = value` of a `known` key.
    pub(crate) fn parse(content: &'t [u8], known: &[&str]) -> Option<Self> {
        let text = std::str::from_utf8(content).ok()?;
        let mut fields = Vec::new();
        for line in text.strip_suffix('\n')?.split('\n') {
            if line.starts_with('#') {
                continue;
            }
            // makepkg writes an empty value with a space behind the equals sign.
            let (key, value) = line.split_once(" = ")?;
            // repo-add writes values into a database, where such a one would be a section.
            let strange = value.chars().any(char::is_control) || is_section(value);
            if !known.contains(&key) || strange || line.len() > LINE_BYTES_MAX {
                return None;
            }
            fields.push((key, value));
        }
        Some(Self(fields))
    }

    /// The value of a key that stands there exactly once.
    pub(crate) fn one(&self, key: &str) -> Option<&'t str> {
        let mut values = self.0.iter().filter(|(name, _)| *name == key);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(*value)
    }

    /// The same for a key that may be absent.
    pub(crate) fn at_most_one(&self, key: &str) -> Option<Option<&'t str>> {
        match self.0.iter().any(|(name, _)| *name == key) {
            true => self.one(key).map(Some),
            false => Some(None),
        }
    }
}

/// Whether `text` can be the name of a package (PKGBUILD(5)).
pub(crate) fn is_package_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"@._+-".contains(&byte);
    (1..=128).contains(&text.len()) && !text.starts_with(['-', '.']) && text.bytes().all(allowed)
}

/// Whether `text` can be a full version: `[EPOCH:]VERSION-RELEASE` (PKGBUILD(5)).
pub(crate) fn is_version(text: &str) -> bool {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let Some((version, release)) = rest.split_once('-') else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_version = |byte: u8| byte.is_ascii_graphic() && !b":/-".contains(&byte);
    text.len() <= 128
        && digits(epoch)
        && !version.is_empty()
        && version.bytes().all(of_version)
        && release.split('.').count() <= 2
        && release.split('.').all(digits)
}

/// Whether `text` can be an architecture.
pub(crate) fn is_architecture(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=32).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether `text` can be a packager. repo-add drops spaces around a value, and an equals sign before it.
pub(crate) fn is_packager(text: &str) -> bool {
    text.len() <= VERDICT_TEXT_BYTES_MAX && text == text.trim() && !text.starts_with('=')
}

/// Whether a line names a section of a database.
pub(crate) fn is_section(line: &str) -> bool {
    line.len() > 1 && line.starts_with('%') && line.ends_with('%')
}

/// A number of seconds or bytes: digits, and no more than fit, with libalpm into a signed number.
pub(crate) fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = text.parse().ok().filter(|_| plain)?;
    u64::try_from(number).ok()
}
