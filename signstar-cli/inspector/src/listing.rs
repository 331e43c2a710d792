//! What is in an archive, entry by entry, as the inspector reads it: for operators who want to see
//! it, and for tests that compare it with other readers.

use std::io::Read;

use sha2::{Digest as _, Sha256};

use crate::Finding;
use crate::archive::{Archive, Kind};

/// One entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its path, without a slash at its end.
    pub path: String,
    /// `file`, `hard link`, `symbolic link` or `folder`.
    pub kind: &'static str,
    /// Bytes of content.
    pub size: u64,
    /// Where a link leads, otherwise empty.
    pub target: String,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// Reads a compressed archive to its end, whatever it is for.
///
/// # Errors
/// The first thing that is wrong with container or archive.
pub fn list<R: Read>(input: R) -> Result<Vec<Listed>, Finding> {
    let mut archive = Archive::open(input)?;
    let mut listed = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while let Some(entry) = archive.next()? {
        let mut hash = Sha256::new();
        loop {
            let count = archive.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            hash.update(chunk.get(..count).unwrap_or(&[]));
        }
        listed.push(Listed {
            path: entry.path,
            kind: match entry.kind {
                Kind::File => "file",
                Kind::HardLink => "hard link",
                Kind::SymbolicLink => "symbolic link",
                Kind::Folder | Kind::Extension => "folder",
            },
            size: entry.size,
            target: entry.target,
            sha256: hash.finalize().into(),
        });
    }
    archive.finish()?;
    Ok(listed)
}
