//! The little of DER (ITU-T X.690) that is read of certificates and PKCS#12 files. Nothing is written.
//!
//! Absent: lengths that are not said before the content, as BER has them, and tags above 30.

/// A number.
pub(crate) const INTEGER: u8 = 0x02;
/// Bytes.
pub(crate) const OCTETS: u8 = 0x04;
/// The name of an algorithm or of a kind of content.
pub(crate) const OID: u8 = 0x06;
/// A list.
pub(crate) const SEQUENCE: u8 = 0x30;
/// A set.
pub(crate) const SET: u8 = 0x31;
/// The first thing in a structure that is marked by its place.
pub(crate) const EXPLICIT_0: u8 = 0xa0;

/// Reads elements one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The tag of the next element.
    pub(crate) fn tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The content of the next element, if it has this tag; else nothing is read.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'b [u8]> {
        let (header, length) = self.header(tag)?;
        let (whole, rest) = self.rest.split_at_checked(header.checked_add(length)?)?;
        self.rest = rest;
        whole.get(header..)
    }

    /// A reader of what is in the next element, if it has this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self::new)
    }

    /// Passes over the next element, whatever it is.
    pub(crate) fn skip(&mut self) -> Option<()> {
        let tag = self.tag()?;
        self.take(tag).map(|_| ())
    }

    /// A number that fits.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let content = self.take(INTEGER)?;
        let negative = content.first().is_none_or(|first| *first >= 0x80);
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        (!negative && content.len() <= 8).then(|| content.iter().fold(0, fold))
    }

    /// Lengths of header and content. Content of 16 MiB and more does not occur.
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
        let fold = |length: usize, digit: &u8| length << 8 | usize::from(*digit);
        Some((2 + count, digits.iter().fold(0, fold)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_after_the_other_and_never_beyond_their_end() {
        let bytes = [0x30, 0x06, 0x02, 0x01, 0x05, 0x04, 0x01, 0x61];
        let mut outer = Reader::new(&bytes);
        let mut inner = outer.enter(SEQUENCE).unwrap();
        assert!(inner.take(OCTETS).is_none());
        assert_eq!(inner.number(), Some(5));
        assert_eq!(inner.take(OCTETS), Some(&b"a"[..]));
        assert_eq!((inner.tag(), outer.tag()), (None, None));
        for end in 0..bytes.len() {
            assert!(Reader::new(&bytes[..end]).enter(SEQUENCE).is_none());
        }
        // A length of which nobody says how long it is.
        assert!(Reader::new(&[0x30, 0x80, 0, 0]).enter(SEQUENCE).is_none());
    }
}
