//! The inspector of one artifact: started before lock-down, fed with a copy of the stream, and heard
//! once, after its end.
//!
//! It reads the caller's bytes with parsers, so it is taken for a stranger: whatever it does but say one
//! whole verdict after the end of the stream, and end, refuses the request. A verdict that comes before
//! the end is one over a part of the artifact.
//!
//! Absent: any way to sign without it where a policy asks for it, and waiting for its process, which
//! nobody needs: it ends with this one.

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use signstar_confine::{inspection_rules, start_piped_helper, ConfineError, Rule};
use signstar_core::{Failure, Refusal, Verdict, VERDICT_BYTES};

use crate::config::{Inspected, Rules};
use crate::intake;
use crate::trusted_file::describe;

/// The program that looks at artifacts.
pub const INSPECTOR: &str = "/usr/lib/signstar/signstar-inspector";

/// An inspector that runs. Its descriptors stay open until the process ends, or until they are closed
/// by hand: close(2) is allowed for one of them only.
pub struct Inspector {
    artifact: ManuallyDrop<OwnedFd>,
    verdict: ManuallyDrop<OwnedFd>,
    patience: Duration,
}

impl Inspector {
    /// Starts one for what `inspected` says. Before memory is limited, since limits are inherited and
    /// an inspector needs more.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(inspected: &Inspected, rules: &[&Rules]) -> Result<Self, Failure> {
        let arguments = inspected.arguments(rules, SystemTime::now());
        let helper = start_piped_helper(Path::new(INSPECTOR), &arguments).map_err(|error| {
            let why = format!("starting {INSPECTOR}: {}", describe(&error));
            Failure::new(Refusal::Inspection, why)
        })?;
        let patience = Duration::from_secs(inspected.patience_seconds);
        Self::between(helper.input, helper.output, patience)
    }

    /// One that has the other ends of these two pipes.
    fn between(artifact: OwnedFd, verdict: OwnedFd, patience: Duration) -> Result<Self, Failure> {
        // Of a blocking pipe poll(2) says that it is writable when only a part would go in.
        fcntl(&artifact, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|error| {
            let why = error.desc().to_lowercase();
            Failure::new(Refusal::Inspection, why)
        })?;
        intake::widen(&artifact);
        Ok(Self {
            artifact: ManuallyDrop::new(artifact),
            verdict: ManuallyDrop::new(verdict),
            patience,
        })
    }

    /// What lock-down must leave of it.
    ///
    /// # Errors
    /// Those of [`inspection_rules`].
    pub fn rules(&self) -> Result<Vec<Rule>, ConfineError> {
        inspection_rules(self.artifact.as_raw_fd(), self.verdict.as_raw_fd())
    }

    /// Passes `bytes` on. How long that takes is the inspector's affair and not the caller's; it may
    /// take the inspector's patience, but not last beyond `deadline`.
    ///
    /// # Errors
    /// The inspector has ended, answers already, or does not read.
    pub fn pass(&self, bytes: &[u8], deadline: Instant) -> Result<(), Failure> {
        let end = deadline.min(Instant::now() + self.patience);
        let mut rest = bytes;
        while !rest.is_empty() {
            let taking = PollFd::new(self.artifact.as_fd(), PollFlags::POLLOUT);
            let mut polled = [taking, self.answer()];
            wait(&mut polled, end)?;
            let [_, answer] = polled;
            expect_silence(&answer)?;
            match nix::unistd::write(&*self.artifact, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => return Err(ended()),
            }
        }
        Ok(())
    }

    /// Lets the inspector see the end of the artifact, and waits for what it says.
    ///
    /// # Errors
    /// It has answered before the end, does not answer in time, or says anything but one verdict.
    pub fn conclude(self) -> Result<Verdict, Failure> {
        let end = Instant::now() + self.patience;
        let mut early = [self.answer()];
        match poll(&mut early, PollTimeout::ZERO) {
            Ok(0) => {}
            Ok(_) => expect_silence(&early[0])?,
            Err(_) => return Err(ended()),
        }
        nix::unistd::close(self.artifact.as_raw_fd()).map_err(|_| ended())?;
        // One byte more than a verdict, to see that there is none.
        let mut message = [0; VERDICT_BYTES + 1];
        let mut filled = 0;
        while filled <= VERDICT_BYTES {
            wait(&mut [self.answer()], end)?;
            let room = message.get_mut(filled..).unwrap_or_default();
            match nix::unistd::read(&*self.verdict, room) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::EINTR) => {}
                Err(_) => return Err(ended()),
            }
        }
        match message.split_first_chunk() {
            Some((verdict, _)) if filled == VERDICT_BYTES => {
                Verdict::decode(verdict).map_err(|error| Failure::new(Refusal::Inspection, error))
            }
            _ if filled > VERDICT_BYTES => Err(out_of_turn()),
            _ => Err(ended()),
        }
    }

    fn answer(&self) -> PollFd<'_> {
        PollFd::new(self.verdict.as_fd(), PollFlags::POLLIN)
    }
}

/// Waits until one of `polled` has something, `end` at the longest.
fn wait(polled: &mut [PollFd<'_>], end: Instant) -> Result<(), Failure> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let text = "the inspector did not go on in time";
            return Err(Failure::new(Refusal::Inspection, text));
        }
        // A part of a millisecond is rounded up, so that the loop does not spin.
        let timeout = PollTimeout::try_from(left + Duration::from_millis(1));
        match poll(polled, timeout.unwrap_or(PollTimeout::MAX)) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(_) => return Err(ended()),
        }
    }
}

/// Fails if there is an answer, or an end without one.
fn expect_silence(answer: &PollFd<'_>) -> Result<(), Failure> {
    match answer.revents() {
        Some(events) if events.is_empty() => Ok(()),
        Some(events) if !events.contains(PollFlags::POLLIN) => Err(ended()),
        _ => Err(out_of_turn()),
    }
}

fn ended() -> Failure {
    let text = "the inspector ended without a verdict: see the kernel's log";
    Failure::new(Refusal::Inspection, text)
}

fn out_of_turn() -> Failure {
    Failure::new(
        Refusal::Inspection,
        "the inspector said something out of turn",
    )
}

#[cfg(test)]
mod tests;
