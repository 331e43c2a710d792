//! The little of DER (ITU-T X.690) that is read here: what a device answers, never written.

/// Reads elements one after the other.
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The content of the next element, if it has this tag; else nothing is read.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'b [u8]> {
        let (header, length) = self.header(tag)?;
        let whole = self.split(header.checked_add(length)?)?;
        whole.get(header..)
    }

    /// The next element with its header, if it has this tag.
    pub(crate) fn take_whole(&mut self, tag: u8) -> Option<&'b [u8]> {
        let (header, length) = self.header(tag)?;
        self.split(header.checked_add(length)?)
    }

    /// Whether everything was read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Lengths of header and content. Content of 16 MiB and more does not occur.
    fn header(&self, tag: u8) -> Option<(usize, usize)> {
        let (found, rest) = self.rest.split_first()?;
        if *found != tag {
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
    let mut both = Reader::new(outer.take(0x30)?);
    let (r, s) = (unsigned(both.take(0x02)?)?, unsigned(both.take(0x02)?)?);
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
    use super::{Reader, ecdsa_numbers};

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
    fn an_element_of_another_tag_stays() {
        let mut reader = Reader::new(b"\x02\x01\x05");
        assert_eq!(reader.take(0xa0), None);
        assert_eq!(reader.take_whole(0x02), Some(&b"\x02\x01\x05"[..]));
        assert!(reader.is_empty());
    }
}
