//! How many sessions of an account run at a time.
//!
//! Every session holds a lock on one byte of the account's file, for as long as its process lives:
//! the kernel gives it back however the process ends. The file is never read nor written.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::libc;
use signstar_core::{Failure, Refusal};

use crate::trusted_file::describe;

/// The folder with one file per account, made at boot, each writable by its account's group.
pub const FOLDER: &str = "/run/signstar/sessions";

/// The place of one session; it is free again when the process ends. The file is not closed before
/// that: close(2) is not among the calls that are left after lock-down.
#[derive(Debug)]
pub struct Slot(#[expect(dead_code, reason = "holds the lock")] ManuallyDrop<File>);

/// Takes one of `sessions_max` places of the account `user`.
///
/// # Errors
/// [`Refusal::Busy`] if all are taken; [`Refusal::Configuration`] if the file is missing.
pub fn take_slot(user: &str, sessions_max: u64) -> Result<Slot, Failure> {
    let path: PathBuf = Path::new(FOLDER).join(user);
    let failed = |detail: String| {
        Failure::new(
            Refusal::Configuration,
            format!("{}: {detail}", path.display()),
        )
    };
    let file = File::options()
        .write(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(&path)
        .map_err(|error| failed(describe(&error)))?;
    for slot in 0..sessions_max {
        let start = libc::off_t::try_from(slot).map_err(|error| failed(error.to_string()))?;
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&write_lock(start))) {
            Ok(_) => return Ok(Slot(ManuallyDrop::new(file))),
            Err(Errno::EAGAIN | Errno::EACCES) => {}
            Err(error) => return Err(failed(error.desc().to_lowercase())),
        }
    }
    Err(Failure::new(
        Refusal::Busy,
        format!("all {sessions_max} sessions of {user} are taken"),
    ))
}

fn write_lock(start: libc::off_t) -> libc::flock {
    libc::flock {
        l_type: WRITE_LOCK,
        l_whence: FROM_START,
        l_start: start,
        l_len: 1,
        l_pid: 0,
    }
}

/// F_WRLCK (linux/fcntl.h), which libc declares wider than the field that it belongs into.
const WRITE_LOCK: libc::c_short = 1;
/// SEEK_SET, likewise.
const FROM_START: libc::c_short = 0;
