//! What all signatures that make up a certificate have in common.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::anyhow;
use sequoia_openpgp::packet::Signature;
use sequoia_openpgp::packet::signature::SignatureBuilder;
use sequoia_openpgp::types::{HashAlgorithm as PgpHash, SignatureType};

/// Longest user ID, in bytes. GnuPG refuses those over 2048.
pub(crate) const USER_ID_BYTES_MAX: usize = 1024;

/// The hash of all signatures here: no curve asks for more, and every program knows it.
pub(crate) const HASH: PgpHash = PgpHash::SHA512;

/// A new statement, made at `now`.
pub(crate) fn statement(kind: SignatureType, now: SystemTime) -> anyhow::Result<SignatureBuilder> {
    SignatureBuilder::new(kind)
        .set_hash_algo(HASH)
        .set_signature_creation_time(now)
}

/// What `old` says, said again at `now`.
pub(crate) fn again(old: &Signature, now: SystemTime) -> anyhow::Result<SignatureBuilder> {
    SignatureBuilder::from(old.clone())
        .set_hash_algo(HASH)
        .set_signature_creation_time(now)
}

/// Seconds since 1970, as OpenPGP counts them.
pub(crate) fn seconds(time: SystemTime) -> Option<u32> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u32::try_from(since.as_secs()).ok()
}

/// From creation to expiry, which OpenPGP counts in 32 bits of seconds; none if the expiry does not
/// lie after `now`, or too far away.
pub(crate) fn lifetime(created: u32, now: u32, expires: SystemTime) -> Option<Duration> {
    let expires = expires
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?
        .as_secs();
    let lifetime = expires.checked_sub(u64::from(created))?;
    let valid = expires > u64::from(now) && u32::try_from(lifetime).is_ok();
    valid.then(|| Duration::from_secs(lifetime))
}

/// Whether a user ID is of a length that every program takes, and moves no terminal's cursor.
pub(crate) fn is_user_id(text: &str) -> bool {
    (1..=USER_ID_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// An error of the OpenPGP library with its causes, on one line.
pub(crate) fn causes(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}
