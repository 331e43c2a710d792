//! Frames over the worker's socket, within a time.

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signstar_core::{FRAME_BYTES, Frame, SignerError, WorkerAnswer};

use crate::out_of_turn;

/// Our end of the socket. It stays open until the process ends.
pub(crate) struct Channel {
    socket: ManuallyDrop<OwnedFd>,
    patience: Duration,
    /// Made before lock-down, so that nothing grows after it.
    buffer: Vec<u8>,
}

impl Channel {
    /// Takes the socket, which must not block from here on.
    pub(crate) fn new(socket: OwnedFd, patience: Duration) -> Result<Self, SignerError> {
        fcntl(&socket, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|_| ended())?;
        Ok(Self {
            socket: ManuallyDrop::new(socket),
            patience,
            buffer: vec![0; FRAME_BYTES],
        })
    }

    /// What comes next may take longer.
    #[cfg(feature = "provision")]
    pub(crate) fn wait_longer(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Sends one frame. The socket has room for all that is ever sent.
    pub(crate) fn send(&mut self, frame: &Frame) -> Result<(), SignerError> {
        match nix::unistd::write(&*self.socket, frame) {
            Ok(count) if count == frame.len() => Ok(()),
            _ => Err(ended()),
        }
    }

    /// Waits for an answer.
    pub(crate) fn receive(&mut self) -> Result<WorkerAnswer, SignerError> {
        self.receive_frame()?;
        WorkerAnswer::from_frame(&self.buffer).map_err(|_| no_message())
    }

    /// Waits for one frame.
    pub(crate) fn receive_frame(&mut self) -> Result<&[u8], SignerError> {
        let deadline = Instant::now() + self.patience;
        let mut filled = 0;
        while filled < FRAME_BYTES {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(SignerError::Unavailable(
                    "the worker did not answer in time".to_owned(),
                ));
            }
            self.wait(left)?;
            let room = self.buffer.get_mut(filled..).unwrap_or_default();
            match nix::unistd::read(&*self.socket, room) {
                Ok(0) => return Err(ended()),
                Ok(count) => filled += count,
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => return Err(ended()),
            }
        }
        Ok(&self.buffer)
    }

    /// Fails unless the worker is there and has said nothing that is still unread.
    pub(crate) fn expect_silence(&mut self) -> Result<(), SignerError> {
        match self.unread()? {
            None => Ok(()),
            Some(0) => Err(ended()),
            Some(_) => Err(out_of_turn()),
        }
    }

    /// Fails if the worker has said more than it was asked. It may have ended.
    pub(crate) fn expect_end(&mut self) -> Result<(), SignerError> {
        match self.unread()? {
            None | Some(0) => Ok(()),
            Some(_) => Err(out_of_turn()),
        }
    }

    /// How much there is to read: nothing, the end (0), or something.
    fn unread(&mut self) -> Result<Option<usize>, SignerError> {
        match nix::unistd::read(&*self.socket, &mut self.buffer) {
            Ok(count) => Ok(Some(count)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
            // What was sent to it is unread: the worker has ended.
            Err(Errno::ECONNRESET) => Ok(Some(0)),
            Err(_) => Err(ended()),
        }
    }

    fn wait(&self, left: Duration) -> Result<(), SignerError> {
        let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        // A part of a millisecond is rounded up, so that the loop does not spin.
        let timeout = PollTimeout::try_from(left + Duration::from_millis(1));
        match poll(&mut polled, timeout.unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(_) => Err(ended()),
        }
    }
}

pub(crate) fn no_message() -> SignerError {
    SignerError::Failed("the worker's answer is no message".to_owned())
}

fn ended() -> SignerError {
    SignerError::Unavailable("the worker has ended: see the kernel's log".to_owned())
}
