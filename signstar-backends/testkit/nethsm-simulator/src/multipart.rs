//! Forms with several parts, as uploads come in.

/// The parts of a body, with their names, sorted by them.
pub(crate) fn parts(content_type: &str, body: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let (_, boundary) = content_type.split_once("boundary=")?;
    let boundary = boundary.split(';').next().unwrap_or_default();
    let boundary = boundary.trim().trim_matches('"');
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = after(body, mark.as_bytes())?;
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = position(part, format!("\r\n{mark}").as_bytes())?;
        let (part, next) = part.split_at(end);
        let head_end = position(part, b"\r\n\r\n")?;
        let (head, content) = part.split_at(head_end);
        let head = String::from_utf8_lossy(head);
        let name = head
            .split_once(" name=\"")
            .or_else(|| head.split_once(";name=\""))?
            .1;
        let name = name.split('"').next().unwrap_or_default().to_owned();
        parts.push((name, content.get(4..)?.to_vec()));
        rest = after(next, mark.as_bytes())?;
    }
    parts.sort();
    Some(parts)
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

fn after<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    text.get(position(text, mark)? + mark.len()..)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn parts_come_sorted_by_name() {
        let body =
            b"--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\none\r\ntwo\r\n--x\r\n\
            content-disposition: form-data; filename=\"f\"; name=\"a\"\r\n\r\n\r\n--x--\r\n";
        let found = parts("multipart/form-data; boundary=x", body).unwrap();
        let wanted = [("a", &b""[..]), ("b", b"one\r\ntwo")];
        assert_eq!(
            found,
            wanted.map(|(name, content)| (name.to_owned(), content.to_vec()))
        );
    }

    #[test]
    fn cut_forms_are_none() {
        for body in [
            &b""[..],
            b"--x",
            b"--x\r\n",
            b"--x\r\nhead",
            b"--x\r\nname=\"a\"\r\n\r\n",
        ] {
            let found = parts("multipart/form-data; boundary=x", body);
            assert!(found.is_none_or(|parts| parts.is_empty()));
        }
        assert!(parts("multipart/form-data", b"--x--").is_none());
    }
}
