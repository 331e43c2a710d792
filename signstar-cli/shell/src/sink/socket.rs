//! A connected datagram socket with a time limit for sending.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use signstar_core::SinkError;

use crate::trusted_file::describe;

/// Connects to `path`; a full queue blocks a write for at most `timeout`.
pub(super) fn connect(
    sink: &'static str,
    path: &Path,
    timeout: Duration,
) -> Result<UnixDatagram, SinkError> {
    let connected = UnixDatagram::unbound().and_then(|socket| {
        socket.set_write_timeout(Some(timeout))?;
        socket.connect(path)?;
        Ok(socket)
    });
    connected.map_err(|error| SinkError {
        sink,
        reason: format!("connecting to {}: {}", path.display(), describe(&error)),
    })
}
