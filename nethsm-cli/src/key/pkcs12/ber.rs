//! BER (ITU-T X.690, section 8) made DER, as far as PKCS#12 files need it: NSS, and with it Firefox, writes
//! lengths that are not said before the content, and bytes in pieces.
//!
//! Absent: the order of sets, which nothing here looks at; tags above 30; content of 16 MiB and more.

use signstar_nethsm::der::OCTETS;
use zeroize::Zeroizing;

/// What has others in it has this bit.
const CONSTRUCTED: u8 = 0x20;
/// Bytes in pieces.
const PIECES: u8 = OCTETS | CONSTRUCTED;
/// A length that is not said: the content ends with an element of two zeros.
const UNSAID: u8 = 0x80;
const END: [u8; 2] = [0, 0];
/// Files of NSS are ten deep.
const DEPTH_MAX: usize = 32;

/// The first element of `bytes` in DER, which is never longer. What lies in its bytes (OCTET STRING) stays as it
/// is.
pub(super) fn to_der(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // Never longer: what is secret in it is never left behind by growing.
    let mut der = Zeroizing::new(Vec::with_capacity(bytes.len()));
    element(bytes, DEPTH_MAX, &mut der)?;
    Some(der)
}

/// Adds the first element, and gives what follows it.
fn element<'b>(bytes: &'b [u8], depth: usize, der: &mut Vec<u8>) -> Option<&'b [u8]> {
    let depth = depth.checked_sub(1)?;
    let (&tag, rest) = bytes.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (length, rest) = length(rest)?;
    let (mut inside, after) = match length {
        Some(length) => rest.split_at_checked(length)?,
        // Where it ends, its content tells.
        None if tag & CONSTRUCTED != 0 => (rest, rest),
        None => return None,
    };
    if tag & CONSTRUCTED == 0 {
        add(tag, inside, der)?;
        return Some(after);
    }
    let mut content = Zeroizing::new(Vec::with_capacity(inside.len()));
    let after = loop {
        match length {
            Some(_) if inside.is_empty() => break after,
            None if inside.starts_with(&END) => break inside.get(END.len()..)?,
            _ if tag != PIECES => inside = element(inside, depth, &mut content)?,
            _ => {
                let mut piece = Zeroizing::new(Vec::with_capacity(inside.len()));
                inside = element(inside, depth, &mut piece)?;
                let bytes = signstar_nethsm::der::Reader::new(&piece).take(OCTETS)?;
                content.extend_from_slice(bytes);
            }
        }
    };
    let tag = if tag == PIECES { OCTETS } else { tag };
    add(tag, &content, der)?;
    Some(after)
}

/// A length, or nothing where it is not said; and what follows it.
fn length(bytes: &[u8]) -> Option<(Option<usize>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first == UNSAID {
        return Some((None, rest));
    }
    if first < UNSAID {
        return Some((Some(usize::from(first)), rest));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = digits.get(zeros..).filter(|digits| digits.len() <= 3)?;
    let fold = |length: usize, digit: &u8| length << 8 | usize::from(*digit);
    Some((Some(digits.iter().fold(0, fold)), rest))
}

/// Adds an element in DER.
fn add(tag: u8, content: &[u8], der: &mut Vec<u8>) -> Option<()> {
    der.push(tag);
    let [0, digits @ ..] = u32::try_from(content.len()).ok()?.to_be_bytes() else {
        return None;
    };
    match digits {
        [0, 0, length @ ..0x80] => der.push(length),
        [0, 0, length] => der.extend([0x81, length]),
        [0, high, low] => der.extend([0x82, high, low]),
        [high, middle, low] => der.extend([0x83, high, middle, low]),
    }
    der.extend_from_slice(content);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_lengths_and_of_pieces_becomes_the_one_of_der() {
        let pairs = [
            // Not said, in one that is said, and the other way round.
            (
                &b"\x30\x80\x02\x01\x05\x00\x00"[..],
                &b"\x30\x03\x02\x01\x05"[..],
            ),
            (
                b"\x30\x07\xa0\x80\x02\x01\x05\x00\x00",
                b"\x30\x05\xa0\x03\x02\x01\x05",
            ),
            (
                b"\x30\x80\xa0\x81\x03\x02\x01\x05\x00\x00",
                b"\x30\x05\xa0\x03\x02\x01\x05",
            ),
            // More digits than needed.
            (
                b"\x30\x85\x00\x00\x00\x00\x03\x02\x01\x05",
                b"\x30\x03\x02\x01\x05",
            ),
            // Pieces, and pieces of pieces.
            (
                b"\x24\x80\x04\x01a\x24\x03\x04\x01b\x04\x00\x00\x00",
                b"\x04\x02ab",
            ),
            (b"\x24\x00", b"\x04\x00"),
            // What follows the first is not looked at.
            (b"\x02\x01\x05rest", b"\x02\x01\x05"),
        ];
        for (ber, der) in pairs {
            assert_eq!(to_der(ber).unwrap().as_slice(), der, "{ber:02x?}");
            assert_eq!(to_der(der).unwrap().as_slice(), der, "{der:02x?}");
        }
    }

    #[test]
    fn what_is_no_ber_is_not_made_der() {
        for wrong in [
            &b""[..],
            b"\x30",
            b"\x30\x80",
            b"\x30\x80\x00",
            b"\x30\x02\x02\x01\x05",
            // Primitive, and its length is not said.
            b"\x04\x80\x00\x00",
            // Pieces that are no bytes.
            b"\x24\x03\x02\x01\x05",
            b"\x30\x84\x01\x00\x00\x00",
            b"\x1f\x01\x00",
        ] {
            assert_eq!(to_der(wrong), None, "{wrong:02x?}");
        }
    }

    #[test]
    fn what_lies_too_deep_is_left_alone() {
        let nested = |depth: usize| {
            let open = b"\x30\x80".repeat(depth);
            to_der(&[open, END.repeat(depth)].concat())
        };
        assert!(nested(DEPTH_MAX).is_some());
        assert!(nested(DEPTH_MAX + 1).is_none());
        assert!(nested(100_000).is_none());
    }
}
