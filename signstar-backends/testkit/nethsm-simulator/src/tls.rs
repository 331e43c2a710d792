//! TLS with the device's own key and certificate, which can change while it runs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig,
};
use tokio_rustls::rustls::sign::{CertifiedKey, Signer, SigningKey};
use tokio_rustls::rustls::{Error, SignatureAlgorithm, SignatureScheme};

use crate::crypto::ec::Curve;
use crate::crypto::private_key::{KeyType, PrivateKey};
use crate::crypto::rsa_key::{self, Hash};
use crate::store::Tls;

/// What is presented at the next handshake.
#[derive(Clone)]
pub(crate) struct Identity(Arc<Mutex<Arc<CertifiedKey>>>);

impl Identity {
    pub(crate) fn new(tls: &Tls) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(certified(tls)))))
    }

    /// Presents another key and chain from now on.
    pub(crate) fn replace(&self, tls: &Tls) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(certified(tls));
    }

    /// A server with this identity. Sessions are not resumed: a client would not see a new certificate.
    pub(crate) fn server(&self) -> Result<ServerConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

fn certified(tls: &Tls) -> CertifiedKey {
    let chain = tls
        .chain
        .iter()
        .cloned()
        .map(CertificateDer::from)
        .collect();
    CertifiedKey::new(chain, Arc::new(DeviceKey(Arc::clone(&tls.key))))
}

/// A key of the device as one of TLS. Keys that the TLS library's own cryptography does not know
/// (P-521, short RSA keys, Brainpool) work too, when the client offers their schemes.
#[derive(Debug)]
struct DeviceKey(Arc<PrivateKey>);

impl DeviceKey {
    fn schemes(&self) -> &'static [SignatureScheme] {
        match self.0.key_type() {
            KeyType::Rsa => &[
                SignatureScheme::RSA_PSS_SHA256,
                SignatureScheme::RSA_PSS_SHA384,
                SignatureScheme::RSA_PSS_SHA512,
                SignatureScheme::RSA_PKCS1_SHA256,
                SignatureScheme::RSA_PKCS1_SHA384,
                SignatureScheme::RSA_PKCS1_SHA512,
            ],
            KeyType::Curve25519 => &[SignatureScheme::ED25519],
            KeyType::Ec(Curve::P256) => &[SignatureScheme::ECDSA_NISTP256_SHA256],
            KeyType::Ec(Curve::P384) => &[SignatureScheme::ECDSA_NISTP384_SHA384],
            KeyType::Ec(Curve::P521) => &[SignatureScheme::ECDSA_NISTP521_SHA512],
            // RFC 8734
            KeyType::Ec(Curve::BrainpoolP256) => &[SignatureScheme::Unknown(0x081a)],
            KeyType::Ec(Curve::BrainpoolP384) => &[SignatureScheme::Unknown(0x081b)],
            KeyType::Ec(Curve::BrainpoolP512) => &[SignatureScheme::Unknown(0x081c)],
            KeyType::Ec(Curve::P256K1) | KeyType::Generic | KeyType::P224 => &[],
        }
    }
}

impl SigningKey for DeviceKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = self.schemes().iter().find(|own| offered.contains(own))?;
        Some(Box::new(DeviceSigner {
            key: Arc::clone(&self.0),
            scheme: *scheme,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.key_type() {
            KeyType::Rsa => SignatureAlgorithm::RSA,
            KeyType::Curve25519 => SignatureAlgorithm::ED25519,
            _ => SignatureAlgorithm::ECDSA,
        }
    }
}

#[derive(Debug)]
struct DeviceSigner {
    key: Arc<PrivateKey>,
    scheme: SignatureScheme,
}

impl Signer for DeviceSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = match self.key.as_ref() {
            PrivateKey::Ed25519(key) => Some(PrivateKey::sign_ed25519(key, message)),
            PrivateKey::Ec(key) => {
                let digest = match key.curve.digest_bytes() {
                    48 => Sha384::digest(message).to_vec(),
                    64 => Sha512::digest(message).to_vec(),
                    _ => Sha256::digest(message).to_vec(),
                };
                key.sign(&digest).ok()
            }
            PrivateKey::Rsa(key) => sign_rsa(key, self.scheme, message),
            PrivateKey::Generic(_) => None,
        };
        signature.ok_or_else(|| Error::General("the device did not sign".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

fn sign_rsa(key: &RsaPrivateKey, scheme: SignatureScheme, message: &[u8]) -> Option<Vec<u8>> {
    let pss = |hash, digest: &[u8]| rsa_key::sign_pss(key, hash, digest).ok();
    let pkcs1 = |padding, digest: &[u8]| key.sign::<Pkcs1v15Sign>(padding, digest).ok();
    match scheme {
        SignatureScheme::RSA_PSS_SHA256 => pss(Hash::Sha256, &Sha256::digest(message)),
        SignatureScheme::RSA_PSS_SHA384 => pss(Hash::Sha384, &Sha384::digest(message)),
        SignatureScheme::RSA_PSS_SHA512 => pss(Hash::Sha512, &Sha512::digest(message)),
        SignatureScheme::RSA_PKCS1_SHA256 => {
            pkcs1(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
        }
        SignatureScheme::RSA_PKCS1_SHA384 => {
            pkcs1(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message))
        }
        SignatureScheme::RSA_PKCS1_SHA512 => {
            pkcs1(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message))
        }
        _ => None,
    }
}
