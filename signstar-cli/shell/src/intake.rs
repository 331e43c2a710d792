//! Reading standard input: bounded in size, in time, and in how slow it may come.

use std::io::{stdin, stdout};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use signstar_core::{Failure, Intake, Refusal};

use crate::config::Bounds;
use crate::inspection::Inspector;

/// A quarter of a widened pipe, so that its writer is rarely kept waiting.
const BUFFER_BYTES: usize = 256 * 1024;

/// As large as an unprivileged process may make a pipe: its writer
/// is rarely kept waiting.
const PIPE_BYTES: i32 = 1 << 20;

/// Lets a pipe hold more at a time. Before lock-down; where it is no pipe, or the account has wide
/// pipes enough, it stays as it is.
pub fn widen(pipe: impl AsFd) {
    let _ = fcntl(pipe, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
}

/// Reads standard input to its end into `intake`, and passes it to the inspector if there is one.
/// `started` is when the session began.
///
/// # Errors
/// The input is too large, stalls, takes too long, cannot be read, or its sender has gone; or the
/// inspector does not take it.
pub fn read(
    intake: &mut Intake,
    inspector: Option<&Inspector>,
    bounds: &Bounds,
    started: Instant,
) -> Result<(), Failure> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut pace = Pace::new(bounds, started);
    loop {
        if !has_input(pace.patience()?)? {
            continue;
        }
        let count = match nix::unistd::read(stdin(), &mut buffer) {
            Ok(0) => return check_connection(),
            Ok(count) => count,
            Err(Errno::EINTR | Errno::EAGAIN) => continue,
            Err(error) => return Err(Failure::new(Refusal::InputUnreadable, error.desc())),
        };
        let chunk = buffer.get(..count).unwrap_or_default();
        if let Some(inspector) = inspector {
            let before = Instant::now();
            inspector.pass(chunk, pace.deadline)?;
            pace.pause(before.elapsed());
        }
        intake.update(chunk)?;
        pace.took(count);
    }
}

/// How fast the input must come.
struct Pace<'b> {
    bounds: &'b Bounds,
    deadline: Instant,
    window_end: Instant,
    window_bytes: u64,
}

impl<'b> Pace<'b> {
    fn new(bounds: &'b Bounds, started: Instant) -> Self {
        Self {
            bounds,
            deadline: started + Duration::from_secs(bounds.deadline_seconds),
            window_end: Instant::now() + Duration::from_secs(bounds.progress_seconds),
            window_bytes: 0,
        }
    }

    fn took(&mut self, count: usize) {
        self.window_bytes = self
            .window_bytes
            .saturating_add(u64::try_from(count).unwrap_or(0));
    }

    /// Does not count `time`, for which others than the sender have been waited for.
    fn pause(&mut self, time: Duration) {
        self.window_end += time;
    }

    /// How long the next bytes may take.
    fn patience(&mut self) -> Result<Duration, Failure> {
        let now = Instant::now();
        let stalled = |why: &str| Err(Failure::new(Refusal::InputStalled, why));
        if now >= self.deadline {
            return stalled("past its deadline");
        }
        if now >= self.window_end {
            if self.window_bytes < self.bounds.progress_bytes {
                return stalled("slower than its minimum progress");
            }
            self.window_end = now + Duration::from_secs(self.bounds.progress_seconds);
            self.window_bytes = 0;
        }
        Ok(self
            .deadline
            .min(self.window_end)
            .saturating_duration_since(now))
    }
}

/// Waits until standard input can be read without blocking; `false` when `patience` is over.
fn has_input(patience: Duration) -> Result<bool, Failure> {
    let stdin = stdin();
    let mut polled = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    // A part of a millisecond is rounded up, so that the loop does not spin.
    let timeout = PollTimeout::try_from(patience + Duration::from_millis(1));
    match poll(&mut polled, timeout.unwrap_or(PollTimeout::MAX)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(Failure::new(Refusal::InputUnreadable, error.desc())),
    }
}

/// Whether somebody is still there to take a signature. When the client or its sshd is gone in the
/// middle of an upload, the input ends as if it were complete; but standard output has lost its
/// reader by then.
///
/// # Errors
/// [`Refusal::InputCut`] if nobody is there.
pub fn check_connection() -> Result<(), Failure> {
    let stdout = stdout();
    let mut polled = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    match poll(&mut polled, PollTimeout::ZERO) {
        Ok(0) => Ok(()),
        Ok(_) => Err(Failure::new(
            Refusal::InputCut,
            "standard output has lost its reader",
        )),
        Err(error) => Err(Failure::new(Refusal::InputCut, error.desc())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        deadline_seconds: 100,
        progress_seconds: 10,
        progress_bytes: 1000,
        memory_bytes_max: 0,
    };

    fn refusal(pace: &mut Pace<'_>) -> Option<Refusal> {
        pace.patience().err().map(|failure| failure.refusal)
    }

    #[test]
    fn lets_exactly_the_minimum_pass_and_not_one_byte_less() {
        for (bytes, expected) in [(1000, None), (999, Some(Refusal::InputStalled))] {
            let mut pace = Pace::new(&BOUNDS, Instant::now());
            pace.took(bytes);
            pace.window_end = Instant::now();
            assert_eq!(refusal(&mut pace), expected, "{bytes}");
        }
    }

    #[test]
    fn every_window_is_measured_anew() {
        let mut pace = Pace::new(&BOUNDS, Instant::now());
        pace.took(1_000_000);
        pace.window_end = Instant::now();
        assert_eq!(refusal(&mut pace), None);
        pace.window_end = Instant::now();
        assert_eq!(refusal(&mut pace), Some(Refusal::InputStalled));
    }

    #[test]
    fn ends_at_the_deadline_however_fast_the_input_comes() {
        let started = Instant::now();
        let mut pace = Pace::new(&BOUNDS, started);
        pace.took(usize::MAX);
        assert_eq!(refusal(&mut pace), None);
        pace.deadline = Instant::now();
        assert_eq!(refusal(&mut pace), Some(Refusal::InputStalled));
    }

    #[test]
    fn waiting_for_the_inspector_is_not_the_sender_s_slowness() {
        let mut pace = Pace::new(&BOUNDS, Instant::now());
        pace.window_end = Instant::now();
        pace.pause(Duration::from_secs(5));
        assert_eq!(refusal(&mut pace), None);
        pace.window_end = Instant::now();
        assert_eq!(refusal(&mut pace), Some(Refusal::InputStalled));
    }

    #[test]
    fn waits_no_longer_than_the_nearer_bound() {
        let mut pace = Pace::new(&BOUNDS, Instant::now());
        assert!(pace.patience().unwrap() <= Duration::from_secs(10));
        pace.deadline = Instant::now() + Duration::from_secs(2);
        assert!(pace.patience().unwrap() <= Duration::from_secs(2));
    }
}
