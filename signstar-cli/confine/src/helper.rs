//! Starting a helper: another program of Signstar's, for work that the login shell must not do
//! itself. Before lock-down only; afterwards there is no call left to start one with.
//!
//! It gets one end of a socket pair as its standard input and /dev/null as the other two streams, or
//! two pipes as standard input and output; and an environment of exactly what it is given. The caller's
//! streams stay with the caller's process.
//!
//! Deliberately absent: a search path, and waiting for its end, which is its own affair: it ends when
//! its parent does ([`die_with_parent`]) or closes socket or pipe.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::ConfineError;

/// A helper that runs.
#[derive(Debug)]
pub struct Helper {
    /// Our end of the socket pair.
    pub socket: OwnedFd,
    /// The number of its process.
    pub process: u32,
}

/// Starts `program`, an absolute path, with `environment` and nothing else.
///
/// # Errors
/// Those of socketpair(2) and of starting a program.
pub fn start_helper(program: &Path, environment: &[(String, String)]) -> io::Result<Helper> {
    if !program.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let (ours, theirs) = UnixStream::pair()?;
    let child = Command::new(program)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Helper {
        socket: ours.into(),
        process: child.id(),
    })
}

/// A helper that runs, between two pipes.
#[derive(Debug)]
pub struct PipedHelper {
    /// Where its standard input comes from.
    pub input: OwnedFd,
    /// Where its standard output goes to.
    pub output: OwnedFd,
    /// The number of its process.
    pub process: u32,
}

/// Starts `program`, an absolute path, with `arguments`, an empty environment and two pipes.
///
/// # Errors
/// Those of pipe(2) and of starting a program.
pub fn start_piped_helper(program: &Path, arguments: &[String]) -> io::Result<PipedHelper> {
    if !program.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let (theirs_in, ours_in) = io::pipe()?;
    let (ours_out, theirs_out) = io::pipe()?;
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs_in))
        .stdout(OwnedFd::from(theirs_out))
        .stderr(Stdio::null())
        .spawn()?;
    Ok(PipedHelper {
        input: ours_in.into(),
        output: ours_out.into(),
        process: child.id(),
    })
}

/// Has the kernel end this process (SIGKILL) as soon as the thread that started it ends. A parent
/// that has ended already is noticed by the end of the socket.
///
/// # Errors
/// [`ConfineError::Refused`], [`ConfineError::NotInForce`].
pub fn die_with_parent() -> Result<(), ConfineError> {
    let step = "die with the parent";
    let refused = |source| ConfineError::Refused { step, source };
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(refused)?;
    match prctl::get_pdeathsig().map_err(refused)? {
        Some(Signal::SIGKILL) => Ok(()),
        _ => Err(ConfineError::NotInForce { step }),
    }
}
