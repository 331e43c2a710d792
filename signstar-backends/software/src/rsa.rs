//! RSA by PKCS#1 v1.5 (RFC 8017, section 8.2), with the Chinese remainder theorem.
//!
//! Each signature is checked with the public exponent before it is returned: a fault in one half
//! of the computation would otherwise give the primes away.

mod modulus;

use modulus::{Limbs, Modulus, product, to_limbs};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};
use signstar_core::{Digest, HashAlgorithm, PublicKey, SignatureValue, SignerError};
use zeroize::Zeroizing;

use crate::inconsistent;

/// Bits of a modulus that is neither weak nor longer than OpenPGP programs take.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key whose numbers have been found to belong together.
pub(crate) struct Key {
    n: Vec<u8>,
    e: Vec<u8>,
    exponent: u64,
    modulus: Modulus,
    p: Prime,
    q: Prime,
    /// q as a number.
    q_limbs: Limbs,
    /// The form of 1/q modulo p.
    q_inverse: Limbs,
}

/// A prime and the exponent that belongs to it.
struct Prime {
    modulus: Modulus,
    exponent: Limbs,
}

impl Prime {
    fn new(prime: &BigUint, exponent: Option<&BigUint>, limbs: usize) -> Option<Self> {
        let modulus = Modulus::new(prime, limbs);
        let exponent = to_limbs(exponent?, limbs);
        Some(Self { modulus, exponent })
    }

    /// The form of (low + high·R)^exponent.
    fn power(&self, low: &[u64], high: &[u64]) -> Limbs {
        self.modulus
            .power(&self.modulus.enter(low, high), &self.exponent)
    }
}

impl Key {
    /// Takes big-endian numbers: p·q must be n, and e·d must be 1 modulo p − 1 and q − 1.
    pub(crate) fn new(
        n: &[u8],
        e: &[u8],
        d: &[u8],
        p: &[u8],
        q: &[u8],
    ) -> Result<Self, SignerError> {
        // An even number has no Montgomery form.
        let odd = [n, p, q]
            .iter()
            .all(|number| number.last().is_some_and(|byte| byte % 2 == 1));
        if !odd {
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
        Self::prepare(&key).ok_or_else(inconsistent)
    }

    fn prepare(key: &RsaPrivateKey) -> Option<Self> {
        let [p, q] = key.primes() else { return None };
        let limbs = p.bits().max(q.bits()).div_ceil(64);
        // There is none if the primes are equal.
        let q_inverse = Zeroizing::new(key.crt_coefficient()?);
        let exponent = key.e().to_bytes_le();
        let p_half = Prime::new(p, key.dp(), limbs)?;
        let q_inverse = p_half.modulus.enter(&to_limbs(&q_inverse, limbs), &[]);
        Some(Self {
            n: key.n().to_bytes_be(),
            e: key.e().to_bytes_be(),
            exponent: exponent.iter().rev().try_fold(0_u64, |sum, &byte| {
                Some(sum.checked_mul(256)? + u64::from(byte))
            })?,
            modulus: Modulus::new(key.n(), 2 * limbs),
            q_limbs: to_limbs(q, limbs),
            q: Prime::new(q, key.dq(), limbs)?,
            p: p_half,
            q_inverse,
        })
    }

    /// Modulus and public exponent.
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::Rsa {
            n: self.n.clone(),
            e: self.e.clone(),
        }
    }

    /// Signs the `DigestInfo` of `digest`.
    pub(crate) fn sign(&self, digest: &Digest) -> Result<SignatureValue, SignerError> {
        let padded = BigUint::from_bytes_be(&self.pad(digest));
        let padded = to_limbs(&padded, self.modulus.limbs());
        let signature = self.power(&padded);
        let form = self.modulus.enter(&signature, &[]);
        let check = self
            .modulus
            .leave(&self.modulus.power_public(&form, self.exponent));
        if check != padded {
            return Err(SignerError::Failed(
                "the RSA computation went wrong".to_owned(),
            ));
        }
        let bytes = signature.iter().rev().flat_map(|limb| limb.to_be_bytes());
        let spare = (8 * signature.len()).saturating_sub(self.n.len());
        Ok(SignatureValue::Rsa(bytes.skip(spare).collect()))
    }

    /// padded^d modulo n: s = s_q + q·((s_p − s_q)/q modulo p).
    fn power(&self, padded: &[u64]) -> Limbs {
        let half = self.p.modulus.limbs();
        let (low, high) = padded.split_at_checked(half).unwrap_or((padded, &[]));
        let p = &self.p.modulus;
        let p_form = self.p.power(low, high);
        let q_part = self.q.modulus.leave(&self.q.power(low, high));
        let difference = p.subtract(&p_form, &p.enter(&q_part, &[]));
        let factor = p.leave(&p.multiply(&difference, &self.q_inverse));
        let mut signature = Zeroizing::new(vec![0; 2 * half]);
        product(&factor, &self.q_limbs, &mut signature);
        let mut carry = 0;
        for (limb, part) in signature
            .iter_mut()
            .zip(q_part.iter().chain(std::iter::repeat(&0)))
        {
            let (sum, over) = limb.overflowing_add(*part);
            let (sum, over_again) = sum.overflowing_add(carry);
            carry = u64::from(over | over_again);
            *limb = sum;
        }
        signature
    }

    /// The digest as RFC 8017, section 9.2 pads it.
    fn pad(&self, digest: &Digest) -> Vec<u8> {
        let prefix = match digest.algorithm() {
            HashAlgorithm::Sha256 => Pkcs1v15Sign::new::<Sha256>().prefix,
            HashAlgorithm::Sha384 => Pkcs1v15Sign::new::<Sha384>().prefix,
            HashAlgorithm::Sha512 => Pkcs1v15Sign::new::<Sha512>().prefix,
        };
        let info = [&prefix, digest.as_bytes()].concat();
        // A modulus has at least 256 bytes, a DigestInfo at most 83.
        let filler = self.n.len().saturating_sub(info.len() + 3);
        [&[0, 1][..], &vec![0xff; filler], &[0], &info].concat()
    }
}
