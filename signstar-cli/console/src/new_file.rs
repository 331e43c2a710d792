//! Files that are there as a whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use crate::ConsoleError;

/// Who may read what is secret.
pub const SECRET: u32 = 0o600;
/// Who may read what is not.
pub const PUBLIC: u32 = 0o644;

/// Writes `bytes` to a file of whoever runs this, in the place of what is there.
///
/// # Errors
/// Those of [`NewFile::write`].
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ConsoleError> {
    let new = NewFile {
        path,
        mode,
        group: None,
        existing: Existing::Replace,
    };
    new.write(bytes)
}

/// What to do where there is a file already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it, and fail; `--force` means [`Existing::Replace`].
    Keep,
    /// Leave it, and fail; there is no `--force`.
    KeepForGood,
    /// Leave it, and go on.
    Leave,
    /// Put the new one in its place.
    Replace,
}

impl Existing {
    /// What `--force` means.
    pub fn forced(force: bool) -> Self {
        match force {
            true => Self::Replace,
            false => Self::Keep,
        }
    }

    /// Fails early where [`NewFile::write`] would fail late.
    ///
    /// # Errors
    /// [`ConsoleError::Exists`] then.
    pub fn check(self, path: &Path) -> Result<(), ConsoleError> {
        match self {
            Self::Leave | Self::Replace => Ok(()),
            Self::Keep | Self::KeepForGood if fs::symlink_metadata(path).is_err() => Ok(()),
            Self::Keep | Self::KeepForGood => Err(self.exists(path)),
        }
    }

    fn exists(self, path: &Path) -> ConsoleError {
        let advice = match self {
            Self::Keep => "--force replaces it",
            Self::KeepForGood | Self::Leave | Self::Replace => "move it away",
        };
        let text = format!("{}: exists already; {advice}", path.display());
        ConsoleError::Exists(text)
    }
}

/// A file to be.
#[derive(Clone, Copy, Debug)]
pub struct NewFile<'a> {
    /// Its name. Beside it, a draft with `.` before and `.new` behind that name is there for a moment.
    pub path: &'a Path,
    /// Its permissions.
    pub mode: u32,
    /// It belongs to root and this group; or to whoever makes it.
    pub group: Option<u32>,
    /// What to do where there is a file already.
    pub existing: Existing,
}

impl<'a> NewFile<'a> {
    /// Writes `bytes` beside `path`, to the disk, and only then gives it its name.
    ///
    /// # Errors
    /// [`ConsoleError::Exists`] if there is a file already, or the draft of another run;
    /// [`ConsoleError::File`] if it cannot be written.
    pub fn write(self, bytes: &[u8]) -> Result<(), ConsoleError> {
        self.begin()?.finish(bytes)
    }

    /// Makes sure that it can be written, before something is done that cannot be undone. Nothing is left if
    /// it is not finished.
    ///
    /// # Errors
    /// Those of [`NewFile::write`], but for a disk that is full.
    pub fn begin(self) -> Result<Begun<'a>, ConsoleError> {
        let failed = |error: io::Error| ConsoleError::with(self.path, error);
        let (folder, name) = match (self.path.parent(), self.path.file_name()) {
            // A bare name lies in the working directory.
            (Some(folder), Some(name)) if folder.as_os_str().is_empty() => {
                (Path::new("."), name.to_string_lossy())
            }
            (Some(folder), Some(name)) => (folder, name.to_string_lossy()),
            _ => return Err(failed(io::ErrorKind::InvalidInput.into())),
        };
        self.existing.check(self.path)?;
        Ok(Begun {
            wanted: self,
            folder: folder.to_owned(),
            draft: Draft::new(folder.join(format!(".{name}.new")), &self)?,
        })
    }
}

/// A file that has a draft, and no content yet.
pub struct Begun<'a> {
    wanted: NewFile<'a>,
    folder: PathBuf,
    draft: Draft,
}

impl Begun<'_> {
    /// Writes `bytes` to the disk, and gives them the file's name.
    ///
    /// # Errors
    /// Those of [`NewFile::write`].
    pub fn finish(mut self, bytes: &[u8]) -> Result<(), ConsoleError> {
        let path = self.wanted.path;
        let failed = |error: io::Error| ConsoleError::with(path, error);
        self.draft.fill(&self.wanted, bytes).map_err(failed)?;
        put(&self.draft.path, path, self.wanted.existing)?;
        self.draft.settled = self.wanted.existing == Existing::Replace;
        drop(self.draft);
        File::open(self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        log::debug!("wrote {}", path.display());
        Ok(())
    }
}

