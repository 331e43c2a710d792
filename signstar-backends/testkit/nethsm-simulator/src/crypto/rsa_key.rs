//! RSA: making and importing keys, padding, raw decryption.

use md5::Md5;
use num_bigint::BigUint as Number;
use rsa::rand_core::OsRng;
use rsa::sha2::{Sha224, Sha256, Sha384, Sha512};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BigUint, Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha1::Sha1;

use super::CryptoError;

/// Hash functions that padding knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The length of its output, in bytes.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A new key of `bits`.
pub(crate) fn generate(bits: usize) -> Result<RsaPrivateKey, CryptoError> {
    RsaPrivateKey::new(&mut OsRng, bits).map_err(|_| CryptoError::new("RSA key generation failed"))
}

/// The key of two primes, big-endian.
///
/// # Errors
/// One of them is no prime, or the exponent does not go with them.
pub(crate) fn from_primes(p: &[u8], q: &[u8], e: &[u8]) -> Result<RsaPrivateKey, CryptoError> {
    for (name, prime) in [("p", p), ("q", q)] {
        if !is_prime(&Number::from_bytes_be(prime)) {
            return Err(CryptoError(format!("invalid prime {name}")));
        }
    }
    let number = BigUint::from_bytes_be;
    RsaPrivateKey::from_p_q(number(p), number(q), number(e))
        .map_err(|_| CryptoError::new("invalid public exponent"))
}

/// Miller and Rabin's test with the first primes as bases: nobody attacks a simulator.
fn is_prime(candidate: &Number) -> bool {
    const BASES: [u32; 16] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53];
    let one = Number::from(1_u8);
    if *candidate <= one {
        return false;
    }
    if BASES.iter().any(|base| *candidate == Number::from(*base)) {
        return true;
    }
    if !candidate.bit(0) {
        return false;
    }
    let less = candidate - &one;
    let twos = less.trailing_zeros().unwrap_or_default();
    let odd = &less >> twos;
    BASES.iter().all(|base| {
        let mut power = Number::from(*base).modpow(&odd, candidate);
        if power == one || power == less {
            return true;
        }
        for _ in 1..twos {
            power = &power * &power % candidate;
            if power == less {
                return true;
            }
        }
        false
    })
}

/// PKCS#1 v1.5 over `message` as it is.
pub(crate) fn sign_pkcs1(key: &RsaPrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if message.len() + 11 > key.size() {
        return Err(CryptoError::new("Signing failure: RSA key too short."));
    }
    key.sign(Pkcs1v15Sign::new_unprefixed(), message)
        .map_err(|_| CryptoError::new("Signing failure"))
}

/// PSS over a digest, with a salt of the digest's length.
pub(crate) fn sign_pss(
    key: &RsaPrivateKey,
    hash: Hash,
    digest: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    if digest.len() != hash.bytes() {
        return Err(CryptoError::new("digested data of invalid size"));
    }
    if key.size() < 2 * hash.bytes() + 2 {
        return Err(CryptoError::new("Signing failure: RSA key too short."));
    }
    let padding = match hash {
        Hash::Md5 => Pss::new_with_salt::<Md5>(hash.bytes()),
        Hash::Sha1 => Pss::new_with_salt::<Sha1>(hash.bytes()),
        Hash::Sha224 => Pss::new_with_salt::<Sha224>(hash.bytes()),
        Hash::Sha256 => Pss::new_with_salt::<Sha256>(hash.bytes()),
        Hash::Sha384 => Pss::new_with_salt::<Sha384>(hash.bytes()),
        Hash::Sha512 => Pss::new_with_salt::<Sha512>(hash.bytes()),
    };
    key.sign_with_rng(&mut OsRng, padding, digest)
        .map_err(|_| CryptoError::new("Signing failure"))
}

/// PKCS#1 v1.5.
pub(crate) fn decrypt_pkcs1(key: &RsaPrivateKey, block: &[u8]) -> Result<Vec<u8>, CryptoError> {
    key.decrypt(Pkcs1v15Encrypt, block).map_err(|_| failure())
}

/// OAEP with MGF1 of the same hash and no label.
pub(crate) fn decrypt_oaep(
    key: &RsaPrivateKey,
    hash: Hash,
    block: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let padding = match hash {
        Hash::Md5 => Oaep::new::<Md5>(),
        Hash::Sha1 => Oaep::new::<Sha1>(),
        Hash::Sha224 => Oaep::new::<Sha224>(),
        Hash::Sha256 => Oaep::new::<Sha256>(),
        Hash::Sha384 => Oaep::new::<Sha384>(),
        Hash::Sha512 => Oaep::new::<Sha512>(),
    };
    key.decrypt(padding, block).map_err(|_| failure())
}

/// The bare operation; as many bytes come out as the modulus has.
pub(crate) fn decrypt_raw(key: &RsaPrivateKey, block: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let number = BigUint::from_bytes_be(block);
    if number >= *key.n() {
        return Err(failure());
    }
    let plain = number.modpow(key.d(), key.n()).to_bytes_be();
    let mut out = vec![0; key.size().saturating_sub(plain.len())];
    out.extend(plain);
    Ok(out)
}

fn failure() -> CryptoError {
    CryptoError::new("Decryption failure")
}

#[cfg(test)]
mod tests {
    use super::{Number, is_prime};

    #[test]
    fn primes_are_told_from_others() {
        for prime in [2_u64, 3, 53, 59, 65_537, 2_147_483_647] {
            assert!(is_prime(&Number::from(prime)), "{prime}");
        }
        // Among them Carmichael numbers and a strong pseudoprime to the bases 2, 3, 5 and 7.
        for other in [0_u64, 1, 4, 561, 41_041, 3_215_031_751, 65_537 * 257] {
            assert!(!is_prime(&Number::from(other)), "{other}");
        }
    }
}
