//! Files that are there as a whole or not at all: what was there before stays until the new one is on the
//! disk.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Who may read what is secret.
pub(crate) const SECRET: u32 = 0o600;
/// Who may read what is not.
pub(crate) const PUBLIC: u32 = 0o644;

/// Writes `bytes` beside `path`, to the disk, and only then gives it its name.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::with(path, &error);
    let name = path
        .file_name()
        .ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    let folder = match path.parent() {
        // A bare name lies in the working directory.
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let number = std::process::id();
    let draft = Draft(folder.join(format!(".{}.{number}.new", name.to_string_lossy())));
    draft.fill(bytes, mode).map_err(failed)?;
    fs::rename(&draft.0, path).map_err(failed)?;
    drop(draft);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)
}

/// A file that is not finished, and goes when it is dropped.
struct Draft(PathBuf);

impl Draft {
    fn fill(&self, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.0)?;
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        write(&path, b"old", SECRET).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        // Somebody else's draft is in the way.
        let draft = format!(".backup.{}.new", std::process::id());
        fs::write(folder.path().join(draft), "").unwrap();
        write(&path, b"new", SECRET).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write(&path, b"new", SECRET).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