/// Gives the file at `draft` the name `path`.
fn put(draft: &Path, path: &Path, existing: Existing) -> Result<(), ConsoleError> {
    match existing {
        Existing::Replace => fs::rename(draft, path),
        // Unlike a rename, a link never takes the place of anything.
        Existing::Keep | Existing::KeepForGood | Existing::Leave => fs::hard_link(draft, path),
    }
    .map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => existing.exists(path),
        _ => ConsoleError::with(path, error),
    })
}

/// A file that is not finished, and goes when it is dropped.
struct Draft {
    path: PathBuf,
    file: File,
    /// It has another name now.
    settled: bool,
}

impl Draft {
    /// A draft that an interrupted run has left is in nobody's way where what it was for is replaced anyway;
    /// otherwise it may be all that there is of something.
    fn new(path: PathBuf, wanted: &NewFile<'_>) -> Result<Self, ConsoleError> {
        let busy = || {
            let text = format!(
                "{}: left by a run that was interrupted, or another one is at it: remove it",
                path.display()
            );
            Err(ConsoleError::Exists(text))
        };
        let create = || {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600).open(&path)
        };
        let file = match create() {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && wanted.existing == Existing::Replace
                    && was_left(&path) =>
            {
                create()
            }
            other => other,
        };
        match file {
            // Whoever has it locked is at it.
            Ok(file) if file.try_lock().is_ok() => Ok(Self {
                path,
                file,
                settled: false,
            }),
            Ok(_) => busy(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => busy(),
            Err(error) => Err(ConsoleError::with(wanted.path, error)),
        }
    }

    fn fill(&self, wanted: &NewFile<'_>, bytes: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.write_all(bytes)?;
        if let Some(group) = wanted.group {
            fchown(file, Some(0), Some(group))?;
        }
        file.set_permissions(Permissions::from_mode(wanted.mode))?;
        file.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename its name may be that of another run's draft.
        if !self.settled {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes away a draft of ours at which nobody is any more; whether there was one. Two runs never take each
/// other's away: one has to have it locked for that, and it has to be the one that has the name.
fn was_left(path: &Path) -> bool {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nix::libc::O_NOFOLLOW);
    let Ok(file) = options.open(path) else {
        return false;
    };
    let (Ok(()), Ok(held), Ok(named)) =
        (file.try_lock(), file.metadata(), fs::symlink_metadata(path))
    else {
        return false;
    };
    let ours = held.is_file() && held.uid() == nix::unistd::geteuid().as_raw();
    let same = (held.dev(), held.ino()) == (named.dev(), named.ino());
    ours && same && fs::remove_file(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_has_appeared_in_the_meantime() {
        let folder = tempfile::tempdir().unwrap();
        let (draft, path) = (folder.path().join("draft"), folder.path().join("path"));
        fs::write(&draft, "new").unwrap();
        fs::write(&path, "old").unwrap();
        let failure = put(&draft, &path, Existing::Keep).unwrap_err();
        assert!(matches!(failure, ConsoleError::Exists(_)));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        put(&draft, &path, Existing::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_was_begun_and_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kit");
        let new = NewFile {
            path: &path,
            mode: SECRET,
            group: None,
            existing: Existing::Keep,
        };
        let begun = new.begin().unwrap();
        // Whoever comes meanwhile is told, and so is who comes too late.
        assert!(new.begin().is_err());
        drop(begun);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        new.begin().unwrap().finish(b"kit").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"kit");
        let failure = new.begin().err().unwrap();
        assert!(matches!(failure, ConsoleError::Exists(_)), "{failure}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        write(&path, b"old", SECRET).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, SECRET);
        // Another run is at it.
        let draft = folder.path().join(".backup.new");
        let theirs = File::create(&draft).unwrap();
        theirs.lock().unwrap();
        (&theirs).write_all(b"theirs").unwrap();
        let failure = write(&path, b"new", SECRET).unwrap_err();
        assert!(matches!(failure, ConsoleError::Exists(_)), "{failure}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read(&draft).unwrap(), b"theirs");
        // It was killed: what it has left is in nobody's way, but for those who replace nothing.
        drop(theirs);
        let kept = NewFile {
            path: &folder.path().join("backup"),
            mode: SECRET,
            group: None,
            existing: Existing::Keep,
        };
        kept.write(b"new").unwrap_err();
        assert_eq!(fs::read(&draft).unwrap(), b"theirs");
        write(&path, b"new", SECRET).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
