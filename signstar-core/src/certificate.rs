//! The OpenPGP certificate that a signature must verify with, and the one key in it that signs.
//!
//! Absent: creating, changing or fetching certificates.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::amalgamation::{ValidAmalgamation, ValidateAmalgamation};
use sequoia_openpgp::cert::prelude::ValidErasedKeyAmalgamation;
use sequoia_openpgp::crypto::mpi;
use sequoia_openpgp::packet::key::{PublicParts, UnspecifiedRole};
use sequoia_openpgp::packet::{Key, Packet, Signature};
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::policy::{HashAlgoSecurity, Policy as _, StandardPolicy};
use sequoia_openpgp::types::{Curve as PgpCurve, RevocationStatus, SignatureType};
use sequoia_openpgp::{Cert, Fingerprint, KeyHandle};

use crate::digest::HashAlgorithm;
use crate::signer::{Curve, PublicKey, Signer};

/// A certificate of a signing key with its signatures is a few KiB; one with many certifications
/// by others can be some hundred. What is larger than this is not read.
const CERTIFICATE_BYTES_MAX: usize = 1024 * 1024;

/// By how much the clock of whoever signed a list may be ahead.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// Why a certificate cannot serve. The operator must act; a retry does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// More than 1 MiB.
    #[error("certificate is larger than {CERTIFICATE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not one OpenPGP certificate.
    #[error("not an OpenPGP certificate: {0}")]
    Malformed(String),
    /// It contains secret keys; a certificate file is public.
    #[error("the certificate file contains secret key material; export the public part")]
    ContainsSecret,
    /// The certificate as a whole is revoked.
    #[error("certificate {0} is revoked")]
    Revoked(String),
    /// The certificate as a whole has expired.
    #[error("certificate {0} has expired or is not yet valid: {1}")]
    NotAlive(String, String),
    /// The clock stands before the creation of the key.
    #[error("key {0} was created in the future of this machine's clock")]
    FromTheFuture(String),
    /// No key of it may sign now.
    #[error("certificate {0} has no valid signing key: {1}")]
    NoSigningKey(String, String),
    /// Several keys of it may sign and none was chosen.
    #[error("certificate {0} has several valid signing keys; choose one by its fingerprint")]
    Ambiguous(String),
    /// The key is of a kind that no back end signs with.
    #[error("key {0} is of a kind that is not supported")]
    Unsupported(String),
    /// A signature is none of this certificate's over these bytes.
    #[error("no valid signature of certificate {0}: {1}")]
    BadSignature(String, String),
    /// The device holds another key.
    #[error("the device's key is not the certificate's key {0}")]
    WrongDevice(String),
}

/// Version of an OpenPGP key and of the signatures that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyVersion {
    /// RFC 4880 and RFC 9580; what GnuPG and pacman read.
    V4,
    /// RFC 9580.
    V6,
}

/// A parsed certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    cert: Cert,
}

/// The key of a certificate that signs, checked to be valid at one moment.
#[derive(Clone, Debug)]
pub struct SigningKey {
    key: Key<PublicParts, UnspecifiedRole>,
    public: PublicKey,
    version: KeyVersion,
    certificate_fingerprint: String,
    expires: Option<SystemTime>,
}

