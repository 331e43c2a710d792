//! Making keys, with randomness of the operating system. Only the operator's tools have this.

use std::str::FromStr;

use rsa::rand_core::{OsRng, RngCore as _};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use signstar_core::{Curve, SecretMaterial, SignerError};
use zeroize::Zeroizing;

/// A kind of key that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ed25519: the one to take unless something speaks against it.
    Ed25519,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ed25519,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
    ];

    /// Its name on a command line: that of the public key that it will have.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }
}

/// The name is none of a [`Kind`]. Whoever wrote it must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl std::fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = Kind::ALL.map(Kind::name).join(", ");
        write!(f, "unknown kind of key (known: {known})")
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(UnknownKind)
    }
}

/// Makes a new secret key. RSA takes seconds, with 4096 bits up to a minute.
///
/// # Errors
/// [`SignerError::Unavailable`] if the operating system gives no randomness.
pub fn generate(kind: Kind) -> Result<SecretMaterial, SignerError> {
    match kind {
        Kind::Ed25519 => {
            let mut seed = Zeroizing::new([0; 32]);
            randomize(seed.as_mut_slice())?;
            Ok(SecretMaterial::Ed25519(seed))
        }
        Kind::P256 => scalar(Curve::P256),
        Kind::P384 => scalar(Curve::P384),
        Kind::P521 => scalar(Curve::P521),
        Kind::Rsa2048 => primes(2048),
        Kind::Rsa3072 => primes(3072),
        Kind::Rsa4096 => primes(4096),
    }
}

/// A random scalar: candidates are drawn until one is below the order of the curve.
fn scalar(curve: Curve) -> Result<SecretMaterial, SignerError> {
    // The order of P-521 has 521 of the 528 bits; those of the others have all.
    let mask = if curve == Curve::P521 { 0x01 } else { 0xff };
    let mut scalar = Zeroizing::new(vec![0; curve.scalar_bytes()]);
    // Even for P-256 a candidate is too large only once in 2^32 draws.
    for _ in 0..16 {
        randomize(&mut scalar)?;
        if let Some(first) = scalar.first_mut() {
            *first &= mask;
        }
        if crate::ecdsa::Key::new(curve, &scalar).is_ok() {
            return Ok(SecretMaterial::Ecdsa { curve, scalar });
        }
    }
    Err(SignerError::Unavailable(
        "the operating system's randomness is broken".to_owned(),
    ))
}

fn primes(bits: usize) -> Result<SecretMaterial, SignerError> {
    // The library would panic in the middle if there were no randomness.
    randomize(&mut [0; 32])?;
    let key = rsa::RsaPrivateKey::new(&mut OsRng, bits)
        .map_err(|_| SignerError::Failed("no RSA key could be made".to_owned()))?;
    let [p, q] = key.primes() else {
        return Err(SignerError::Failed(
            "an RSA key must have two primes".to_owned(),
        ));
    };
    Ok(SecretMaterial::Rsa {
        n: key.n().to_bytes_be(),
        e: key.e().to_bytes_be(),
        d: Zeroizing::new(key.d().to_bytes_be()),
        p: Zeroizing::new(p.to_bytes_be()),
        q: Zeroizing::new(q.to_bytes_be()),
    })
}

/// What tokens want of an RSA key beside its own numbers: the exponents modulo each prime less one, and the
/// inverse of the second prime modulo the first. `None` for other kinds, and for numbers that do not belong
/// together.
pub fn remainder_numbers(material: &SecretMaterial) -> Option<[Zeroizing<Vec<u8>>; 3]> {
    let SecretMaterial::Rsa { n, e, d, p, q } = material else {
        return None;
    };
    let number = |bytes: &[u8]| rsa::BigUint::from_bytes_be(bytes);
    let primes = vec![number(p), number(q)];
    let mut key =
        rsa::RsaPrivateKey::from_components(number(n), number(e), number(d), primes).ok()?;
    key.precompute().ok()?;
    let inverse = key.crt_coefficient()?.to_bytes_be();
    Some([key.dp()?.to_bytes_be(), key.dq()?.to_bytes_be(), inverse].map(Zeroizing::new))
}

fn randomize(bytes: &mut [u8]) -> Result<(), SignerError> {
    OsRng.try_fill_bytes(bytes).map_err(|_| {
        SignerError::Unavailable("the operating system gives no randomness".to_owned())
    })
}
