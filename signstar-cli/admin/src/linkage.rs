//! How a program is linked: an ELF file with an interpreter is dynamic.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// How a program gets its libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linkage {
    /// It has them.
    Static,
    /// A loader, which reads variables, brings them.
    Dynamic,
}

/// How the program at `path` is linked, or why that cannot be told.
pub(crate) fn of(path: &Path) -> Result<Linkage, String> {
    let read = || -> io::Result<Option<Linkage>> {
        let file = File::open(path)?;
        let mut header = [0; 64];
        file.read_exact_at(&mut header, 0)?;
        Ok(program_headers(&header).and_then(|table| table.linkage(&file)))
    };
    match read() {
        Ok(Some(linkage)) => Ok(linkage),
        Ok(None) => Err("not a program for Linux of 64 bits".to_owned()),
        Err(error) => Err(signstar::trusted_file::describe(&error)),
    }
}

/// The table of program headers: elf(5).
struct Headers {
    offset: u64,
    size: u16,
    count: u16,
}

/// Reads where that is: little-endian ELF of 64 bits.
fn program_headers(header: &[u8; 64]) -> Option<Headers> {
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let short = |at: usize| Some(u16::from_le_bytes(*header.get(at..)?.first_chunk()?));
    Some(Headers {
        offset: u64::from_le_bytes(*header.get(32..)?.first_chunk()?),
        size: short(54)?,
        count: short(56)?,
    })
}

impl Headers {
    fn linkage(&self, file: &File) -> Option<Linkage> {
        const INTERPRETER: [u8; 4] = 3_u32.to_le_bytes();
        for index in 0..self.count {
            let offset = u64::from(index) * u64::from(self.size);
            let mut kind = [0; 4];
            let at = self.offset.checked_add(offset)?;
            file.read_exact_at(&mut kind, at).ok()?;
            if kind == INTERPRETER {
                return Some(Linkage::Dynamic);
            }
        }
        Some(Linkage::Static)
    }
}
