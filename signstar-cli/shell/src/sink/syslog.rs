//! A syslog server on this machine: the local form on /dev/log, RFC 5424 on a socket of its own.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use signstar_core::{Event, Record};

use super::{socket, Target};
use crate::config::SyslogFormat;

/// authpriv: who did what with which key is nobody else's business.
pub(super) const FACILITY: u8 = 10;

/// notice for what happened as asked, warning for what did not.
pub(super) const fn severity(event: Event) -> u8 {
    match event {
        Event::Intent | Event::Attempt | Event::Release => 5,
        Event::Refusal | Event::Undelivered => 4,
    }
}

struct Syslog {
    socket: UnixDatagram,
    format: SyslogFormat,
    /// Asked before lock-down: getpid(2) is not among the calls that are left after it.
    process: u32,
}

pub(super) fn open(
    path: &Path,
    format: SyslogFormat,
    timeout: Duration,
) -> Result<Box<dyn Target>, String> {
    Ok(Box::new(Syslog {
        socket: socket::connect(path, timeout)?,
        format,
        process: std::process::id(),
    }))
}

impl Target for Syslog {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn message(&mut self, record: &Record) -> Vec<u8> {
        let priority = FACILITY * 8 + severity(record.event);
        let (pid, line) = (self.process, record.to_line());
        match self.format {
            // Without a time of ours: that would be one without zone and year, and the server
            // notes its own. The record has the exact one.
            SyslogFormat::Local => format!("<{priority}>signstar[{pid}]: {line}"),
            SyslogFormat::Rfc5424 => {
                let time = line
                    .split(" time=")
                    .nth(1)
                    .and_then(|rest| rest.split(' ').next());
                let (time, event) = (time.unwrap_or("-"), record.event.name());
                format!("<{priority}>1 {time} - signstar {pid} {event} - {line}")
            }
        }
        .into_bytes()
    }
}
