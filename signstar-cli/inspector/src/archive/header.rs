//! One block of an archive as a ustar header (POSIX.1-1988, "ustar Interchange Format").

use crate::Code;

use super::path::is_text;

/// Headers and contents come in blocks of this size.
pub(crate) const BLOCK_BYTES: usize = 512;

pub(crate) type Block = [u8; BLOCK_BYTES];

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    SymbolicLink,
    Folder,
    /// An extended header for the entry behind it.
    Extension,
}

/// A header, before an extended one has its say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// `None` where it is no text: an extended header must have another one then.
    pub(super) path: Option<String>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
    pub(super) size: u64,
    pub(super) modified: u64,
    /// As the path.
    pub(super) target: Option<String>,
}

/// Takes the fields off a block one by one.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], Code> {
        let (field, rest) = self.0.split_at_checked(length).ok_or(Code::HeaderForm)?;
        self.0 = rest;
        Ok(field)
    }

    fn text(&mut self, length: usize) -> Result<Option<String>, Code> {
        text(self.take(length)?)
    }

    fn number(&mut self, length: usize) -> Result<u64, Code> {
        octal(self.take(length)?).ok_or(Code::HeaderNumber)
    }
}

impl Header {
    pub(super) fn parse(block: &Block) -> Result<Self, Code> {
        let mut fields = Fields(block);
        let name = fields.text(100)?;
        let mode = fields.number(8)?;
        let owner = (fields.number(8)?, fields.number(8)?);
        let size = fields.number(12)?;
        let modified = fields.number(12)?;
        let checksum = fields.number(8)?;
        let kind = fields.take(1)?;
        let target = fields.text(100)?;
        if fields.take(8)? != b"ustar\x0000" {
            return Err(Code::HeaderForm);
        }
        let _names = [fields.text(32)?, fields.text(32)?];
        let device = [fields.take(8)?, fields.take(8)?];
        let prefix = fields.text(155)?;
        if fields.take(12)? != [0; 12] {
            return Err(Code::PaddingUsed);
        }
        if checksum != sum(block) {
            return Err(Code::HeaderChecksum);
        }
        // Only devices have device numbers.
        let no_device =
            |field: &&[u8]| octal(field) == Some(0) || field.iter().all(|&byte| byte == 0);
        if !device.iter().all(no_device) {
            return Err(Code::HeaderNumber);
        }
        let mode = u32::try_from(mode).ok().filter(|mode| *mode <= 0o7777);
        let path = match (prefix.as_deref(), name) {
            (Some(""), name) => name,
            (Some(prefix), Some(name)) => Some(format!("{prefix}/{name}")),
            (None, _) | (_, None) => None,
        };
        Ok(Self {
            path,
            kind: match kind {
                b"0" => Kind::File,
                b"1" => Kind::HardLink,
                b"2" => Kind::SymbolicLink,
                b"5" => Kind::Folder,
                b"x" => Kind::Extension,
                _ => return Err(Code::EntryKind),
            },
            mode: mode.ok_or(Code::HeaderNumber)?,
            owner,
            size,
            modified,
            target,
        })
    }
}

/// Text up to the first NUL, behind which there is nothing else; `None` where it is not UTF-8, as
/// when a long name was cut inside of a character. No control bytes either way: the name of an
/// extended header names nothing, but it is what an archive can begin with.
fn text(field: &[u8]) -> Result<Option<String>, Code> {
    let end = field.iter().position(|&byte| byte == 0);
    let (text, rest) = field
        .split_at_checked(end.unwrap_or(field.len()))
        .unwrap_or((field, &[]));
    if rest.iter().any(|&byte| byte != 0) {
        return Err(Code::PaddingUsed);
    }
    if text.iter().any(u8::is_ascii_control) {
        return Err(Code::EntryName);
    }
    let text = std::str::from_utf8(text).ok().filter(|text| is_text(text));
    Ok(text.map(str::to_owned))
}

/// Octal digits, at least one, then at least one space or NUL, and nothing else. Readers differ in
/// what they make of anything less plain.
fn octal(field: &[u8]) -> Option<u64> {
    let end = field
        .iter()
        .position(|byte| !(b'0'..=b'7').contains(byte))?;
    let (digits, rest) = field.split_at_checked(end)?;
    if digits.is_empty() || !rest.iter().all(|byte| [0, b' '].contains(byte)) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    u64::from_str_radix(digits, 8).ok()
}

/// The sum of all bytes, those of the checksum itself taken as spaces.
fn sum(block: &Block) -> u64 {
    let checksum = 148..156;
    let bytes = block.iter().enumerate();
    bytes
        .map(|(index, &byte)| {
            u64::from(if checksum.contains(&index) {
                b' '
            } else {
                byte
            })
        })
        .sum()
}
