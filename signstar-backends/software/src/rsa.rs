//! RSA by PKCS#1 v1.5 (RFC 8017, section 8.2), with the Chinese remainder theorem and blinding.
//!
//! Each signature is checked with the public exponent before it is returned: a fault in one half
//! of the computation would otherwise give the primes away.

use rsa::rand_core::OsRng;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};
use signstar_core::{Digest, HashAlgorithm, PublicKey, SignatureValue, SignerError};

use crate::inconsistent;

/// Bits of a modulus that is neither weak nor longer than OpenPGP programs take.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key whose numbers have been found to belong together.
pub(crate) struct Key(Box<RsaPrivateKey>);

impl Key {
    /// Takes big-endian numbers: p·q must be n, and e·d must be 1 modulo p − 1 and q − 1.
    pub(crate) fn new(
        n: &[u8],
        e: &[u8],
        d: &[u8],
        p: &[u8],
        q: &[u8],
    ) -> Result<Self, SignerError> {
        // An even modulus has no Montgomery form, and equal primes have no coefficient.
        let odd = [n, p, q]
            .iter()
            .all(|number| number.last().is_some_and(|byte| byte % 2 == 1));
        if !odd || p == q {
            return Err(inconsistent());
        }
        let number = BigUint::from_bytes_be;
        let primes = vec![number(p), number(q)];
        let key = RsaPrivateKey::from_components(number(n), number(e), number(d), primes)
            .map_err(|_| inconsistent())?;
        if !BITS.contains(&key.n().bits()) {
            return Err(SignerError::Failed(
                "an RSA key must have 2048 to 4096 bits".to_owned(),
            ));
        }
        Ok(Self(Box::new(key)))
    }

    /// Modulus and public exponent.
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::Rsa {
            n: self.0.n().to_bytes_be(),
            e: self.0.e().to_bytes_be(),
        }
    }

    /// Signs the `DigestInfo` of `digest`.
    pub(crate) fn sign(&self, digest: &Digest) -> Result<SignatureValue, SignerError> {
        let padding = match digest.algorithm() {
            HashAlgorithm::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            HashAlgorithm::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
            HashAlgorithm::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
        };
        self.0
            .sign_with_rng(&mut OsRng, padding, digest.as_bytes())
            .map(SignatureValue::Rsa)
            .map_err(|_| SignerError::Failed("the RSA computation went wrong".to_owned()))
    }
}
