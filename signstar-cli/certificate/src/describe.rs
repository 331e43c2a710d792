//! What a certificate says, for people and for programs.

use std::time::SystemTime;

use sequoia_openpgp::cert::amalgamation::ValidateAmalgamation;
use sequoia_openpgp::packet::UserID;
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::serialize::SerializeInto;
use sequoia_openpgp::types::RevocationStatus;
use sequoia_openpgp::{Cert, anyhow};
use signstar_core::PublicKey;

use crate::key::is_same;
use crate::statement::causes;

/// Longest certificate that is looked at, in bytes; the same bound as the core's.
pub(crate) const CERTIFICATE_BYTES_MAX: usize = 1024 * 1024;

/// The file is no certificate. The operator must give another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an OpenPGP certificate: {0}")]
pub struct DescribeError(pub(crate) String);

/// What a certificate says at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
    /// The version of its keys: 4 or 6.
    pub version: u8,
    /// User IDs that are bound and not revoked. Control characters stand as `\u{…}`.
    pub user_ids: Vec<String>,
    /// Whether somebody has revoked it with the key.
    pub revoked: bool,
    /// Its keys, the primary one first.
    pub keys: Vec<KeyDescription>,
}

/// What a certificate says of one of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDescription {
    /// The fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
    /// The algorithm in OpenPGP's words.
    pub algorithm: String,
    /// Its size in bits, where that says something.
    pub bits: Option<usize>,
    /// When it was created.
    pub created: SystemTime,
    /// From when on it is no longer valid.
    pub expires: Option<SystemTime>,
    /// Whether it may make signatures of data.
    pub signs: bool,
    /// Whether it is given up: by a revocation of its own, or as the certificate's primary key.
    pub revoked: bool,
}

/// Reads what the certificate `bytes`, binary or armored, says at `now`.
///
/// # Errors
/// It cannot be read, or is not bound together by valid signatures.
pub fn describe(bytes: &[u8], now: SystemTime) -> Result<Description, DescribeError> {
    let cert = parse(bytes)?;
    let policy = StandardPolicy::new();
    // An expired certificate is described as well as a valid one.
    let valid = cert
        .with_policy(&policy, now)
        .map_err(|error| fault(&error))?;
    let given_up = revoked(&cert, now);
    let keys = cert.keys().map(|key| {
        let bound = key.clone().with_policy(&policy, now).ok();
        KeyDescription {
            fingerprint: key.key().fingerprint().to_hex(),
            algorithm: key.key().pk_algo().to_string(),
            bits: key.key().mpis().bits(),
            created: key.key().creation_time(),
            expires: bound.as_ref().and_then(|bound| bound.key_expiration_time()),
            signs: bound.is_some_and(|bound| bound.for_signing()),
            revoked: given_up.contains(&key.key().fingerprint().to_hex()),
        }
    });
    Ok(Description {
        fingerprint: cert.fingerprint().to_hex(),
        version: cert.primary_key().key().version(),
        user_ids: valid
            .userids()
            .map(|user_id| printable(user_id.userid()))
            .collect(),
        revoked: matches!(valid.revocation_status(), RevocationStatus::Revoked(_)),
        keys: keys.collect(),
    })
}

/// Whether `key` is one of the keys of the certificate `bytes`, binary or armored, whatever it may be used
/// for and since when.
///
/// # Errors
/// It cannot be read.
pub fn holds(bytes: &[u8], key: &PublicKey) -> Result<bool, DescribeError> {
    let cert = parse(bytes)?;
    Ok(cert.keys().any(|of_cert| is_same(key, of_cert.key())))
}

/// The certificate `bytes`, binary or armored, in armor, as people send it.
///
/// # Errors
/// It cannot be read.
pub fn armor(bytes: &[u8]) -> Result<Vec<u8>, DescribeError> {
    parse(bytes)?
        .armored()
        .export_to_vec()
        .map_err(|error| fault(&error))
}

/// Fingerprints of all keys of a certificate that are revoked: the primary one, if that is, and each
/// subkey that has a revocation of its own.
pub(crate) fn revoked(cert: &Cert, now: SystemTime) -> Vec<String> {
    let policy = StandardPolicy::new();
    let is_revoked = |status: RevocationStatus<'_>| matches!(status, RevocationStatus::Revoked(_));
    let primary = is_revoked(cert.revocation_status(&policy, now)).then(|| cert.fingerprint());
    let subkeys = cert.keys().subkeys();
    let subkeys = subkeys
        .filter(|key| is_revoked(key.revocation_status(&policy, now)))
        .map(|key| key.key().fingerprint());
    let all = primary.into_iter().chain(subkeys);
    all.map(|fingerprint| fingerprint.to_hex()).collect()
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Cert, DescribeError> {
    if bytes.len() > CERTIFICATE_BYTES_MAX {
        return Err(DescribeError(format!(
            "larger than {CERTIFICATE_BYTES_MAX} bytes"
        )));
    }
    Cert::from_bytes(bytes).map_err(|error| fault(&error))
}

/// Without what could move a terminal's cursor.
pub(crate) fn printable(user_id: &UserID) -> String {
    let text = String::from_utf8_lossy(user_id.value());
    let shown = text.chars().map(|char| match char.is_control() {
        true => char.escape_unicode().to_string(),
        false => char.to_string(),
    });
    shown.collect()
}

fn fault(error: &anyhow::Error) -> DescribeError {
    DescribeError(causes(error))
}
