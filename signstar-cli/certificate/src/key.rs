//! A core key as one of the OpenPGP library, and its device as a signer there.

use std::time::SystemTime;

use sequoia_openpgp::anyhow;
use sequoia_openpgp::crypto::{Signer as PgpSigner, mpi};
use sequoia_openpgp::packet::Key;
use sequoia_openpgp::packet::key::{
    Key4, Key6, KeyRole, PrimaryRole, PublicParts, SubordinateRole, UnspecifiedRole,
};
use sequoia_openpgp::types::{Curve as PgpCurve, HashAlgorithm as PgpHash, PublicKeyAlgorithm};
use signstar_core::{Curve, Digest, HashAlgorithm, KeyVersion, PublicKey, SignatureValue, Signer};

/// The algorithm and the numbers of `key`. Version 4 takes Ed25519 in its legacy form, number 22,
/// since GnuPG knows no other.
pub(crate) fn numbers(
    key: &PublicKey,
    version: KeyVersion,
) -> (PublicKeyAlgorithm, mpi::PublicKey) {
    match (key, version) {
        (PublicKey::Ed25519(point), KeyVersion::V4) => {
            let curve = PgpCurve::Ed25519;
            let q = mpi::MPI::new_compressed_point(point);
            (
                PublicKeyAlgorithm::EdDSA,
                mpi::PublicKey::EdDSA { curve, q },
            )
        }
        (PublicKey::Ed25519(point), KeyVersion::V6) => (
            PublicKeyAlgorithm::Ed25519,
            mpi::PublicKey::Ed25519 { a: *point },
        ),
        (PublicKey::Ecdsa { curve, point }, _) => {
            let curve = match curve {
                Curve::P256 => PgpCurve::NistP256,
                Curve::P384 => PgpCurve::NistP384,
                Curve::P521 => PgpCurve::NistP521,
            };
            let q = mpi::MPI::new(point);
            (
                PublicKeyAlgorithm::ECDSA,
                mpi::PublicKey::ECDSA { curve, q },
            )
        }
        (PublicKey::Rsa { n, e }, _) => {
            let (n, e) = (mpi::MPI::new(n), mpi::MPI::new(e));
            (
                PublicKeyAlgorithm::RSAEncryptSign,
                mpi::PublicKey::RSA { e, n },
            )
        }
        (PublicKey::MlDsa65Ed25519 { ed25519, ml_dsa }, _) => (
            PublicKeyAlgorithm::MLDSA65_Ed25519,
            mpi::PublicKey::MLDSA65_Ed25519 {
                eddsa: Box::new(*ed25519),
                mldsa: ml_dsa.clone(),
            },
        ),
    }
}

/// Whether OpenPGP has `key` in this version.
pub fn is_possible(key: &PublicKey, version: KeyVersion) -> bool {
    version == KeyVersion::V6 || !key.is_composite()
}

/// The primary key that `key` is if it was created at `created`. A composite key is one of version 6
/// only (RFC 9980).
pub(crate) fn primary(
    key: &PublicKey,
    created: SystemTime,
    version: KeyVersion,
) -> anyhow::Result<Key<PublicParts, PrimaryRole>> {
    if !is_possible(key, version) {
        anyhow::bail!("a composite key needs a certificate of version 6");
    }
    let (algorithm, numbers) = numbers(key, version);
    Ok(match version {
        KeyVersion::V4 => Key4::new(created, algorithm, numbers)?.into(),
        KeyVersion::V6 => Key6::new(created, algorithm, numbers)?.into(),
    })
}

/// The subkey that `key` is if it was created at `created`.
pub(crate) fn subkey(
    key: &PublicKey,
    created: SystemTime,
    version: KeyVersion,
) -> anyhow::Result<Key<PublicParts, SubordinateRole>> {
    Ok(primary(key, created, version)?.role_into_subordinate())
}

/// Whether `key` is the key that `openpgp` dresses, in whichever form of Ed25519.
pub(crate) fn is_same<R: KeyRole>(key: &PublicKey, openpgp: &Key<PublicParts, R>) -> bool {
    let versions = [KeyVersion::V4, KeyVersion::V6];
    versions
        .into_iter()
        .any(|version| numbers(key, version).1 == *openpgp.mpis())
}

/// The version of a key, if devices sign with it.
pub(crate) fn version_of<R: KeyRole>(key: &Key<PublicParts, R>) -> Option<KeyVersion> {
    match key.version() {
        4 => Some(KeyVersion::V4),
        6 => Some(KeyVersion::V6),
        _ => None,
    }
}

/// A device, for the OpenPGP library to have its signatures made by.
pub(crate) struct Device<'a> {
    pub(crate) public: Key<PublicParts, UnspecifiedRole>,
    pub(crate) signer: &'a mut dyn Signer,
}

impl PgpSigner for Device<'_> {
    fn public(&self) -> &Key<PublicParts, UnspecifiedRole> {
        &self.public
    }

    fn sign(&mut self, hash: PgpHash, digest: &[u8]) -> anyhow::Result<mpi::Signature> {
        let algorithm = HashAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.openpgp_id() == u8::from(hash))
            .ok_or_else(|| anyhow::anyhow!("devices do not sign {hash}"))?;
        let digest = Digest::new(algorithm, digest)
            .ok_or_else(|| anyhow::anyhow!("a digest of the wrong length"))?;
        let value = self.signer.sign(&digest)?.value;
        Ok(match value {
            SignatureValue::Ed25519(s) => match self.public.pk_algo() {
                PublicKeyAlgorithm::Ed25519 => mpi::Signature::Ed25519 { s: Box::new(s) },
                _ => {
                    let (r, s) = s.split_at(32);
                    let (r, s) = (mpi::MPI::new(r), mpi::MPI::new(s));
                    mpi::Signature::EdDSA { r, s }
                }
            },
            SignatureValue::Ecdsa { r, s } => {
                let (r, s) = (mpi::MPI::new(&r), mpi::MPI::new(&s));
                mpi::Signature::ECDSA { r, s }
            }
            SignatureValue::Rsa(s) => mpi::Signature::RSA {
                s: mpi::MPI::new(&s),
            },
            SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa } => mpi::Signature::MLDSA65_Ed25519 {
                eddsa: ed25519,
                mldsa: ml_dsa,
            },
        })
    }
}

/// The fingerprint that `key` has if it was created at `created`, upper-case hexadecimal: the same
/// as primary key and as subkey. `None` for a time that OpenPGP cannot express.
pub fn fingerprint(key: &PublicKey, created: SystemTime, version: KeyVersion) -> Option<String> {
    let key = primary(key, created, version).ok()?;
    Some(key.fingerprint().to_hex())
}
