//! A certificate that is known by its fingerprint.
//!
//! The pin stands in place of every judgement of what the certificate says: the one that a device makes
//! for itself names no host, may be of version 1 and is valid for ever. That the other side has its key is
//! verified as always, by the signature of the handshake.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest as _, Sha256};

use super::trust::Fingerprint;
use crate::der::{EXPLICIT_0, INTEGER, Reader, SEQUENCE};

/// Trusts one certificate.
#[derive(Debug)]
pub(crate) struct Pinned {
    fingerprint: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    pub(crate) const fn new(
        fingerprint: Fingerprint,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            fingerprint,
            algorithms,
        }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented: [u8; 32] = Sha256::digest(end_entity).into();
        match presented == self.fingerprint.0 {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Read here, since the library refuses whole certificates of version 1.
        let key = certificate_key(certificate)
            .ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let key = SubjectPublicKeyInfoDer::from(key);
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The `SubjectPublicKeyInfo` of a certificate in DER (RFC 5280, section 4.1), whatever else it says.
pub fn certificate_key(certificate: &[u8]) -> Option<&[u8]> {
    let mut signed = Reader::new(certificate).enter(SEQUENCE)?.enter(SEQUENCE)?;
    // The version, absent in version 1.
    let _version = signed.take(EXPLICIT_0);
    signed.take(INTEGER)?; // the serial number
    signed.take(SEQUENCE)?; // the algorithm of its signature
    signed.take(SEQUENCE)?; // the issuer
    signed.take(SEQUENCE)?; // the time
    signed.take(SEQUENCE)?; // the subject
    signed.take_whole(SEQUENCE)
}
