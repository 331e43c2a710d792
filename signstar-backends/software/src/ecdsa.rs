//! ECDSA on the three curves, with nonces derived from key and digest (RFC 6979): no signature
//! depends on the quality of the randomness at hand.

use p256::ecdsa::SigningKey as P256;
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, RandomizedPrehashSigner as _};
use p384::ecdsa::SigningKey as P384;
use p521::ecdsa::{SigningKey as P521, VerifyingKey};
use p521::elliptic_curve::rand_core::{self, CryptoRng, RngCore};
use rfc6979::HmacDrbg;
use signstar_core::{Curve, Digest, PublicKey, SignatureValue, SignerError};
use zeroize::Zeroizing;

use crate::inconsistent;

/// Bits by which 66 bytes are longer than the order of P-521.
const P521_SPARE_BITS: u32 = 66 * 8 - 521;

/// A secret scalar on its curve.
pub(crate) enum Key {
    P256(Box<P256>),
    P384(Box<P384>),
    P521(Box<P521>),
}

impl Key {
    /// Takes `scalar`, which must be neither zero nor as large as the order of `curve`.
    pub(crate) fn new(curve: Curve, scalar: &[u8]) -> Result<Self, SignerError> {
        let key = match curve {
            Curve::P256 => P256::from_slice(scalar).map(|key| Self::P256(Box::new(key))),
            Curve::P384 => P384::from_slice(scalar).map(|key| Self::P384(Box::new(key))),
            Curve::P521 => P521::from_slice(scalar).map(|key| Self::P521(Box::new(key))),
        };
        key.map_err(|_| inconsistent())
    }

    /// The point of the key.
    pub(crate) fn public(&self) -> PublicKey {
        let curve = match self {
            Self::P256(_) => Curve::P256,
            Self::P384(_) => Curve::P384,
            Self::P521(_) => Curve::P521,
        };
        let point = match self {
            Self::P256(key) => key.verifying_key().to_encoded_point(false).to_bytes(),
            Self::P384(key) => key.verifying_key().to_encoded_point(false).to_bytes(),
            Self::P521(key) => {
                let key = VerifyingKey::from(key.as_ref());
                key.to_encoded_point(false).to_bytes()
            }
        };
        let point = point.into_vec();
        PublicKey::Ecdsa { curve, point }
    }

    /// Signs the leftmost bits of `digest`.
    pub(crate) fn sign(&self, digest: &Digest) -> Result<SignatureValue, SignerError> {
        let digest = digest.as_bytes();
        let signed = match self {
            Self::P256(key) => key
                .sign_prehash(digest)
                .map(|it: p256::ecdsa::Signature| it.to_vec()),
            Self::P384(key) => key
                .sign_prehash(digest)
                .map(|it: p384::ecdsa::Signature| it.to_vec()),
            Self::P521(key) => {
                let mut nonce = P521Nonce::new(&key.to_bytes(), digest);
                let signed = key.sign_prehash_with_rng(&mut nonce, digest);
                signed.map(|signature| signature.to_vec())
            }
        };
        let failed = |_| SignerError::Failed("no ECDSA signature of this digest".to_owned());
        let signature = signed.map_err(failed)?;
        let (r, s) = signature.split_at(signature.len() / 2);
        let (r, s) = (r.to_vec(), s.to_vec());
        Ok(SignatureValue::Ecdsa { r, s })
    }
}

/// The candidates for the nonce of a P-521 signature by RFC 6979, section 3.2, handed to `p521` as
/// its source of randomness: release 0.13 knows only that way.
struct P521Nonce(HmacDrbg<rsa::sha2::Sha512>);

impl P521Nonce {
    /// For the key `scalar` and a SHA-512 `digest`, which is below the order of the curve.
    fn new(scalar: &[u8], digest: &[u8]) -> Self {
        let mut octets = Zeroizing::new([0; 66]);
        let (_, right) = octets.split_at_mut(66_usize.saturating_sub(digest.len()));
        right.copy_from_slice(digest);
        Self(HmacDrbg::new(scalar, octets.as_slice(), &[]))
    }
}

impl RngCore for P521Nonce {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    /// The next candidate: `bits2int` of 66 bytes takes the leftmost 521 bits.
    fn fill_bytes(&mut self, candidate: &mut [u8]) {
        self.0.fill_bytes(candidate);
        let mut carry = 0;
        for byte in candidate {
            let kept = *byte >> P521_SPARE_BITS;
            let lost = *byte << (8 - P521_SPARE_BITS);
            *byte = kept | carry;
            carry = lost;
        }
    }

    fn try_fill_bytes(&mut self, candidate: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(candidate);
        Ok(())
    }
}

impl CryptoRng for P521Nonce {}
