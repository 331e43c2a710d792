//! What was said, without what differs from run to run.

use crate::stage::Stage;

/// Without what differs from run to run.
pub(crate) fn plain(stage: &Stage, said: &str) -> String {
    let devices = [&stage.device].into_iter().chain(stage.others.values());
    let said = said.replace(&stage.folder.path().display().to_string(), "[FOLDER]");
    let said = devices.fold(said, |said, device| {
        let pin = device.fingerprint();
        said.replace(&device.address().to_string(), "[ADDRESS]")
            .replace(&pin, "[PIN]")
            .replace(&pin[..16], "[PIN]")
    });
    let said: Vec<String> = said.lines().map(without_size).collect();
    let said = said
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let mut text = String::new();
    let mut rest = said.as_str();
    while let Some(first) = rest.chars().next() {
        if let Some(after) = time(rest) {
            text.push_str("[TIME]");
            rest = after;
            continue;
        }
        let hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let known = rest
            .get(..hex)
            .is_some_and(|digits| digits.bytes().any(|byte| byte.is_ascii_digit()));
        let starts = !text.ends_with(|char: char| char.is_ascii_alphanumeric());
        let ends = !rest[hex..].starts_with(|char: char| char.is_ascii_alphanumeric());
        if [20, 40, 64].contains(&hex) && known && starts && ends {
            text.push_str(match hex {
                20 => "[ID]",
                40 => "[FINGERPRINT]",
                _ => "[HEX]",
            });
            rest = &rest[hex..];
            continue;
        }
        text.push(first);
        rest = &rest[first.len_utf8()..];
    }
    text
}

/// Signatures in DER are not always of one length, and time goes on.
fn without_size(line: &str) -> String {
    for before in [
        "clock ahead seconds: ",
        "clock_ahead_seconds: ",
        "clock_ahead_seconds\": ",
        "clock_ahead_seconds\":",
    ] {
        if let Some((head, rest)) = line.split_once(before) {
            let tail = rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == '-');
            return format!("{head}{before}[N]{tail}");
        }
    }
    for (before, after) in [
        ("wrote ", " bytes"),
        ("clock: is ", " s ahead"),
        ("last backup: is ", " days old"),
        ("finding: \"is ", " s ahead"),
        ("finding\": \"is ", " s ahead"),
        ("finding\": \"is ", " days old"),
        ("\"certificate_bytes\": ", ","),
    ] {
        let found = line.split_once(before).and_then(|(head, rest)| {
            let digits = rest.find(after)?;
            let (size, tail) = rest.split_at(digits);
            let (name, size) = size
                .rsplit_once(": ")
                .map_or(("", size), |(name, size)| (name, size));
            let number = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("{name}: ")
            };
            number.then(|| format!("{head}{before}{name}[N]{tail}"))
        });
        if let Some(found) = found {
            return found;
        }
    }
    line.to_owned()
}

/// What follows a time as devices write it.
fn time(text: &str) -> Option<&str> {
    let shape = "0000-00-00T00:00:00Z";
    let part = text.get(..shape.len())?;
    let same = part
        .bytes()
        .zip(shape.bytes())
        .all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            shape => byte == shape,
        });
    same.then(|| &text[shape.len()..])
}
