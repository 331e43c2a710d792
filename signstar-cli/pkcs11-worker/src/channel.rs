//! The socket to whoever has started this process: standard input, in both directions.

use std::io;

use nix::errno::Errno;
use signstar_confine::lock_present_memory;
use signstar_core::{FRAME_BYTES, Frame, WorkerAnswer, WorkerFault, WorkerRequest};

use crate::token::Pin;

/// Memory for the one PIN, and for another secret, made and locked before the module is loaded.
///
/// What the process has then stays out of swap, until it ends; what the module adds is not locked, since
/// modules are larger than what an account may lock. The PIN never leaves this memory but into the module.
pub struct Locked(Frame, Frame);

impl Locked {
    /// Makes room, and locks all memory that the process has now.
    ///
    /// # Errors
    /// [`WorkerFault::Memory`] if the limit of locked memory is too low.
    pub fn new() -> Result<Self, WorkerFault> {
        let room = || Frame::new(vec![0; FRAME_BYTES]);
        let new = Self(room(), room());
        lock_present_memory().map_err(|_| WorkerFault::Memory)?;
        Ok(new)
    }

    /// Waits for another frame with a secret in it. There is one.
    pub fn next_secret(mut self) -> Frame {
        read(&mut self.1);
        self.1
    }

    /// Waits for the PIN. There is one.
    ///
    /// # Errors
    /// [`WorkerFault::Message`] if something else comes, or there was a PIN already.
    pub fn next_pin(&mut self) -> Result<Pin, WorkerFault> {
        let mut room = std::mem::take(&mut self.0);
        if room.len() != FRAME_BYTES {
            return Err(WorkerFault::Message);
        }
        read(&mut room);
        match WorkerRequest::take_frame(room) {
            Ok(WorkerRequest::Pin(pin)) => Ok(pin),
            _ => Err(WorkerFault::Message),
        }
    }
}

/// The next message but a PIN. When the other side closes the socket instead, this process ends.
///
/// # Errors
/// [`WorkerFault::Message`] if it is none.
pub fn next() -> Result<WorkerRequest, WorkerFault> {
    WorkerRequest::from_frame(&next_frame()).map_err(|_| WorkerFault::Message)
}

/// The next frame. When the other side closes the socket instead, this process ends.
pub fn next_frame() -> Frame {
    // Who sends a PIN out of turn has it wiped all the same.
    let mut frame = Frame::new(vec![0; FRAME_BYTES]);
    read(&mut frame);
    frame
}

fn read(frame: &mut [u8]) {
    let mut filled = 0;
    while filled < FRAME_BYTES {
        let room = frame.get_mut(filled..).unwrap_or_default();
        match nix::unistd::read(io::stdin(), room) {
            Ok(0) => std::process::exit(0),
            Ok(count) => filled += count,
            Err(Errno::EINTR) => {}
            Err(_) => std::process::exit(1),
        }
    }
}

/// Answers. Frames are small enough for the socket to take one whole.
///
/// # Errors
/// [`WorkerFault::Shape`] if a number has not the length that it must have.
pub fn answer(answer: &WorkerAnswer) -> Result<(), WorkerFault> {
    send(&answer.to_frame().map_err(|_| WorkerFault::Shape)?);
    Ok(())
}

/// Sends one frame. When nobody is there to be told, this process ends.
pub fn send(frame: &Frame) {
    match nix::unistd::write(io::stdin(), frame) {
        Ok(count) if count == frame.len() => {}
        _ => std::process::exit(1),
    }
}
