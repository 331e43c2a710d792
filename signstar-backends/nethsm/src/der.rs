//! The little of DER (ITU-T X.690) that is read here and by `nethsm-cli`: answers of devices, certificates, and
//! what is in PKCS#12 files. Never written.
//!
//! Every length and number has one spelling, the shortest; another one is not read.
//!
//! # What is deliberately absent
//! Lengths that are not said before the content, as BER has them; tags above 30; content of 16 MiB and more.

/// A number.
pub const INTEGER: u8 = 0x02;
/// Bytes.
pub const OCTETS: u8 = 0x04;
/// The name of an algorithm or of a kind of content.
pub const OID: u8 = 0x06;
/// A list.
pub const SEQUENCE: u8 = 0x30;
/// A set.
pub const SET: u8 = 0x31;
/// The first thing in a structure that is marked by its place.
pub const EXPLICIT_0: u8 = 0xa0;

/// Reads elements one after the other. What cannot be read is left where it is.
#[derive(Clone, Debug)]
pub struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    /// A reader of all of `bytes`.
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The tag of the next element; nothing at the end.
    pub fn tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The content of the next element, if it has this tag; else nothing is read.
    pub fn take(&mut self, tag: u8) -> Option<&'b [u8]> {
        let (header, length) = self.header(tag)?;
        let whole = self.split(header.checked_add(length)?)?;
        whole.get(header..)
    }

    /// The next element with its header, if it has this tag; else nothing is read.
    pub fn take_whole(&mut self, tag: u8) -> Option<&'b [u8]> {
        let (header, length) = self.header(tag)?;
        self.split(header.checked_add(length)?)
    }

    /// A reader of what is in the next element, if it has this tag; else nothing is read.
    pub fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self::new)
    }

    /// Passes over the next element, whatever it is.
    pub fn skip(&mut self) -> Option<()> {
        let tag = self.tag()?;
        self.take(tag).map(|_| ())
    }

    /// A number that is not negative and fits.
    pub fn number(&mut self) -> Option<u64> {
        let mut after = self.clone();
        let digits = match after.take(INTEGER)? {
            [0] => &[],
            content => unsigned(content)?,
        };
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let number = (digits.len() <= 8).then(|| digits.iter().fold(0, fold))?;
        *self = after;
        Some(number)
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Lengths of header and content.
    fn header(&self, tag: u8) -> Option<(usize, usize)> {
        let (found, rest) = self.rest.split_first()?;
        if *found != tag || tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        if first < 0x80 {
            return Some((2, usize::from(first)));
        }
        let count = usize::from(first & 0x7f);
        if !(1..=3).contains(&count) {
            return None;
        }
        let digits = rest.get(..count)?;
        let length = digits
            .iter()
            .fold(0, |length, digit| length << 8 | usize::from(*digit));
        // The shortest form is the only one.
        let shortest = digits.first() != Some(&0) && length >= 0x80;
        shortest.then_some((2 + count, length))
    }

    fn split(&mut self, at: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest;
        Some(taken)
    }
}

/// The numbers r and s of an ECDSA signature (RFC 3279, section 2.2.3), without leading zeros.
pub(crate) fn ecdsa_numbers(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut outer = Reader::new(bytes);
    let mut both = Reader::new(outer.take(SEQUENCE)?);
    let (r, s) = (
        unsigned(both.take(INTEGER)?)?,
        unsigned(both.take(INTEGER)?)?,
    );
    (outer.is_empty() && both.is_empty()).then(|| (r.to_vec(), s.to_vec()))
}

/// A positive number without the zero that keeps it from being a negative one.
fn unsigned(content: &[u8]) -> Option<&[u8]> {
    match content {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
        [first, ..] if (1..0x80).contains(first) => Some(content),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_numbers_of_a_signature() {
        let bytes = b"\x30\x07\x02\x02\x00\x80\x02\x01\x05";
        assert_eq!(ecdsa_numbers(bytes), Some((vec![0x80], vec![5])));
    }

    #[test]
    fn refuses_every_other_form() {
        for bytes in [
            &b""[..],
            b"\x30\x00",
            b"\x30\x03\x02\x01\x05",
            b"\x30\x06\x02\x01\x05\x02\x01\x05\x00",
            b"\x30\x07\x02\x01\x05\x02\x01\x05\x00",
            b"\x30\x81\x06\x02\x01\x05\x02\x01\x05",
            b"\x31\x06\x02\x01\x05\x02\x01\x05",
            b"\x30\x06\x02\x01\x85\x02\x01\x05",
            b"\x30\x06\x02\x01\x00\x02\x01\x05",
            b"\x30\x07\x02\x02\x00\x05\x02\x01\x05",
            b"\x30\x05\x02\x01\x05\x02\x01",
            b"\x30\x84\xff\xff\xff\xff\x02\x01\x05",
        ] {
            assert_eq!(ecdsa_numbers(bytes), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn elements_are_read_one_after_the_other_and_never_beyond_their_end() {
        let bytes = b"\x30\x06\x02\x01\x05\x04\x01a";
        let mut outer = Reader::new(bytes);
        let mut inner = outer.enter(SEQUENCE).unwrap();
        assert!(inner.take(OCTETS).is_none());
        assert_eq!(inner.number(), Some(5));
        assert_eq!(inner.take(OCTETS), Some(&b"a"[..]));
        assert_eq!((inner.tag(), outer.tag()), (None, None));
        for end in 0..bytes.len() {
            assert!(Reader::new(&bytes[..end]).enter(SEQUENCE).is_none());
        }
        for wrong in [
            // A length of which nobody says how long it is, and those that are longer than they must be.
            &b"\x30\x80\x00\x00"[..],
            b"\x30\x81\x01\x00",
            b"\x30\x82\x00\x01\x00",
            // A tag of several bytes.
            b"\x3f\x01\x00",
        ] {
            let mut reader = Reader::new(wrong);
            assert!(reader.skip().is_none() && reader.tag() == wrong.first().copied());
        }
    }

    #[test]
    fn numbers_have_one_spelling_and_others_stay() {
        let numbers = [
            (&b"\x02\x01\x00"[..], Some(0)),
            (b"\x02\x02\x00\x80", Some(128)),
            (
                b"\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff",
                Some(u64::MAX),
            ),
            (b"\x02\x00", None),
            (b"\x02\x01\x80", None),
            (b"\x02\x02\x00\x05", None),
            (b"\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00", None),
        ];
        for (bytes, number) in numbers {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.number(), number, "{bytes:02x?}");
            assert_eq!(reader.is_empty(), number.is_some(), "{bytes:02x?}");
        }
    }

    #[test]
    fn an_element_of_another_tag_stays() {
        let mut reader = Reader::new(b"\x02\x01\x05");
        assert_eq!(reader.take(0xa0), None);
        assert_eq!(reader.take_whole(0x02), Some(&b"\x02\x01\x05"[..]));
        assert!(reader.is_empty());
    }
}
