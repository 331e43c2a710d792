//! Private keys from PEM: PKCS#8 of every type, PKCS#1 and SEC1.

use super::certificate::{EC_PUBLIC_KEY, ED25519, RSA_ENCRYPTION};
use super::der::Reader;
use super::ec::{Curve, EcKey};
use super::private_key::{KeyType, PrivateKey};
use super::{CryptoError, pem, rsa_key};

/// The first private key in `text`.
///
/// # Errors
/// There is none, or it is of no known type.
pub(crate) fn private_key(text: &str) -> Result<PrivateKey, CryptoError> {
    for (label, der) in pem::blocks(text) {
        match label.as_str() {
            "PRIVATE KEY" => return pkcs8(&der),
            "RSA PRIVATE KEY" => return pkcs1(&der),
            "EC PRIVATE KEY" => return sec1(&der, None),
            _ => {}
        }
    }
    Err(CryptoError::new("No private key found"))
}

fn pkcs8(der: &[u8]) -> Result<PrivateKey, CryptoError> {
    let mut fields = Reader(Reader(der).expect(0x30)?);
    fields.expect(0x02)?;
    let mut algorithm = Reader(fields.expect(0x30)?);
    let oid = algorithm.expect(0x06)?;
    let inner = fields.expect(0x04)?;
    match oid {
        RSA_ENCRYPTION => pkcs1(inner),
        ED25519 => PrivateKey::from_data(KeyType::Curve25519, Reader(inner).expect(0x04)?),
        EC_PUBLIC_KEY => sec1(inner, Some(algorithm.expect(0x06)?)),
        _ => Err(CryptoError::new("Unsupported key type")),
    }
}

fn pkcs1(der: &[u8]) -> Result<PrivateKey, CryptoError> {
    let mut fields = Reader(Reader(der).expect(0x30)?);
    let mut numbers = [&[][..]; 6];
    for number in &mut numbers {
        *number = fields.expect(0x02)?;
    }
    let [_, _, e, _, p, q] = numbers;
    Ok(PrivateKey::Rsa(Box::new(rsa_key::from_primes(p, q, e)?)))
}

/// ECPrivateKey; the curve stands outside of it or in its field 0.
fn sec1(der: &[u8], curve: Option<&[u8]>) -> Result<PrivateKey, CryptoError> {
    let mut fields = Reader(Reader(der).expect(0x30)?);
    fields.expect(0x02)?;
    let scalar = fields.expect(0x04)?;
    let oid = match curve {
        Some(oid) => oid,
        None => Reader(fields.expect(0xa0)?).expect(0x06)?,
    };
    let curve = Curve::ALL.into_iter().find(|curve| curve.oid() == oid);
    let curve = curve.ok_or_else(|| CryptoError::new("Unsupported key type"))?;
    // OpenSSL writes leading zeros, others leave them out.
    let mut padded = vec![0; curve.scalar_bytes().saturating_sub(scalar.len())];
    padded.extend_from_slice(scalar);
    Ok(PrivateKey::Ec(EcKey::new(curve, &padded)?))
}
