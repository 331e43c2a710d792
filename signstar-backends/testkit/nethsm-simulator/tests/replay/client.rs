//! A client that shows every octet: TLS without a check of the certificate, and HTTP by hand.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};

#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = ring::default_provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    /// A connection that the last answer left open.
    open: RefCell<Option<Stream>>,
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything))
            .with_no_client_auth();
        Self {
            address,
            config: Arc::new(config),
            open: RefCell::default(),
        }
    }

    /// Where it asks.
    #[allow(dead_code, reason = "each test program uses a part of it")]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens another connection next time.
    pub(crate) fn forget(&self) {
        self.open.take();
    }

    /// Whether somebody listens.
    pub(crate) fn is_listening(&self) -> bool {
        TcpStream::connect(self.address).is_ok()
    }

    fn connect(&self) -> Stream {
        // A device that reboots comes back within a second.
        for _ in 0..500 {
            if let Ok(stream) = TcpStream::connect(self.address) {
                stream.set_nodelay(true).unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(30)))
                    .unwrap();
                let name = ServerName::try_from("simulator").unwrap();
                let tls = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
                return StreamOwned::new(tls, stream);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nobody listens on {}", self.address);
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<&[u8]>,
    ) -> Received {
        self.try_send(method, path, headers, body).unwrap()
    }

    /// The same, when the answer may not come.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<&[u8]>,
    ) -> io::Result<Received> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: simulator\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if body.is_some() || method == "POST" || method == "PUT" {
            let length = body.map_or(0, <[u8]>::len);
            text.push_str(&format!("Content-Length: {length}\r\n"));
        }
        text.push_str("\r\n");
        let mut octets = text.into_bytes();
        octets.extend_from_slice(body.unwrap_or_default());
        let mut stream = self.open.take().unwrap_or_else(|| self.connect());
        stream.write_all(&octets)?;
        let received = receive(&mut stream, method == "HEAD")?;
        if received.header("connection") != Some("close") {
            self.open.replace(Some(stream));
        }
        Ok(received)
    }

    /// Sends octets, and takes what comes until the other side closes or is silent.
    pub(crate) fn send_raw(&self, octets: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(octets).unwrap();
        let timeout = Some(Duration::from_millis(500));
        stream.get_ref().set_read_timeout(timeout).unwrap();
        let mut all = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match stream.read(&mut piece) {
                Ok(0) => return all,
                Ok(count) => all.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return all,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return all,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn line(stream: &mut Stream) -> io::Result<String> {
    let mut octets = Vec::new();
    while !octets.ends_with(b"\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet)?;
        octets.extend(octet);
    }
    octets.truncate(octets.len() - 2);
    String::from_utf8(octets).map_err(io::Error::other)
}

fn receive(stream: &mut Stream, head_only: bool) -> io::Result<Received> {
    let status = line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no status"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut received = Received {
        status,
        headers,
        body: Vec::new(),
    };
    if head_only {
        return Ok(received);
    }
    if received.header("transfer-encoding") == Some("chunked") {
        loop {
            let length = usize::from_str_radix(&line(stream)?, 16).unwrap();
            let mut chunk = vec![0; length];
            stream.read_exact(&mut chunk)?;
            received.body.extend(chunk);
            line(stream)?;
            if length == 0 {
                return Ok(received);
            }
        }
    }
    let length = received.header("content-length");
    let length = length.map_or(0, |length| length.parse().unwrap());
    received.body = vec![0; length];
    stream.read_exact(&mut received.body)?;
    Ok(received)
}
