//! A key in the memory of the process that signs: to try Signstar and to test it.
//!
//! It takes the numbers of a key, as `signstar-core` has read them from a secret key file, and
//! signs digests with them: Ed25519, ECDSA on P-256, P-384 and P-521 with nonces by RFC 6979, and
//! RSA of 2048 to 4096 bits by PKCS#1 v1.5. It needs nothing after lock-down but randomness,
//! which every signature may have.
//!
//! # What it does not protect against
//! The key lies in a file and, while a signature is made, in memory. So it is lost to whoever
//! - is root, reads the disk or a backup of it, or holds the passphrase and the file;
//! - reads the memory of the process, by a fault of ours, of the kernel or of the processor. The
//!   secret is wiped when it is dropped, but copies that the compiler, the parser of the file or
//!   an arithmetic library have made on their way may stay until the process ends.
//!
//! Nothing counts its signatures, and nothing but the audit record shows that one was made.
//!
//! Timing: no branch and no address depends on a secret while a signature is made, as far as the
//! libraries and the compiler keep that. RUSTSEC-2023-0071 ("Marvin") is about the private
//! operation of the `rsa` crate, whose time depends on the secret and its input; that operation is
//! not used here (see `rsa/modulus.rs`). What is used of that crate while a key is opened, the
//! validation and some divisions by secret numbers, has no input but the key, and so the same time
//! for each signature. Power, radiation and faults made on purpose are not considered.
//!
//! # Embedding
//! A tool that signs by itself opens the key so, and goes on as `signstar_core` shows, whose
//! `examples/sign_file.rs` is a whole program with this back end:
//!
//! ```no_run
//! use std::time::SystemTime;
//!
//! use signstar_core::{Certificate, SecretKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let certificate = Certificate::parse(&std::fs::read("packages.pgp")?)?;
//! let key = certificate.signing_key(None, SystemTime::now())?;
//! let file = std::fs::read("packages.secret.pgp")?;
//! let secret = SecretKey::parse(&file, &key.fingerprint(), None)?;
//! let mut opened = signstar_software::open(secret.into_material())?;
//! let signer = opened.signer.as_mut();
//! # Ok(())
//! # }
//! ```
//!
//! # What is deliberately absent
//! OpenPGP, files, passphrases, and (without the feature `provision`) a way to make a key. There
//! is no way to take the secret out again.

mod ecdsa;
#[cfg(feature = "provision")]
mod provision;
mod rsa;

use ed25519_dalek::Signer as _;
use signstar_core::{
    Digest, Opened, PublicKey, RawSignature, Reach, SecretMaterial, SignatureValue, Signer,
    SignerError,
};

#[cfg(feature = "provision")]
pub use provision::{KINDS, generate, remainder_numbers};

/// Takes the key that `material` is.
///
/// # Errors
/// [`SignerError::Failed`] if the numbers are no key or do not belong together.
pub fn open(material: SecretMaterial) -> Result<Opened, SignerError> {
    let key = match &material {
        SecretMaterial::Ed25519(seed) => {
            Key::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
        }
        SecretMaterial::Ecdsa { curve, scalar } => Key::Ecdsa(ecdsa::Key::new(*curve, scalar)?),
        SecretMaterial::Rsa { n, e, d, p, q } => Key::Rsa(Box::new(rsa::Key::new(n, e, d, p, q)?)),
    };
    let public = match &key {
        Key::Ed25519(key) => PublicKey::Ed25519(key.verifying_key().to_bytes()),
        Key::Ecdsa(key) => key.public(),
        Key::Rsa(key) => key.public(),
    };
    Ok(Opened {
        signer: Box::new(Software { key, public }),
        reach: Reach::default(),
    })
}

struct Software {
    key: Key,
    public: PublicKey,
}

enum Key {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Ecdsa(ecdsa::Key),
    Rsa(Box<rsa::Key>),
}

impl Signer for Software {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.public.check_digest(digest)?;
        let value = match &self.key {
            Key::Ed25519(key) => SignatureValue::Ed25519(key.sign(digest.as_bytes()).to_bytes()),
            Key::Ecdsa(key) => key.sign(digest)?,
            Key::Rsa(key) => key.sign(digest)?,
        };
        Ok(RawSignature {
            value,
            counter: None,
        })
    }
}

fn inconsistent() -> SignerError {
    SignerError::Failed("the numbers of the secret key do not belong together".to_owned())
}

#[cfg(test)]
mod tests;
