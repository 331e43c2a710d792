//! One deadline for the whole process, kept by the kernel.
//!
//! SIGALRM with its default action ends the process without any system call of ours, so the
//! deadline holds under the filter and in code that was taken over: nothing that could cancel it
//! (`alarm`, `setitimer`, `rt_sigaction`, `rt_sigprocmask`, `rt_sigreturn`) is in the table.

use std::num::NonZeroU32;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::alarm;

use crate::ConfineError;
use crate::status::alarm_is;

/// Ends the process with SIGALRM after so many seconds, whatever it is doing then.
///
/// # Errors
/// [`ConfineError::Alarm`] when the signal would not end the process: an ignored SIGALRM is
/// inherited through exec, and only `unsafe` code could reset it. A blocked one is unblocked.
pub fn arm_deadline(seconds: NonZeroU32) -> Result<(), ConfineError> {
    let step = "arm deadline";
    let mut alarm_only = SigSet::empty();
    alarm_only.add(Signal::SIGALRM);
    alarm_only
        .thread_unblock()
        .map_err(|source| ConfineError::Refused { step, source })?;
    // Not trusted to report a failure, which pthread_sigmask(3) does by a positive number: asked.
    if let Some(state) = alarm_is()? {
        return Err(ConfineError::Alarm { state });
    }
    let seconds = seconds.get();
    alarm::set(seconds);
    // alarm(2) has no way to say that it failed; setting it again tells what was left.
    match alarm::set(seconds) {
        Some(left) if left <= seconds && left.saturating_add(1) >= seconds => Ok(()),
        _ => Err(ConfineError::NotInForce { step }),
    }
}
