//! Public keys, signing requests and certificates in X.509's encodings.

use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};

use super::ec::{Curve, EcKey};
use super::private_key::{PrivateKey, PublicKey};
use super::{CryptoError, der, pem, random};

/// rsaEncryption
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// SEQUENCE { rsaEncryption, NULL }
pub(crate) const RSA_ALGORITHM: &[u8] = &[
    0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0,
];
/// sha256WithRSAEncryption
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
/// id-Ed25519
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// id-ecPublicKey
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// ecdsa-with-SHA256, of which the last octet is 3 and 4 for the longer hashes
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
/// extensionRequest
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
/// subjectAltName
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// commonName
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// What the device calls itself in the certificate that it makes.
const FACTORY_NAME: &str = "keyfender";

/// AlgorithmIdentifier of keys on `curve`.
pub(crate) fn ec_algorithm(curve: Curve) -> Vec<u8> {
    der::sequence([der::oid(EC_PUBLIC_KEY), der::oid(curve.oid())])
}

/// SubjectPublicKeyInfo; a generic key has none.
pub(crate) fn public_key_info(key: &PrivateKey) -> Option<Vec<u8>> {
    let (algorithm, bits) = match (key, key.public()?) {
        (_, PublicKey::Rsa { modulus, exponent }) => {
            let numbers = [der::integer(&modulus), der::integer(&exponent)];
            (RSA_ALGORITHM.to_vec(), der::sequence(numbers))
        }
        (PrivateKey::Ec(EcKey { curve, .. }), PublicKey::Point(point)) => {
            (ec_algorithm(*curve), point)
        }
        (_, PublicKey::Point(point)) => (der::sequence([der::oid(ED25519)]), point),
    };
    Some(der::sequence([algorithm, der::bit_string(&bits)]))
}

/// The same as PEM.
pub(crate) fn public_key_pem(key: &PrivateKey) -> Option<String> {
    Some(pem::encode("PUBLIC KEY", &public_key_info(key)?))
}

/// Who a request is for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    /// commonName, countryName, localityName, stateOrProvinceName, organizationName,
    /// organizationalUnitName, emailAddress: an empty one is left out.
    pub(crate) names: [String; 7],
    /// Names of hosts; with `IP:` in front an address.
    pub(crate) alternatives: Vec<String>,
}

impl Subject {
    fn encode(&self) -> Vec<u8> {
        // The attribute's type and the tag of its value's string.
        const KINDS: [(&[u8], u8); 7] = [
            (COMMON_NAME, 0x0c),
            (&[0x55, 4, 6], 0x13),
            (&[0x55, 4, 7], 0x0c),
            (&[0x55, 4, 8], 0x0c),
            (&[0x55, 4, 10], 0x0c),
            (&[0x55, 4, 11], 0x0c),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], 0x16),
        ];
        let names = self.names.iter().zip(KINDS);
        let present = names.filter(|(name, _)| !name.is_empty());
        der::sequence(present.map(|(name, (kind, tag))| {
            let value = der::tagged(tag, name.as_bytes());
            der::set(&der::sequence([der::oid(kind), value]))
        }))
    }
}

/// CertificationRequest for `subject`, as PEM; a generic key has none.
pub(crate) fn request(key: &PrivateKey, subject: &Subject) -> Option<Result<String, CryptoError>> {
    let info = public_key_info(key)?;
    let attributes = if subject.alternatives.is_empty() {
        Vec::new()
    } else {
        let names = subject.alternatives.iter().map(|name| general_name(name));
        let extension = der::sequence([
            der::oid(SUBJECT_ALT_NAME),
            der::octet_string(&der::sequence(names)),
        ]);
        let values = der::set(&der::sequence([extension]));
        der::sequence([der::oid(EXTENSION_REQUEST), values])
    };
    let content = der::sequence([
        der::integer(&[0]),
        subject.encode(),
        info,
        der::tagged(0xa0, &attributes),
    ]);
    let signed = signed(key, content);
    Some(signed.map(|der| pem::encode("CERTIFICATE REQUEST", &der)))
}

fn general_name(name: &str) -> Vec<u8> {
    let address = name.strip_prefix("IP:").map(str::parse);
    match address {
        Some(Ok(std::net::IpAddr::V4(address))) => der::tagged(0x87, &address.octets()),
        Some(Ok(std::net::IpAddr::V6(address))) => der::tagged(0x87, &address.octets()),
        _ => der::tagged(0x82, name.as_bytes()),
    }
}

/// The certificate that a device makes for itself: version 3 without extensions, valid from 1970 to
/// 9999.
pub(crate) fn self_signed(key: &PrivateKey) -> Result<Vec<u8>, CryptoError> {
    let mut serial = random::<10>()?;
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    let mut subject = Subject::default();
    if let Some(name) = subject.names.first_mut() {
        *name = FACTORY_NAME.to_owned();
    }
    let name = subject.encode();
    let info =
        public_key_info(key).ok_or_else(|| CryptoError::new("Generic keys have no public key"))?;
    let validity = der::sequence([
        der::tagged(0x17, b"700101000000Z"),
        der::tagged(0x18, b"99991231235959Z"),
    ]);
    let content = der::sequence([
        der::tagged(0xa0, &der::integer(&[2])),
        der::integer(&serial),
        signature_algorithm(key),
        name.clone(),
        validity,
        name,
        info,
    ]);
    signed(key, content)
}

fn signed(key: &PrivateKey, content: Vec<u8>) -> Result<Vec<u8>, CryptoError> {
    let signature = sign_message(key, &content)?;
    Ok(der::sequence([
        content,
        signature_algorithm(key),
        der::bit_string(&signature),
    ]))
}

fn signature_algorithm(key: &PrivateKey) -> Vec<u8> {
    match key {
        PrivateKey::Rsa(_) => der::sequence([der::oid(RSA_SHA256), der::NULL.to_vec()]),
        PrivateKey::Ec(key) => der::sequence([der::oid(match key.curve.digest_bytes() {
            48 => ECDSA_SHA384,
            64 => ECDSA_SHA512,
            _ => ECDSA_SHA256,
        })]),
        PrivateKey::Ed25519(_) | PrivateKey::Generic(_) => der::sequence([der::oid(ED25519)]),
    }
}

/// The signature over `message` by the key's own algorithm and hash.
pub(crate) fn sign_message(key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match key {
        PrivateKey::Rsa(key) => sign_rsa(key, message),
        PrivateKey::Ec(key) => match key.curve.digest_bytes() {
            48 => key.sign(&Sha384::digest(message)),
            64 => key.sign(&Sha512::digest(message)),
            _ => key.sign(&Sha256::digest(message)),
        },
        PrivateKey::Ed25519(key) => Ok(PrivateKey::sign_ed25519(key, message)),
        PrivateKey::Generic(_) => Err(CryptoError::new("Generic keys can't create certificates")),
    }
}

fn sign_rsa(key: &RsaPrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
        .map_err(|_| CryptoError::new("Signing failure"))
}