impl Certificate {
    /// Reads one certificate, binary or ASCII-armored.
    ///
    /// # Errors
    /// See [`CertificateError`]: too large, malformed, or with secret keys in it.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::TooLarge);
        }
        let cert = Cert::from_bytes(bytes)
            .map_err(|error| CertificateError::Malformed(error.to_string()))?;
        if cert.is_tsk() {
            return Err(CertificateError::ContainsSecret);
        }
        Ok(Self { cert })
    }

    /// Fingerprint of the primary key, upper-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        self.cert.fingerprint().to_hex()
    }

    /// The key that signs at `now`: the one with the fingerprint `chosen`, or the only one.
    ///
    /// # Errors
    /// The certificate or the key is revoked, expired, from the future, not for signing, or not
    /// unique: see [`CertificateError`].
    pub fn signing_key(
        &self,
        chosen: Option<&str>,
        now: SystemTime,
    ) -> Result<SigningKey, CertificateError> {
        let name = self.fingerprint();
        let policy = StandardPolicy::new();
        if self.cert.primary_key().key().creation_time() > now {
            return Err(CertificateError::FromTheFuture(name));
        }
        let valid = self
            .cert
            .with_policy(&policy, now)
            .map_err(|error| CertificateError::NotAlive(name.clone(), chain(&error)))?;
        if !matches!(
            valid.revocation_status(),
            RevocationStatus::NotAsFarAsWeKnow
        ) {
            return Err(CertificateError::Revoked(name));
        }
        valid
            .alive()
            .map_err(|error| CertificateError::NotAlive(name.clone(), chain(&error)))?;

        let mut reasons = Vec::new();
        let mut found = Vec::new();
        for key in self.cert.keys() {
            let fingerprint = key.key().fingerprint();
            if chosen.is_some_and(|chosen| !names(chosen, &fingerprint)) {
                continue;
            }
            match key
                .with_policy(&policy, now)
                .map_err(|error| chain(&error))
                .and_then(usable)
            {
                Ok(valid) => found.push(valid),
                Err(reason) => reasons.push(format!("{fingerprint:X} {reason}")),
            }
        }
        if found.len() > 1 {
            return Err(CertificateError::Ambiguous(name));
        }
        let Some(valid) = found.pop() else {
            let reason = match reasons.is_empty() {
                true => "no key has the chosen fingerprint".to_owned(),
                false => reasons.join("; "),
            };
            return Err(CertificateError::NoSigningKey(name, reason));
        };
        let key = valid.key().clone().role_into_unspecified();
        let expires = earliest(valid.key_expiration_time(), self.expires(&policy, now));
        SigningKey::new(key, name, expires)
    }

    /// Makes sure that `signature`, a detached one in binary or ASCII, is this certificate's over
    /// `bytes`, made before `now` by a key of it that may sign now.
    ///
    /// # Errors
    /// [`CertificateError::BadSignature`], or those of [`Certificate::signing_key`].
    pub fn verify(
        &self,
        bytes: &[u8],
        signature: &[u8],
        now: SystemTime,
    ) -> Result<(), CertificateError> {
        let bad = |reason: String| CertificateError::BadSignature(self.fingerprint(), reason);
        let Packet::Signature(signature) =
            Packet::from_bytes(signature).map_err(|error| bad(chain(&error)))?
        else {
            return Err(bad("not a signature packet".to_owned()));
        };
        if signature.typ() != SignatureType::Binary {
            return Err(bad("not of type 0x00".to_owned()));
        }
        let issuers = signature.get_issuers();
        let keys = self.cert.keys().map(|key| key.key().fingerprint());
        let mut issuing = keys.filter(|key| {
            issuers
                .iter()
                .any(|issuer| issuer.aliases(KeyHandle::from(key)))
        });
        let chosen = issuing
            .next()
            .ok_or_else(|| bad("made by another key".to_owned()))?;
        let key = self.signing_key(Some(&chosen.to_hex()), now)?;
        StandardPolicy::new()
            .signature(&signature, HashAlgoSecurity::CollisionResistance)
            .and_then(|()| signature.signature_alive(now, CLOCK_TOLERANCE))
            .and_then(|()| {
                let hash = signature.hash_algo().context()?;
                let mut hash = hash.for_signature(signature.version());
                if let Signature::V6(signature) = &signature {
                    hash.update(signature.salt());
                }
                hash.update(bytes);
                signature.verify_hash(key.openpgp(), hash)
            })
            .map_err(|error| bad(chain(&error)))
    }

    /// When the primary key expires.
    fn expires(&self, policy: &StandardPolicy<'_>, now: SystemTime) -> Option<SystemTime> {
        let valid = self.cert.with_policy(policy, now).ok()?;
        valid.primary_key().key_expiration_time()
    }
}

/// Says why a key that is bound to its certificate may not sign, if so.
fn usable(
    key: ValidErasedKeyAmalgamation<'_, PublicParts>,
) -> Result<ValidErasedKeyAmalgamation<'_, PublicParts>, String> {
    if !key.for_signing() {
        return Err("is not for signing".to_owned());
    }
    if !matches!(key.revocation_status(), RevocationStatus::NotAsFarAsWeKnow) {
        return Err("is revoked".to_owned());
    }
    key.alive().map_err(|error| chain(&error))?;
    Ok(key)
}

/// Whether `text` (any case, spaces as people write them) is this fingerprint.
fn names(text: &str, fingerprint: &Fingerprint) -> bool {
    text.replace(' ', "")
        .eq_ignore_ascii_case(&fingerprint.to_hex())
}

