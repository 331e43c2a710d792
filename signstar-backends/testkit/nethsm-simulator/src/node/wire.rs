//! What members say to each other: JSON with its length in front, four bytes.
//!
//! This is a protocol of the simulator's own. A real device speaks that of etcd.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::json::{self, Json};

/// More than any content of a device that tests make, in bytes.
const FRAME_BYTES_MAX: u32 = 256 << 20;
/// On loopback somebody is there at once or not at all.
const CONNECT_WAIT: Duration = Duration::from_secs(1);
/// How long a member waits for another one, which may have to wait for a third.
const ANSWER_WAIT: Duration = Duration::from_secs(20);

pub(crate) fn send(stream: &mut impl Write, text: &[u8]) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(text);
    stream.write_all(&frame)
}

pub(crate) fn receive(stream: &mut impl Read) -> io::Result<Json> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = Vec::new();
    let count = stream.take(length.into()).read_to_end(&mut text)?;
    if u32::try_from(count) != Ok(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    json::parse(&text).map_err(io::Error::other)
}

/// Nobody waits for longer.
pub(crate) fn set_patience(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_WAIT))?;
    stream.set_write_timeout(Some(ANSWER_WAIT))
}

/// Asks the member at `place` something.
pub(crate) fn ask(place: SocketAddr, text: &[u8]) -> io::Result<(TcpStream, Json)> {
    let mut stream = TcpStream::connect_timeout(&place, CONNECT_WAIT)?;
    set_patience(&stream)?;
    send(&mut stream, text)?;
    let answer = receive(&mut stream)?;
    Ok((stream, answer))
}
