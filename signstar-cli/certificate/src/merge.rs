//! Revocations that are made early and merged late, when the key that signed them may be gone.

use std::time::SystemTime;

use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::SignatureType;
use sequoia_openpgp::{Cert, Packet, PacketPile};
use signstar_core::Signer;

use crate::create::armored;
use crate::describe::{CERTIFICATE_BYTES_MAX, DescribeError, parse, revoked};
use crate::edit::{Change, Edit, EditError, Reason};
use crate::statement::causes;

/// Has a revocation of the subkey with `fingerprint` signed by the primary key, for the day when it
/// is needed and the primary key is not at hand. No reason is given, so it counts as the worst one.
///
/// It is a whole certificate in ASCII armor, in which the subkey is revoked: a signature over a
/// subkey alone is nothing that GnuPG imports.
///
/// # Errors
/// See [`EditError`].
pub fn subkey_revocation(
    certificate: &[u8],
    fingerprint: &str,
    now: SystemTime,
    primary: &mut dyn Signer,
) -> Result<Vec<u8>, EditError> {
    let revoked = Edit::of(certificate, now)?
        .revocation(fingerprint, Reason::Unspecified, "")?
        .sign(primary, None)?;
    armored(&revoked, fingerprint).map_err(|error| EditError::OpenPgp(causes(&error)))
}

/// Puts the revocations in the file `revocation` (signatures alone, or a certificate that has them;
/// binary or armored) into `certificate`. Gives the certificate, binary, and what has changed.
/// Nothing else of the file is taken over.
///
/// # Errors
/// There is none in the file that this certificate's primary key has signed.
pub fn merge_revocation(
    certificate: &[u8],
    revocation: &[u8],
    now: SystemTime,
) -> Result<(Vec<u8>, Vec<Change>), EditError> {
    let cert = parse(certificate).map_err(|error| EditError::Certificate(error.0))?;
    let name = cert.fingerprint().to_hex();
    let none = || EditError::NoRevocation(name.clone());
    if revocation.len() > CERTIFICATE_BYTES_MAX {
        return Err(none());
    }
    let packets = PacketPile::from_bytes(revocation).map_err(|_| none())?;
    let revocations = packets.into_children().filter(|packet| match packet {
        Packet::Signature(signature) => matches!(
            signature.typ(),
            SignatureType::KeyRevocation | SignatureType::SubkeyRevocation
        ),
        _ => false,
    });
    let before = revoked(&cert, now);
    let openpgp = |error| EditError::OpenPgp(causes(&error));
    let (merged, _) = cert
        .insert_packets(revocations.collect::<Vec<_>>())
        .map_err(openpgp)?;
    let bytes = merged.to_vec().map_err(openpgp)?;
    let merged = Cert::from_bytes(&bytes).map_err(openpgp)?;
    let changes: Vec<Change> = revoked(&merged, now)
        .into_iter()
        .filter(|fingerprint| !before.contains(fingerprint))
        .map(|fingerprint| Change::Revocation {
            fingerprint,
            reason: None,
        })
        .collect();
    match changes.is_empty() {
        true => Err(none()),
        false => Ok((bytes, changes)),
    }
}

/// The certificate `bytes`, binary or armored, in binary form, as it may be given to others.
///
/// # Errors
/// It cannot be read.
pub fn binary(bytes: &[u8]) -> Result<Vec<u8>, DescribeError> {
    let cert = parse(bytes)?.strip_secret_key_material();
    cert.export_to_vec()
        .map_err(|error| DescribeError(causes(&error)))
}