fn earliest(one: Option<SystemTime>, other: Option<SystemTime>) -> Option<SystemTime> {
    one.into_iter().chain(other).min()
}

/// An error of the OpenPGP library with its causes, on one line.
pub(crate) fn chain(error: &sequoia_openpgp::anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

impl SigningKey {
    fn new(
        key: Key<PublicParts, UnspecifiedRole>,
        certificate_fingerprint: String,
        expires: Option<SystemTime>,
    ) -> Result<Self, CertificateError> {
        let fingerprint = key.fingerprint().to_hex();
        let public = public_key(key.mpis())
            .ok_or_else(|| CertificateError::Unsupported(fingerprint.clone()))?;
        let version = match key.version() {
            // A composite key is of version 6 (RFC 9980), whatever a library reads.
            4 if !public.is_composite() => KeyVersion::V4,
            6 => KeyVersion::V6,
            _ => return Err(CertificateError::Unsupported(fingerprint)),
        };
        Ok(Self {
            key,
            public,
            version,
            certificate_fingerprint,
            expires,
        })
    }

    /// Fingerprint of the key that signs, upper-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint().to_hex()
    }

    /// Fingerprint of the certificate's primary key, upper-case hexadecimal.
    pub fn certificate_fingerprint(&self) -> &str {
        &self.certificate_fingerprint
    }

    /// The key without its OpenPGP clothes.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The version of the key, which its signatures share.
    pub fn version(&self) -> KeyVersion {
        self.version
    }

    /// When key or certificate expires, whichever comes first.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// When the key was created; part of its fingerprint.
    pub fn created(&self) -> SystemTime {
        self.key.creation_time()
    }

    /// Whether signatures of this key may use `hash`: its strength must reach the curve's
    /// (RFC 9580, section 5.2.3.2). A composite key takes 256 bits or more (RFC 9980), which each has.
    pub fn allows(&self, hash: HashAlgorithm) -> bool {
        hash >= self.public.weakest_hash()
    }

    /// Makes sure that the device behind `signer` holds this key.
    ///
    /// # Errors
    /// [`CertificateError::WrongDevice`] if it holds another.
    pub fn check_signer(&self, signer: &dyn Signer) -> Result<(), CertificateError> {
        if *signer.public_key() == self.public {
            Ok(())
        } else {
            Err(CertificateError::WrongDevice(self.fingerprint()))
        }
    }

    /// Whether `time` lies between the key's creation and its expiry. The OpenPGP time of a
    /// signature is cut to whole seconds, so a moment before the creation is a second before it.
    pub fn is_alive_at(&self, time: SystemTime) -> bool {
        time >= self.created() && self.expires.is_none_or(|expires| time < expires)
    }

    pub(crate) fn openpgp(&self) -> &Key<PublicParts, UnspecifiedRole> {
        &self.key
    }
}

/// The OpenPGP library's public key as ours; `None` for kinds that no back end signs with.
pub(crate) fn public_key(mpis: &mpi::PublicKey) -> Option<PublicKey> {
    match mpis {
        mpi::PublicKey::Ed25519 { a } => Some(PublicKey::Ed25519(*a)),
        mpi::PublicKey::EdDSA {
            curve: PgpCurve::Ed25519,
            q,
        } => {
            // The legacy encoding: 0x40 and the point (RFC 9580, section 11.2.2).
            let point = q.value().strip_prefix(&[0x40])?;
            Some(PublicKey::Ed25519(point.try_into().ok()?))
        }
        mpi::PublicKey::ECDSA { curve, q } => {
            let curve = match curve {
                PgpCurve::NistP256 => Curve::P256,
                PgpCurve::NistP384 => Curve::P384,
                PgpCurve::NistP521 => Curve::P521,
                _ => return None,
            };
            let point = q.value().to_vec();
            let uncompressed =
                point.first() == Some(&4) && point.len() == 1 + 2 * curve.scalar_bytes();
            uncompressed.then_some(PublicKey::Ecdsa { curve, point })
        }
        mpi::PublicKey::RSA { e, n } if (2048..=4096).contains(&n.bits()) => Some(PublicKey::Rsa {
            n: n.value().to_vec(),
            e: e.value().to_vec(),
        }),
        mpi::PublicKey::MLDSA65_Ed25519 { eddsa, mldsa } => Some(PublicKey::MlDsa65Ed25519 {
            ed25519: **eddsa,
            ml_dsa: mldsa.clone(),
        }),
        _ => None,
    }
}
