//! Who can change, read or write a file: owners and modes from the file up to the root folder.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::account::Account;

/// Others than root may write to it.
const WRITABLE: u32 = 0o022;

/// The first of `path` and the folders above it that somebody but root can change. A folder in
/// which everybody may make files is no exception, though its sticky bit protects what is in it:
/// whoever comes first makes the file.
///
/// # Errors
/// There is no such file.
pub(crate) fn changeable(path: &Path) -> io::Result<Option<PathBuf>> {
    for place in [path.to_owned(), fs::canonicalize(path)?] {
        for part in place.ancestors() {
            let found = fs::symlink_metadata(part)?;
            // A link has no modes of its own.
            let open = !found.is_symlink() && found.mode() & WRITABLE != 0;
            if found.uid() != 0 || open {
                return Ok(Some(part.to_owned()));
            }
        }
    }
    Ok(None)
}

/// What somebody may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Who asks: an account with all its groups.
pub(crate) struct Who<'a> {
    pub(crate) account: &'a Account,
    pub(crate) groups: &'a [u32],
}

impl Who<'_> {
    /// The first of `path` and the folders above it that keep the account from `access`.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn kept_out_by(&self, path: &Path, access: Access) -> io::Result<Option<PathBuf>> {
        const SEARCH: u32 = 0o1;
        let place = fs::canonicalize(path)?;
        for folder in place.ancestors().skip(1) {
            if !self.has(folder, SEARCH)? {
                return Ok(Some(folder.to_owned()));
            }
        }
        let bit = match access {
            Access::Read => 0o4,
            Access::Write => 0o2,
        };
        Ok((!self.has(&place, bit)?).then_some(place))
    }

    /// Whether it has the permission `bit`, as the kernel decides: owner, else group, else others.
    fn has(&self, path: &Path, bit: u32) -> io::Result<bool> {
        let found = fs::metadata(path)?;
        let shift = if found.uid() == self.account.id {
            6
        } else if self.groups.contains(&found.gid()) {
            3
        } else {
            0
        };
        Ok(self.account.id == 0 || found.mode() >> shift & bit != 0)
    }
}
