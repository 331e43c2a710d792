//! Making keys, with randomness of the operating system. Only the operator's tools have this.

use rsa::rand_core::{OsRng, RngCore as _};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use signstar_core::{Curve, KeyKind, SecretMaterial, SignerError};
use zeroize::Zeroizing;

/// The kinds of keys that can be made.
pub const KINDS: [KeyKind; 7] = KeyKind::NAMED;

/// Makes a new secret key. RSA takes seconds, with 4096 bits up to a minute.
///
/// # Errors
/// [`SignerError::Unavailable`] if the operating system gives no randomness, [`SignerError::Failed`] if
/// `kind` is none of [`KINDS`].
pub fn generate(kind: KeyKind) -> Result<SecretMaterial, SignerError> {
    match kind {
        KeyKind::Ed25519 => {
            let mut seed = Zeroizing::new([0; 32]);
            randomize(seed.as_mut_slice())?;
            Ok(SecretMaterial::Ed25519(seed))
        }
        KeyKind::Ecdsa(curve) => scalar(curve),
        KeyKind::Rsa(bits @ (2048 | 3072 | 4096)) => primes(bits),
        other => Err(SignerError::Failed(format!(
            "a {other} key is not made here"
        ))),
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
