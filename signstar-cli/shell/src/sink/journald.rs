//! systemd-journald, by its native protocol: one field a line, lengths where a value could lie.
//!
//! Every value of a record is sent with its length in front, so none can add a field.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use signstar_core::Record;

use super::{socket, syslog, Target};

struct Journald(UnixDatagram);

pub(super) fn open(path: &Path, timeout: Duration) -> Result<Box<dyn Target>, String> {
    Ok(Box::new(Journald(socket::connect(path, timeout)?)))
}

impl Target for Journald {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// `MESSAGE` is the line of all other sinks; beside it every field stands alone, `user` as
    /// `SIGNSTAR_USER`, so that journalctl can filter by it.
    fn message(&mut self, record: &Record) -> Vec<u8> {
        let mut message = Vec::new();
        add(&mut message, "MESSAGE", &record.to_line());
        add(
            &mut message,
            "PRIORITY",
            &syslog::severity(record.event).to_string(),
        );
        add(
            &mut message,
            "SYSLOG_FACILITY",
            &syslog::FACILITY.to_string(),
        );
        add(&mut message, "SYSLOG_IDENTIFIER", "signstar");
        add(&mut message, "SIGNSTAR_EVENT", record.event.name());
        add(&mut message, "SIGNSTAR_ID", &record.id.to_string());
        for (field, value) in record.fields() {
            let name = field.name().to_uppercase().replace('-', "_");
            add(&mut message, &format!("SIGNSTAR_{name}"), value);
        }
        message
    }
}

/// Name, line end, length as 64 bits little-endian, value, line end.
fn add(message: &mut Vec<u8>, name: &str, value: &str) {
    message.extend_from_slice(name.as_bytes());
    message.push(b'\n');
    // No machine has a longer address than 64 bits.
    let length = u64::try_from(value.len()).unwrap_or(u64::MAX);
    message.extend_from_slice(&length.to_le_bytes());
    message.extend_from_slice(value.as_bytes());
    message.push(b'\n');
}
