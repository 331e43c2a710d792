//! A connected datagram socket with a time limit for sending.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::trusted_file::describe;

/// Connects to `path`; a full queue blocks a write for at most `timeout`.
pub(super) fn connect(path: &Path, timeout: Duration) -> Result<UnixDatagram, String> {
    let connected = UnixDatagram::unbound().and_then(|socket| {
        socket.set_write_timeout(Some(timeout))?;
        socket.connect(path)?;
        Ok(socket)
    });
    connected.map_err(|error| format!("connecting to {}: {}", path.display(), describe(&error)))
}
