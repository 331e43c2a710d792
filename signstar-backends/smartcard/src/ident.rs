//! How a card is named.

use std::fmt;
use std::str::FromStr;

/// Manufacturer and serial number of an OpenPGP card, `0006:12345678`, as they stand in its
/// application identifier (OpenPGP card 3.4.1, section 4.2.1). `gpg --card-status` prints both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident {
    manufacturer: u16,
    serial: u32,
}

impl Ident {
    /// From its numbers.
    pub const fn new(manufacturer: u16, serial: u32) -> Self {
        Self {
            manufacturer,
            serial,
        }
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}:{:08X}", self.manufacturer, self.serial)
    }
}

/// The text is no [`Ident`]. Whoever wrote it must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoIdent;

impl fmt::Display for NoIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a card's manufacturer and serial number, `0006:12345678` say")
    }
}

impl std::error::Error for NoIdent {}

impl FromStr for Ident {
    type Err = NoIdent;

    fn from_str(text: &str) -> Result<Self, NoIdent> {
        let (manufacturer, serial) = text.split_once(':').ok_or(NoIdent)?;
        let digits = |text: &str, count| {
            text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if !digits(manufacturer, 4) || !digits(serial, 8) {
            return Err(NoIdent);
        }
        Ok(Self {
            manufacturer: u16::from_str_radix(manufacturer, 16).map_err(|_| NoIdent)?,
            serial: u32::from_str_radix(serial, 16).map_err(|_| NoIdent)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ident_is_read_in_both_cases_and_printed_in_one() {
        let read: Ident = "fffe:0000abcd".parse().unwrap();
        assert_eq!(read, Ident::new(0xfffe, 0xabcd));
        assert_eq!(read.to_string(), "FFFE:0000ABCD");
        assert_eq!(read.to_string().parse(), Ok(read));
    }

    #[test]
    fn what_is_no_ident_is_refused() {
        for text in [
            "",
            ":",
            "0006",
            "0006:1234567",
            "0006:123456789",
            "006:12345678",
            "+006:12345678",
            "0006:+2345678",
            "0006:1234567g",
            "0006 12345678",
            "0006:12345678 ",
        ] {
            assert_eq!(text.parse::<Ident>(), Err(NoIdent), "{text:?}");
        }
    }
}
