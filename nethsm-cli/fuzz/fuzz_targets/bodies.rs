//! What must hold for every input, one function for each target. The fuzzer and the smoke test on
//! the stable compiler run the same ones.

#[path = "written.rs"]
mod written;

use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding as _};
use nethsm_cli::files;
use signstar_nethsm::der::{Reader, SEQUENCE};

/// The passphrase of the seeds.
const PASSPHRASE: &str = "long enough";
/// Enough for the seeds, and not for a file that has the fuzzer wait.
const WORK: u64 = 300;

/// A PKCS#12 file: what comes out is a list that was in it, the same for the same file written as BER, and
/// whatever is opened without work is opened with it.
pub(crate) fn pkcs12(input: &[u8]) {
    let open = |bytes: &[u8], work| {
        let opened = files::pkcs12(bytes, PASSPHRASE, work)?;
        Ok::<_, &str>((opened.key.to_vec(), opened.certificate))
    };
    let opened = open(input, WORK);
    let lazy = open(input, 0);
    assert!(lazy.is_err() || lazy == opened);
    let (key, certificate) = match &opened {
        Ok(opened) => opened,
        Err(text) => return is_one_line(text),
    };
    assert!(key.len() + certificate.as_ref().map_or(0, Vec::len) <= input.len());
    let inside = Reader::new(key).enter(SEQUENCE);
    assert!(inside.is_some_and(|mut inside| inside.number() < Some(2)));
    if let Some(content) = Reader::new(input).take(SEQUENCE) {
        let ber = [b"\x30\x80", content, b"\x00\x00"].concat();
        assert_eq!(open(&ber, WORK), opened);
    }
}

/// A certificate: what is over has ended before, and PEM says what DER does.
pub(crate) fn validity(input: &[u8]) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let Some(found) = files::validity(input, now) else {
        return;
    };
    assert!(["X.509", "OpenPGP"].contains(&found.kind));
    assert_eq!(files::validity(input, now), Some(found));
    if found.kind != "X.509" {
        return;
    }
    assert_eq!(found.over, found.until.is_some_and(|until| until < now));
    // It ends when it says, to the second.
    let second = Duration::from_secs(1);
    let times = found
        .until
        .map(|until| [until.checked_sub(second), until.checked_add(second)]);
    for time in times.into_iter().flatten().flatten() {
        let over = files::validity(input, time).is_some_and(|found| found.over);
        assert_eq!(over, found.until < Some(time));
    }
    if std::str::from_utf8(input).is_err() {
        let body = Base64::encode_string(input);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        assert_eq!(files::validity(pem.as_bytes(), now), Some(found));
    }
}

/// A joiner kit: what was read of it is read again.
pub(crate) fn joiner_kit(input: &[u8]) {
    let Some(kit) = files::joiner_kit(input) else {
        return;
    };
    let again = serde_json::to_string(&kit).unwrap();
    assert!(again.len() <= 64 * (input.len() + 1));
    assert_eq!(files::joiner_kit(again.as_bytes()), Some(kit));
}

/// A backup: bytes as they are, or sealed as the input says, when exactly what was sealed must come out. What it
/// says is for a terminal.
pub(crate) fn backup(input: &[u8]) {
    let Some((form, input)) = input.split_first() else {
        return;
    };
    let (bytes, expected) = match form & 1 {
        0 => (input.to_vec(), None),
        _ => {
            let written = written::Written::of(form >> 1, input);
            (written.bytes(), Some(written))
        }
    };
    let outer = |salt: &[u8]| Ok(written::key(1, salt));
    let inner = |salt: &[u8]| Ok(written::key(2, salt));
    let opened = files::backup(&bytes, outer, Some(inner));
    let alone = files::backup(&bytes, outer, Some(inner).filter(|_| false));
    match &opened {
        Err(text) => is_one_line(text),
        Ok(content) => {
            let paths = content.entries.keys().chain(&content.device);
            for (path, (value, line)) in &content.opened {
                assert!(content.entries.contains_key(path));
                assert!(value.len() <= bytes.len() && line.len() <= 8 * bytes.len());
            }
            let lines = content.opened.values().map(|(_, line)| line);
            for text in paths.chain(lines) {
                assert!(!text.contains(char::is_control), "{text:?}");
            }
            assert!(alone.is_ok_and(|alone| alone.entries == content.entries));
        }
    }
    if let Some(written) = expected {
        written.compare(opened);
    }
}

/// What devices shall be: what was read is written so that it is read again, as it was.
pub(crate) fn desired(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match files::desired(text) {
        Err(text) => is_one_line(&text),
        Ok(written) => assert_eq!(files::desired(&written), Ok(written)),
    }
}

/// What an operator reads is one line of readable length.
fn is_one_line(text: &str) {
    assert!(!text.is_empty() && text.len() <= 4096, "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
