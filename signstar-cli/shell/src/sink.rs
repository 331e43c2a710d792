//! Where records go, one file each way.
//!
//! A sink is opened before lock-down and afterwards only written to: one write(2) for one record.
//! It has taken a record when the kernel has taken all of it within the time limit.

use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use signstar_core::{Record, Sink, SinkError};

use crate::config::{Audit, SinkChoice};

mod file;
mod journald;
mod socket;
mod stderr;
mod syslog;

/// An open sink. It stays open until the process ends: close(2) is not among the calls that are
/// left after lock-down.
pub struct OpenSink {
    name: &'static str,
    target: ManuallyDrop<Box<dyn Target>>,
    timeout: Duration,
}

/// A descriptor that takes records in one form. Why it could not be opened is a text, since its name is known here.
trait Target {
    /// The descriptor, which alone stays writable after lock-down.
    fn descriptor(&self) -> BorrowedFd<'_>;
    /// The record in its form.
    fn message(&mut self, record: &Record) -> Vec<u8>;
    /// Waits, within the time limit, until a write will not block.
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

impl OpenSink {
    /// Opens the configured sink.
    ///
    /// # Errors
    /// It is not there, or not fit to take records.
    pub fn open(audit: &Audit) -> Result<Self, SinkError> {
        let timeout = Duration::from_millis(audit.timeout_milliseconds);
        let name = audit.sink.name();
        let target = match &audit.sink {
            SinkChoice::Journald { socket } => journald::open(socket, timeout),
            SinkChoice::Syslog { socket, format } => syslog::open(socket, *format, timeout),
            SinkChoice::File {
                path,
                bytes_max,
                sync,
            } => file::open(path, *bytes_max, *sync),
            SinkChoice::Stderr => stderr::open(timeout),
        };
        let target = target.map_err(|reason| SinkError { sink: name, reason })?;
        Ok(Self {
            name,
            target: ManuallyDrop::new(target),
            timeout,
        })
    }

    /// The descriptor that must stay writable, beside the standard streams.
    pub fn log_descriptor(&self) -> Option<RawFd> {
        Some(self.target.descriptor().as_raw_fd()).filter(|&fd| fd > 2)
    }
}

impl Sink for OpenSink {
    fn accept(&mut self, record: &Record) -> Result<(), SinkError> {
        let message = self.target.message(record);
        let failed = |reason: String| SinkError {
            sink: self.name,
            reason,
        };
        let started = Instant::now();
        self.target.ready().map_err(failed)?;
        // A socket with a time limit gives up when the process is stopped and continued; nothing of
        // the message has been taken then. The kernel's deadline bounds the repetition.
        let written = loop {
            match nix::unistd::write(self.target.descriptor(), &message) {
                Err(nix::Error::EINTR) => {}
                other => break other,
            }
        };
        match written {
            // A file blocks as long as its disk does.
            Ok(_) if started.elapsed() > self.timeout => {
                Err(failed("took the record past its time limit".to_owned()))
            }
            Ok(written) if written == message.len() => Ok(()),
            Ok(_) => Err(failed("took only a part of the record".to_owned())),
            Err(nix::Error::EAGAIN) => Err(failed("blocked past its time limit".to_owned())),
            Err(error) => Err(failed(error.desc().to_lowercase())),
        }
    }
}
