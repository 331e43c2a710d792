//! DER, as much of it as keys, requests and certificates need.

use super::CryptoError;

/// A value with its tag and length in front.
pub(crate) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match (significant.as_slice(), content.len()) {
        ([], _) => out.push(0),
        ([short], 0..=127) => out.push(*short),
        (long, _) => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

/// SEQUENCE
pub(crate) fn sequence<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> Vec<u8> {
    tagged(0x30, &concatenated(parts))
}

/// SET of one
pub(crate) fn set(content: &[u8]) -> Vec<u8> {
    tagged(0x31, content)
}

/// INTEGER that is not negative, from big-endian bytes
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = bytes
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    tagged(0x02, &content)
}

/// OBJECT IDENTIFIER, from its content in hexadecimal
pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    tagged(0x06, content)
}

/// OCTET STRING
pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    tagged(0x04, content)
}

/// BIT STRING of whole bytes
pub(crate) fn bit_string(content: &[u8]) -> Vec<u8> {
    tagged(0x03, &concatenated([&[0], content]))
}

/// NULL
pub(crate) const NULL: &[u8] = &[5, 0];

/// One after the other.
pub(crate) fn concatenated<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(part.as_ref());
    }
    out
}

/// A value that was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// With tag and length.
    pub(crate) whole: &'a [u8],
}

/// Reads values one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next value.
    pub(crate) fn any(&mut self) -> Result<Value<'a>, CryptoError> {
        let short = || CryptoError::new("Unconsumed or missing data");
        let (tag, rest) = self.0.split_first().ok_or_else(short)?;
        let (first, mut rest) = rest.split_first().ok_or_else(short)?;
        let mut length = usize::from(*first);
        if length >= 0x80 {
            let count = length & 0x7f;
            if count > 4 {
                return Err(short());
            }
            let (bytes, after) = rest.split_at_checked(count).ok_or_else(short)?;
            length = bytes
                .iter()
                .fold(0, |length, byte| (length << 8) | usize::from(*byte));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length).ok_or_else(short)?;
        let whole = self.0.get(..self.0.len() - after.len()).unwrap_or_default();
        self.0 = after;
        Ok(Value {
            tag: *tag,
            content,
            whole,
        })
    }

    /// The next value, which has `tag`.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<&'a [u8], CryptoError> {
        let value = self.any()?;
        if value.tag == tag {
            return Ok(value.content);
        }
        Err(CryptoError(format!(
            "Type mismatch: expected: ({}) got: ({})",
            described(tag),
            described(value.tag)
        )))
    }
}

fn described(tag: u8) -> String {
    let form = if tag & 0x20 == 0 {
        "Primitive"
    } else {
        "Constructed"
    };
    let class = match tag >> 6 {
        0 => "UNIVERSAL",
        1 => "APPLICATION",
        2 => "CONTEXT",
        _ => "PRIVATE",
    };
    format!("{form} {class} {}", tag & 0x1f)
}

#[cfg(test)]
mod tests {
    use super::{Reader, integer, tagged};

    #[test]
    fn lengths_of_all_forms_come_back() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let encoded = tagged(4, &content);
            assert_eq!(Reader(&encoded).expect(4).unwrap(), content);
        }
    }

    #[test]
    fn integers_stay_positive_and_short() {
        assert_eq!(integer(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[0]), [2, 1, 0]);
    }

    #[test]
    fn cut_values_are_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 2, 1],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
        ] {
            assert!(Reader(bytes).any().is_err());
        }
    }
}
