//! `.MTREE`: what a package says that it contains (mtree(5), as bsdtar writes it), compressed with
//! gzip.

use std::collections::BTreeMap;

use crate::archive::Kind;
use crate::container::Container;
use crate::{Code, Finding};

/// Its longest line: a path with every byte escaped, a link target like it, and a few words.
const LINE_BYTES_MAX: usize = 36 * 1024;

/// So much the list may unpack to: lines of 500 bytes for a million entries.
const LIST_BYTES_MAX: u64 = 500_000_000;

/// What an entry of the archive turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// A hard link is what it leads to.
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
    pub(crate) size: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) target: String,
}

/// Compares the list `packed` with what was found: every line with its entry, and no entry without
/// a line, but the list itself.
pub(crate) fn compare(
    packed: &[u8],
    mut found: BTreeMap<String, Found>,
    position: u64,
) -> Result<(), Finding> {
    let form = Code::FileListForm.at(position);
    let differs = Code::FileListDiffers.at(position);
    let mut defaults = BTreeMap::new();
    let mut first = true;
    each_line(packed, position, |line| {
        if std::mem::take(&mut first) {
            return if line == "#mtree" { Ok(()) } else { Err(form) };
        }
        if let Some(words) = line.strip_prefix("/set ") {
            return set(&mut defaults, words).ok_or(form);
        }
        let (name, words) = line.split_once(' ').ok_or(form)?;
        let path = name.strip_prefix("./").and_then(unescape).ok_or(form)?;
        let mut said = defaults.clone();
        set(&mut said, words).ok_or(form)?;
        let entry = found.remove(&path).ok_or(differs)?;
        match agrees(&said, &entry).ok_or(form)? {
            true => Ok(()),
            false => Err(differs),
        }
    })?;
    let only_itself = found.keys().map(String::as_str).eq([".MTREE"]);
    if only_itself { Ok(()) } else { Err(differs) }
}

/// Unpacks the list and hands on its lines.
fn each_line(
    packed: &[u8],
    position: u64,
    mut take: impl FnMut(&str) -> Result<(), Finding>,
) -> Result<(), Finding> {
    let form = |_| Code::FileListForm.at(position);
    let mut container = Container::open(packed).map_err(form)?;
    let mut waiting: Vec<u8> = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let count = container.read(&mut chunk).map_err(form)?;
        if count == 0 {
            break;
        }
        waiting.extend_from_slice(chunk.get(..count).unwrap_or(&[]));
        let mut rest = waiting.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let line = std::str::from_utf8(line).map_err(|_| Code::FileListForm.at(position))?;
            take(line)?;
            rest = behind.get(1..).unwrap_or(&[]);
        }
        waiting = rest.to_vec();
        if waiting.len() > LINE_BYTES_MAX || container.position() > LIST_BYTES_MAX {
            return Err(Code::FileListForm.at(position));
        }
    }
    container.finish().map_err(form)?;
    match waiting.is_empty() {
        true => Ok(()),
        false => Err(Code::FileListForm.at(position)),
    }
}

type Words = BTreeMap<&'static str, String>;

const KEYS: [&str; 9] = [
    "type",
    "uid",
    "gid",
    "mode",
    "time",
    "size",
    "md5digest",
    "sha256digest",
    "link",
];

/// Notes `KEY=VALUE` words, each key once.
fn set(words: &mut Words, text: &str) -> Option<()> {
    let mut now: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        let (key, value) = word.split_once('=')?;
        let key = KEYS.into_iter().find(|known| *known == key)?;
        if now.contains(&key) {
            return None;
        }
        now.push(key);
        words.insert(key, value.to_owned());
    }
    Some(())
}

/// Whether a line says what was found; `None` if it is malformed.
fn agrees(said: &Words, found: &Found) -> Option<bool> {
    let word = |key: &str| said.get(key).map(String::as_str);
    let number = |key: &str| crate::fields::number(word(key)?);
    let mode = u32::from_str_radix(word("mode")?, 8).ok()?;
    let owner = (number("uid")?, number("gid")?);
    let kind = match word("type")? {
        "file" => Kind::File,
        "dir" => Kind::Folder,
        "link" => Kind::SymbolicLink,
        _ => return None,
    };
    if (kind, owner) != (found.kind, found.owner) {
        return Some(false);
    }
    Some(match kind {
        Kind::File => {
            let sum: String = found
                .sha256
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            mode == found.mode && number("size")? == found.size && word("sha256digest")? == sum
        }
        Kind::SymbolicLink => unescape(word("link")?)? == found.target,
        _ => mode == found.mode,
    })
}

/// A word with `\ooo` for the bytes that are not plain.
fn unescape(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(3)?;
        let octal = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
        let digits = std::str::from_utf8(digits).ok().filter(|_| octal)?;
        bytes.push(u8::from_str_radix(digits, 8).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}
