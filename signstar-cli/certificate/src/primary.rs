//! Primary keys that are kept offline, in OpenPGP secret key files.
//!
//! Such a key certifies and does nothing else. Its file is what `gpg --export-secret-keys` and
//! `sq key export` write, and what they read: the secret key with its user IDs and what binds them.

use sequoia_openpgp::Cert;
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::{Packet, PacketPile, anyhow};
use signstar_core::{KeyVersion, SecretMaterial, Signer};
use zeroize::Zeroizing;

use crate::create::{CertificateRequest, CreateError, Usage, create};
use crate::describe::{CERTIFICATE_BYTES_MAX, printable};
use crate::key::version_of;
use crate::secret_key_file::{SecretKeyFileError, secret_key_file};
use crate::statement::causes;

/// What [`new_primary`] has made.
pub struct NewPrimary {
    /// The secret key file, binary.
    pub secret_key: Zeroizing<Vec<u8>>,
    /// A signature that revokes the key and whatever it has certified, ASCII-armored.
    pub revocation: Vec<u8>,
    /// The fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
}

/// Why there is no primary key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrimaryError {
    /// The certificate cannot be made.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The secret key cannot be written.
    #[error(transparent)]
    SecretKeyFile(#[from] SecretKeyFileError),
    /// The file is none, or holds several keys. The operator must give another.
    #[error("not an OpenPGP secret key file with one key")]
    Malformed,
    /// The file has a certificate, or subkeys without their primary key. The operator must give
    /// another.
    #[error("the file does not hold the secret half of the primary key")]
    NoSecret,
    /// The OpenPGP library refused.
    #[error("the primary key cannot be written: {0}")]
    OpenPgp(String),
}

/// Makes the file of a primary key that certifies only, with its user ID, out of the key `material`
/// behind `signer`; a passphrase protects it as in [`secret_key_file`].
///
/// # Errors
/// See [`PrimaryError`].
pub fn new_primary(
    material: &SecretMaterial,
    signer: &mut dyn Signer,
    request: &CertificateRequest<'_>,
    passphrase: Option<&[u8]>,
) -> Result<NewPrimary, PrimaryError> {
    let request = CertificateRequest {
        usage: Usage::Certify,
        ..*request
    };
    let public = signer.public_key().clone();
    let secret = secret_key_file(
        material,
        &public,
        request.created,
        request.version,
        passphrase,
    )?;
    let made = create(signer, &request)?;
    // The secret key, and of the certificate what follows the public one.
    let bound = || -> anyhow::Result<Vec<u8>> {
        let certificate = PacketPile::from_bytes(&made.certificate)?;
        let mut bytes = Vec::new();
        for packet in certificate.into_children().skip(1) {
            bytes.extend(Packet::to_vec(&packet)?);
        }
        Ok(bytes)
    };
    let bound = bound().map_err(|error| PrimaryError::OpenPgp(causes(&error)))?;
    let mut file = Zeroizing::new(Vec::with_capacity(secret.len() + bound.len()));
    file.extend_from_slice(&secret);
    file.extend_from_slice(&bound);
    Ok(NewPrimary {
        secret_key: file,
        revocation: made.revocation,
        fingerprint: made.fingerprint,
    })
}

/// What the file of a primary key says without its passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflinePrimary {
    /// The fingerprint of the primary key, upper-case hexadecimal.
    pub fingerprint: String,
    /// The version of the key.
    pub version: KeyVersion,
    /// Everything in the file that is public, as a binary certificate.
    pub certificate: Vec<u8>,
    /// Its user IDs. Control characters stand as `\u{…}`.
    pub user_ids: Vec<String>,
}

/// Reads the public part of a secret key file, binary or armored. Its secret half is opened by
/// [`SecretKey::parse`](signstar_core::SecretKey::parse).
///
/// # Errors
/// [`PrimaryError::Malformed`] or [`PrimaryError::NoSecret`].
pub fn offline_primary(bytes: &[u8]) -> Result<OfflinePrimary, PrimaryError> {
    if bytes.len() > CERTIFICATE_BYTES_MAX {
        return Err(PrimaryError::Malformed);
    }
    let cert = Cert::from_bytes(bytes).map_err(|_| PrimaryError::Malformed)?;
    if !cert.primary_key().key().has_secret() {
        return Err(PrimaryError::NoSecret);
    }
    let version = version_of(cert.primary_key().key()).ok_or(PrimaryError::Malformed)?;
    let cert = cert.strip_secret_key_material();
    Ok(OfflinePrimary {
        fingerprint: cert.fingerprint().to_hex(),
        version,
        user_ids: cert
            .userids()
            .map(|user_id| printable(user_id.userid()))
            .collect(),
        certificate: cert
            .to_vec()
            .map_err(|error| PrimaryError::OpenPgp(causes(&error)))?,
    })
}
