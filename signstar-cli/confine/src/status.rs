//! What the kernel says about this process, from `/proc/self`.

use std::fs;
use std::io;

use crate::ConfineError;

const STATUS: &str = "/proc/self/status";
const TASKS: &str = "/proc/self/task";

/// Whether a signal is in one of the masks `SigIgn`, `SigBlk` or `SigCgt`.
pub(crate) fn signal_in(mask: &str, signal: i32) -> Result<bool, ConfineError> {
    let unusable = |source| ConfineError::Proc {
        path: STATUS,
        source,
    };
    let status = fs::read_to_string(STATUS).map_err(unusable)?;
    let bits = status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| *name == mask)
        .and_then(|(_, value)| u64::from_str_radix(value.trim(), 16).ok())
        .ok_or_else(|| unusable(io::ErrorKind::InvalidData.into()))?;
    // Signal 1 is bit 0.
    let bit = u32::try_from(signal)
        .ok()
        .and_then(|signal| signal.checked_sub(1))
        .and_then(|shift| 1_u64.checked_shl(shift))
        .unwrap_or(0);
    Ok(bits & bit != 0)
}

/// Fails unless the calling thread is the only one.
pub(crate) fn require_one_thread() -> Result<(), ConfineError> {
    let tasks = fs::read_dir(TASKS).map_err(|source| ConfineError::Proc {
        path: TASKS,
        source,
    })?;
    match tasks.count() {
        1 => Ok(()),
        more => Err(ConfineError::Threads(more)),
    }
}
