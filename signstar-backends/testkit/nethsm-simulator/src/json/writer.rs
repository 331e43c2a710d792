//! Values to octets: compact, in the order of the fields, escaped as the device does.

/// A string between quotes.
pub(crate) fn string(octets: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in octets.as_ref() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..0x20 | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
    out
}

/// A list of values that are written already.
pub(crate) fn list<I: IntoIterator<Item = Vec<u8>>>(values: I) -> Vec<u8> {
    let mut out = vec![b'['];
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(value);
    }
    out.push(b']');
    out
}

/// An object of values that are written already.
pub(crate) fn object<'a, I: IntoIterator<Item = (&'a str, Vec<u8>)>>(fields: I) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (index, (name, value)) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend(string(name));
        out.push(b':');
        out.extend(value);
    }
    out.push(b'}');
    out
}

/// A list of strings.
pub(crate) fn strings<T: AsRef<[u8]>>(values: impl IntoIterator<Item = T>) -> Vec<u8> {
    list(values.into_iter().map(string))
}

/// A number.
pub(crate) fn number(value: impl std::fmt::Display) -> Vec<u8> {
    value.to_string().into_bytes()
}
