//! The socket to the login shell: standard input, in both directions.

use std::io;

use nix::errno::Errno;
use signstar_core::{FRAME_BYTES, Frame, WorkerAnswer, WorkerFault, WorkerRequest};

/// The shell's next message. When the shell closes the socket instead, this process ends.
pub(crate) fn next() -> Result<WorkerRequest, WorkerFault> {
    // The PIN comes this way.
    let mut frame = Frame::new(vec![0; FRAME_BYTES]);
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
    WorkerRequest::from_frame(&frame).map_err(|_| WorkerFault::Message)
}

/// Answers. Frames are small enough for the socket to take one whole.
pub(crate) fn answer(answer: &WorkerAnswer) -> Result<(), WorkerFault> {
    let frame = answer.to_frame().map_err(|_| WorkerFault::Shape)?;
    match nix::unistd::write(io::stdin(), &frame) {
        Ok(count) if count == frame.len() => Ok(()),
        // Nobody is there to be told.
        _ => std::process::exit(1),
    }
}
