//! Memory that never reaches a swap device.

use nix::sys::mman::{MlockAllFlags, mlockall};

use crate::ConfineError;

/// Locks every page of the process, those it has and those it will get, once they are touched.
///
/// The kernel compares the size of the whole address space with `RLIMIT_MEMLOCK` (8 MiB by
/// default), not what is resident: a static binary fits, a dynamic one with large libraries may
/// not. Afterwards every new mapping counts against the same limit, so it bounds memory as well.
///
/// # Errors
/// [`ConfineError::Refused`] with `ENOMEM` when the address space does not fit, `EPERM` when the
/// limit is zero (`mlockall(2)`, `MCL_ONFAULT` since Linux 4.4).
pub fn lock_memory() -> Result<(), ConfineError> {
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault).map_err(|source| {
        ConfineError::Refused {
            step: "lock memory",
            source,
        }
    })
}

/// Locks the pages that the process has now, and none that it will get: for a process that loads
/// libraries of others afterwards, which are larger than what an account may lock.
///
/// # Errors
/// Those of [`lock_memory`].
pub fn lock_present_memory() -> Result<(), ConfineError> {
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | on_fault).map_err(|source| ConfineError::Refused {
        step: "lock memory",
        source,
    })
}
