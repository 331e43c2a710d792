//! The certificate that a device shows to a stranger: to be looked at, not to be trusted.
//!
//! The handshake is broken off when the certificate has come: nothing is sent to what is there.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
};
use sha2::{Digest as _, Sha256};

use super::transport::connecting;
use super::{Address, ClientError, Fingerprint};

/// Notes the certificate and refuses it.
#[derive(Debug, Default)]
struct Looking {
    seen: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        refused()
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        refused()
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        refused()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = ring::default_provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn refused<T>() -> Result<T, Error> {
    Err(Error::InvalidCertificate(
        CertificateError::ApplicationVerificationFailure,
    ))
}

/// The fingerprint of the certificate that is shown at `address`. Nothing says that it is the right one: an
/// operator does.
///
/// # Errors
/// Those of [`presented_certificate`].
pub fn presented(address: &Address, wait: Duration) -> Result<Fingerprint, ClientError> {
    let der = presented_certificate(address, wait)?;
    Ok(Fingerprint(Sha256::digest(der).into()))
}

/// The certificate that is shown at `address`, DER. Nothing in it is verified.
///
/// # Errors
/// [`ClientError::Unreachable`] if nobody there shows one within `wait` for each step,
/// [`ClientError::Settings`] if no certificate can be for such an address.
pub fn presented_certificate(address: &Address, wait: Duration) -> Result<Vec<u8>, ClientError> {
    let broken = |_| ClientError::Settings("TLS cannot be set up");
    let unreachable = |_| ClientError::Unreachable("the connection fails");
    let looking = Arc::new(Looking::default());
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Looking>::clone(&looking);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(broken)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let name = ServerName::try_from(address.host().to_owned())
        .map_err(|_| ClientError::Settings("no certificate is for such a name"))?;
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(broken)?;
    let places = address.resolve()?;
    let mut socket = connected(&places, wait)?;
    socket
        .set_read_timeout(Some(wait))
        .and_then(|()| socket.set_write_timeout(Some(wait)))
        .map_err(unreachable)?;
    // Bounded: each turn needs bytes of the other side, and a handshake has few messages.
    for _ in 0..100 {
        match tls.complete_io(&mut socket) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    let mut seen = looking.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let none = ClientError::Unreachable("it does not speak TLS");
    seen.take().ok_or(none)
}

/// A connection to the first of `places` that takes one.
fn connected(places: &[SocketAddr], wait: Duration) -> Result<TcpStream, ClientError> {
    let mut last = ClientError::Unreachable("its name has no address");
    for place in places {
        match TcpStream::connect_timeout(place, wait) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = connecting(&error),
        }
    }
    Err(last)
}
