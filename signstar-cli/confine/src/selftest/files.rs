//! Attempts at the file system.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::fs::OpenOptionsExt;

use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, chroot, ftruncate};

use super::StoppedBy::{Filter, FilterAndLandlock};
use super::{Attempt, Escape, Needs, gained, simply};

pub(super) const ESCAPES: &[Escape] = &[
    Escape {
        name: "open-read",
        tries: "open /etc/passwd for reading",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(File::open("/etc/passwd"))),
    },
    Escape {
        name: "open-write",
        tries: "open /dev/null for writing",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(OpenOptions::new().write(true).open("/dev/null"))),
    },
    Escape {
        name: "create-file",
        tries: "create an unnamed file in the temporary directory",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(unnamed_file())),
    },
    Escape {
        name: "list-directory",
        tries: "list /",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(fs::read_dir("/"))),
    },
    Escape {
        name: "stat",
        tries: "look at the metadata of /etc/passwd",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(fs::metadata("/etc/passwd"))),
    },
    Escape {
        name: "read-link",
        tries: "read the link /proc/self/exe",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(fs::read_link("/proc/self/exe"))),
    },
    Escape {
        name: "shrink-file",
        tries: "truncate an open file",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: shrink,
    },
    Escape {
        name: "change-directory",
        tries: "change the working directory",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(chdir("/"))),
    },
    Escape {
        name: "change-root",
        tries: "change the root directory",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: || simply(|| gained(chroot("/"))),
    },
    Escape {
        name: "umask",
        tries: "let new files be written by everyone",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || {
            simply(|| {
                umask(Mode::empty());
                Ok(())
            })
        },
    },
];

/// A file without a name (`O_TMPFILE`): nothing is left behind, whatever happens to the process.
pub(super) fn unnamed_file() -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .open(std::env::temp_dir())
}

fn shrink() -> io::Result<Attempt> {
    let file = ManuallyDrop::new(unnamed_file()?);
    simply(move || gained(ftruncate(&*file, 0)))
}
