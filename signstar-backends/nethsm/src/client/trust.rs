//! How a device proves that it is the one: by its certificate's fingerprint, by an authority in a
//! file, or by the authorities of the system. Nothing switches this off.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::ClientError;
use super::pin::Pinned;

/// The SHA-256 of a TLS certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub(crate) [u8; 32]);

/// A text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits, with colons or without")]
pub struct InvalidFingerprint;

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits: Vec<u8> = match text.contains(':') {
            false => text.bytes().collect(),
            true if text.split(':').all(|pair| pair.len() == 2) => {
                text.bytes().filter(|byte| *byte != b':').collect()
            }
            true => return Err(InvalidFingerprint),
        };
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(InvalidFingerprint);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let value = |digit: &u8| char::from(*digit).to_digit(16);
            let both = pair
                .first()
                .and_then(value)
                .zip(pair.last().and_then(value));
            let (high, low) = both.ok_or(InvalidFingerprint)?;
            *byte = u8::try_from(high * 16 + low).map_err(|_| InvalidFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

/// 64 lower-case hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What makes a device's TLS certificate the right one.
#[derive(Clone, Debug)]
pub enum Trust {
    /// It is this one, whatever it says: neither its names nor its dates count. For the certificate
    /// that devices make for themselves.
    Pin(Fingerprint),
    /// One of these authorities has signed it, for the device's address or name, and it is valid now.
    Authorities(Authorities),
}

/// Where systems keep the authorities that they trust: Debian, Arch Linux, Fedora.
pub const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// Certificates of authorities.
#[derive(Clone)]
pub struct Authorities(Arc<RootCertStore>);

impl Authorities {
    /// Those in a PEM file; those of a system may be some hundred.
    ///
    /// # Errors
    /// [`ClientError::Settings`] if there is none in it that can be used.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ClientError> {
        let unusable = ClientError::Settings("there is no certificate of an authority in the file");
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.map_err(|_| unusable.clone())?);
        match store.is_empty() {
            true => Err(unusable),
            false => Ok(Self(Arc::new(store))),
        }
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} authorities", self.0.len())
    }
}

impl Trust {
    /// The settings of TLS, made once: each connection is a full handshake, so that each shows the
    /// device's certificate.
    pub(crate) fn configuration(&self) -> Result<Arc<ClientConfig>, ClientError> {
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| ClientError::Settings("TLS cannot be set up"))?;
        let builder = match self {
            Self::Pin(fingerprint) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pinned::new(*fingerprint, algorithms))),
            Self::Authorities(Authorities(store)) => {
                builder.with_root_certificates(Arc::clone(store))
            }
        };
        let mut configuration = builder.with_no_client_auth();
        configuration.resumption = Resumption::disabled();
        Ok(Arc::new(configuration))
    }
}
