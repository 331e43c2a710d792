//! Phase 0: what is taken away before anything is opened.

use std::env;
use std::path::Path;

use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};
use nix::unistd::chdir;

use crate::{ConfineError, Limits, descriptors, die_with_parent, limits, status};

/// Makes the process small and opaque. First thing in `main`.
///
/// In this order: not dumpable (no core dump, no ptrace, no `/proc/PID/mem` by the same user),
/// `no_new_privs`, one thread, inherited descriptors from 3 on closed, umask 077, working directory `/`, limits.
///
/// Closing descriptors is sound only while nothing in the process owns one, hence "first thing".
///
/// # Errors
/// Any step that the kernel refuses or that is not in force afterwards; `/proc` must be mounted.
pub fn harden(limits: &Limits) -> Result<(), ConfineError> {
    refuse_dumps()?;
    refuse_privileges()?;
    status::require_one_thread()?;
    descriptors::close_stray()?;
    mask_modes()?;
    leave_directory()?;
    limits::apply(limits)
}

/// As [`harden`], for a helper that [`start_helper`](crate::start_helper) has started: standard input
/// is its socket and the other streams lead nowhere. It ends with its parent.
///
/// # Errors
/// Those of [`harden`].
pub fn harden_helper(limits: &Limits) -> Result<(), ConfineError> {
    die_with_parent()?;
    refuse_dumps()?;
    refuse_privileges()?;
    status::require_one_thread()?;
    descriptors::close_stray()?;
    descriptors::require_socket()?;
    mask_modes()?;
    leave_directory()?;
    limits::apply(limits)
}

fn refuse_dumps() -> Result<(), ConfineError> {
    let step = "become undumpable";
    prctl::set_dumpable(false).map_err(|source| ConfineError::Refused { step, source })?;
    match prctl::get_dumpable() {
        Ok(false) => Ok(()),
        Ok(true) => Err(ConfineError::NotInForce { step }),
        Err(source) => Err(ConfineError::Refused { step, source }),
    }
}

fn refuse_privileges() -> Result<(), ConfineError> {
    let step = "refuse new privileges";
    prctl::set_no_new_privs().map_err(|source| ConfineError::Refused { step, source })?;
    match prctl::get_no_new_privs() {
        Ok(true) => Ok(()),
        Ok(false) => Err(ConfineError::NotInForce { step }),
        Err(source) => Err(ConfineError::Refused { step, source }),
    }
}

fn mask_modes() -> Result<(), ConfineError> {
    let private = Mode::S_IRWXG | Mode::S_IRWXO;
    umask(private);
    // umask(2) cannot fail, but it can be kept from happening; it returns what was set before.
    if umask(private) == private {
        Ok(())
    } else {
        Err(ConfineError::NotInForce { step: "set umask" })
    }
}

fn leave_directory() -> Result<(), ConfineError> {
    let step = "change directory to /";
    chdir("/").map_err(|source| ConfineError::Refused { step, source })?;
    match env::current_dir() {
        Ok(directory) if directory == Path::new("/") => Ok(()),
        _ => Err(ConfineError::NotInForce { step }),
    }
}
