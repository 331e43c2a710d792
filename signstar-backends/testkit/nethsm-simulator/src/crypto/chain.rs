//! Certificates that somebody brings: whether one signed the other.
//!
//! Signatures are verified with what the TLS library brings: RSA, ECDSA on P-256 and P-384, Ed25519.
//! Validity in time and constraints of names are not looked at.

use std::net::IpAddr;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::alg_id;

use super::CryptoError;
use super::der::Reader;

/// The object identifier of basicConstraints, as it is encoded.
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];
/// That of subjectAltName.
const SUBJECT_ALT_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];

/// What matters of a certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Certificate<'a> {
    signed: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    /// SubjectPublicKeyInfo
    pub(crate) public_key_info: &'a [u8],
    /// Whether it may sign others.
    pub(crate) is_ca: bool,
    /// The general names of subjectAltName, one after the other.
    names: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads DER.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, CryptoError> {
        let mut outer = Reader(Reader(der).expect(0x30)?);
        let content = outer.any()?;
        let algorithm = outer.expect(0x30)?;
        let signature = outer.expect(0x03)?;
        let mut fields = Reader(content.content);
        let mut field = fields.any()?;
        // The version may be absent, then this was the serial number.
        if field.tag == 0xa0 {
            field = fields.any()?;
        }
        let _serial_number = field;
        let _algorithm = fields.any()?;
        let issuer = fields.any()?.whole;
        let _validity = fields.any()?;
        let subject = fields.any()?.whole;
        let public_key_info = fields.any()?.whole;
        Ok(Self {
            signed: content.whole,
            issuer,
            subject,
            public_key_info,
            is_ca: is_ca(fields.0),
            names: extension(fields.0, SUBJECT_ALT_NAME).unwrap_or_default(),
            algorithm,
            signature: signature.get(1..).unwrap_or_default(),
        })
    }

    /// Whether `issuer` signed this one.
    pub(crate) fn is_signed_by(&self, issuer: &Certificate<'_>) -> Result<(), CryptoError> {
        if self.issuer != issuer.subject {
            return Err(CryptoError::new("issuer does not match"));
        }
        let mut info = Reader(Reader(issuer.public_key_info).expect(0x30)?);
        let key_algorithm = info.expect(0x30)?;
        let key = info.expect(0x03)?.get(1..).unwrap_or_default();
        let algorithms = ring::default_provider().signature_verification_algorithms;
        let fits = |have: &[u8], wanted: &alg_id::AlgorithmIdentifier| have == wanted.as_ref();
        let verified = algorithms.all.iter().any(|algorithm| {
            fits(self.algorithm, &algorithm.signature_alg_id())
                && fits(key_algorithm, &algorithm.public_key_alg_id())
                && algorithm
                    .verify_signature(key, self.signed, self.signature)
                    .is_ok()
        });
        if !verified {
            return Err(CryptoError::new("bad signature"));
        }
        Ok(())
    }

    /// Whether it names `host`, an address or a name, as one that it is for.
    pub(crate) fn is_for(&self, host: &str) -> bool {
        let (tag, wanted) = match host.trim_matches(['[', ']']).parse() {
            Ok(IpAddr::V4(address)) => (0x87, address.octets().to_vec()),
            Ok(IpAddr::V6(address)) => (0x87, address.octets().to_vec()),
            Err(_) => (0x82, host.as_bytes().to_vec()),
        };
        let mut names = Reader(self.names);
        while let Ok(name) = names.any() {
            if name.tag == tag && name.content.eq_ignore_ascii_case(&wanted) {
                return true;
            }
        }
        false
    }
}

/// The sequence in an extension, which is looked for in the tail of a certificate's content.
fn extension<'a>(tail: &'a [u8], identifier: &[u8]) -> Option<&'a [u8]> {
    let mut places = tail.windows(identifier.len());
    let at = places.position(|window| window == identifier)?;
    let mut rest = Reader(tail.get(at + identifier.len()..)?);
    let mut value = rest.any().ok()?;
    // The extension may be marked as critical in between.
    if value.tag == 0x01 {
        value = rest.any().ok()?;
    }
    Reader(value.content).expect(0x30).ok()
}

/// Whether basicConstraints say CA.
fn is_ca(tail: &[u8]) -> bool {
    let constraints = extension(tail, BASIC_CONSTRAINTS);
    let first = constraints.and_then(|constraints| Reader(constraints).any().ok());
    first.is_some_and(|first| first.tag == 0x01 && first.content == [0xff])
}

/// Whether each certificate was signed by the next, up to the last, which is taken as given.
pub(crate) fn verify(chain: &[Certificate<'_>]) -> Result<(), CryptoError> {
    for pair in chain.windows(2) {
        if let [one, next] = pair {
            one.is_signed_by(next)?;
        }
    }
    Ok(())
}
