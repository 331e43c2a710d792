//! Folders that only root can change: what lies in them, nobody else can replace.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bits of a mode: written by the group or by others, and only by their owner renamed or removed.
const WRITABLE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The folder by which somebody other than root could put something else in the place of `path`, if there
/// is one: the folder that holds it must be root's alone, and those above it must let nobody else replace
/// what is in them. Links are followed, so it holds for the folders as written and for those they lead to.
///
/// # Errors
/// A folder cannot be looked at.
pub fn changeable_folder(path: &Path) -> io::Result<Option<PathBuf>> {
    let folder = path.parent().unwrap_or(path);
    let real = fs::canonicalize(folder)?;
    for way in [folder, &real] {
        for (height, folder) in way.ancestors().enumerate() {
            let metadata = fs::metadata(folder)?;
            let sticky = height > 0 && metadata.mode() & STICKY != 0;
            if metadata.uid() != 0 || metadata.mode() & WRITABLE != 0 && !sticky {
                return Ok(Some(folder.to_owned()));
            }
        }
    }
    Ok(None)
}
