//! TLS over a socket, as the HTTP library wants it, and nothing else that it could do: no proxy, no
//! names, no threads, no time-outs by socket options.

use std::fmt;
use std::io::{self, Write as _};
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Stream};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::ClientError;
use super::note::Note;
use super::socket::{Arrived, Held, Socket, unconnected};

/// Requests and answers of an operation fit into a few pieces of this.
const BUFFER_BYTES: usize = 16 << 10;

/// Where sockets come from.
pub(crate) enum Sockets {
    /// They are made when they are needed, and closed.
    Fresh(Vec<SocketAddr>),
    /// They were made beforehand, and are kept.
    Kept(SocketAddr, Mutex<Vec<ManuallyDrop<OwnedFd>>>),
}

/// Makes TLS connections to one device.
pub(crate) struct Device {
    pub(crate) sockets: Sockets,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
    pub(crate) connect_wait: Duration,
    pub(crate) note: Arc<Note>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device")
    }
}

impl Connector for Device {
    type Out = Connection;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        self.connection().map(Some).map_err(|error| {
            self.note.trouble(error);
            ureq::Error::ConnectionFailed
        })
    }
}

impl Device {
    fn connection(&self) -> Result<Connection, ClientError> {
        let deadline = self.note.deadline().min(Instant::now() + self.connect_wait);
        let mut socket = self.socket(deadline)?;
        let tls = ClientConnection::new(Arc::clone(&self.tls), self.name.clone());
        let mut tls = tls.map_err(|_| ClientError::Settings("TLS cannot be set up"))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)
                .map_err(|error| handshake(&error))?;
        }
        Ok(Connection {
            buffers: LazyBuffers::new(BUFFER_BYTES, BUFFER_BYTES),
            tls,
            socket,
            note: Arc::clone(&self.note),
        })
    }

    fn socket(&self, deadline: Instant) -> Result<Socket, ClientError> {
        match &self.sockets {
            Sockets::Kept(address, left) => {
                let next = left.lock().ok().and_then(|mut left| left.pop());
                let Some(next) = next else {
                    return Err(ClientError::Unreachable("no connection is left to be made"));
                };
                let held = Held::Kept(next);
                Socket::connect(held, *address, deadline).map_err(|error| connecting(&error))
            }
            Sockets::Fresh(addresses) => {
                let mut last = ClientError::Unreachable("its name has no address");
                for address in addresses {
                    let tried = unconnected(*address)
                        .and_then(|new| Socket::connect(Held::Closed(new), *address, deadline));
                    match tried {
                        Ok(socket) => return Ok(socket),
                        Err(error) => last = connecting(&error),
                    }
                }
                Err(last)
            }
        }
    }
}

/// Why there is no connection.
pub(super) fn connecting(error: &io::Error) -> ClientError {
    ClientError::Unreachable(match error.kind() {
        io::ErrorKind::TimedOut => "no answer in time",
        io::ErrorKind::ConnectionRefused => "nothing listens there",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way",
        _ => "the connection fails",
    })
}

fn handshake(error: &io::Error) -> ClientError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::ApplicationVerificationFailure,
        )) => ClientError::Untrusted("its certificate is not the pinned one"),
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::Expired | rustls::CertificateError::ExpiredContext { .. },
        )) => ClientError::Untrusted("its certificate has expired"),
        Some(rustls::Error::InvalidCertificate(_)) => ClientError::Untrusted(
            "its certificate is not from the authority, or for another name: if the device has \
             made it itself, pin it",
        ),
        Some(_) => ClientError::Untrusted("there is no TLS with it"),
        None if error.kind() == io::ErrorKind::TimedOut => {
            ClientError::Unreachable("no answer in time")
        }
        None => ClientError::Unreachable("it hangs up before TLS is set up"),
    }
}

/// A TLS connection.
pub(crate) struct Connection {
    buffers: LazyBuffers,
    tls: ClientConnection,
    socket: Socket,
    note: Arc<Note>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.socket.wait_until(self.note.deadline());
        self.note.sent(amount);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let mut stream = Stream::new(&mut self.tls, &mut self.socket);
        stream.write_all(output)?;
        Ok(stream.flush()?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.socket.wait_until(self.note.deadline());
        let room = self.buffers.input_append_buf();
        let count = io::Read::read(&mut Stream::new(&mut self.tls, &mut self.socket), room)?;
        self.note.received(count);
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    /// Whether it can take another request: not closed, and nothing was said unasked.
    fn is_open(&mut self) -> bool {
        loop {
            match self.tls.read_tls(&mut Arrived(&self.socket)) {
                Ok(0) => return false,
                Ok(_) => match self.tls.process_new_packets() {
                    Ok(state) if state.peer_has_closed() => return false,
                    Ok(state) if state.plaintext_bytes_to_read() > 0 => return false,
                    Ok(_) => {}
                    Err(_) => return false,
                },
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// The addresses are known: nothing is looked up.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut one = self.empty();
        one.push(SocketAddr::from(([0, 0, 0, 0], 0)));
        Ok(one)
    }
}
