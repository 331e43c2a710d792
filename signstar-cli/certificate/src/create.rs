//! A certificate with one key, which certifies and signs, and one user ID.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::CertRevocationBuilder;
use sequoia_openpgp::packet::UserID;
use sequoia_openpgp::packet::signature::SignatureBuilder;
use sequoia_openpgp::serialize::SerializeInto;
use sequoia_openpgp::types::{
    HashAlgorithm as PgpHash, KeyFlags, ReasonForRevocation, SignatureType,
};
use sequoia_openpgp::{Cert, Packet, anyhow, armor};
use signstar_core::{Certificate, CertificateError, KeyVersion, Signer, SignerError};

use crate::key::{Device, primary};

/// Longest user ID, in bytes. GnuPG refuses those over 2048.
const USER_ID_BYTES_MAX: usize = 1024;

/// The hash of all signatures here: no curve asks for more, and every program knows it.
const HASH: PgpHash = PgpHash::SHA512;

/// What a certificate is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// Whose key it is, customarily `Name <address@example.org>`.
    pub user_id: &'a str,
    /// When the key was created, in whole seconds. It is part of the fingerprint: the same key
    /// with another time is another key to OpenPGP.
    pub created: SystemTime,
    /// When the certificate is made: now.
    pub now: SystemTime,
    /// From when on the key is no longer valid.
    pub expires: Option<SystemTime>,
    /// Version 4 for GnuPG and pacman, version 6 for RFC 9580.
    pub version: KeyVersion,
}

/// What [`create`] has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCertificate {
    /// The certificate, binary.
    pub certificate: Vec<u8>,
    /// A signature that revokes it, ASCII-armored, for the day when the key is lost. Whoever has
    /// it can end the key's life, so it belongs into a safe.
    pub revocation: Vec<u8>,
    /// The fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
}

/// Why there is no certificate. Nothing was made that could be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The operator must choose another user ID.
    #[error("user ID must be 1 to {USER_ID_BYTES_MAX} bytes without control characters")]
    UserId,
    /// The operator must choose another time.
    #[error("expiry must lie after now and within 136 years of the key's creation")]
    Expiry,
    /// The clock is wrong, or the time of creation.
    #[error("the key's creation lies after now, or outside of what OpenPGP can express")]
    Creation,
    /// The device did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The device's signature does not verify.
    #[error("the certificate does not hold: {0}")]
    Unsound(#[from] CertificateError),
    /// The OpenPGP library refused.
    #[error("the certificate cannot be made: {0}")]
    OpenPgp(String),
}

/// Has a certificate for the key behind `signer` signed by it, and a revocation with it, and
/// verifies them. The device signs twice, three times for version 6.
///
/// # Errors
/// See [`CreateError`].
pub fn create(
    signer: &mut dyn Signer,
    request: &CertificateRequest<'_>,
) -> Result<NewCertificate, CreateError> {
    let user_id = request.user_id;
    let length = 1..=USER_ID_BYTES_MAX;
    if !length.contains(&user_id.len()) || user_id.chars().any(char::is_control) {
        return Err(CreateError::UserId);
    }
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        u32::try_from(since.as_secs()).ok()
    };
    let created = seconds(request.created).ok_or(CreateError::Creation)?;
    let now = seconds(request.now).ok_or(CreateError::Creation)?;
    if created > now {
        return Err(CreateError::Creation);
    }
    let lifetime = match request.expires {
        Some(expires) => Some(lifetime(created, now, expires).ok_or(CreateError::Expiry)?),
        None => None,
    };
    let made = assemble(signer, request, lifetime).map_err(fault)?;
    // Whatever the device has answered, what is wrong is not handed out.
    Certificate::parse(&made.certificate)?.signing_key(Some(&made.fingerprint), request.now)?;
    Ok(made)
}

/// From creation to expiry, which OpenPGP counts in 32 bits of seconds.
fn lifetime(created: u32, now: u32, expires: SystemTime) -> Option<Duration> {
    let expires = expires
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?
        .as_secs();
    let lifetime = expires.checked_sub(u64::from(created))?;
    let valid = expires > u64::from(now) && u32::try_from(lifetime).is_ok();
    valid.then(|| Duration::from_secs(lifetime))
}

fn assemble(
    signer: &mut dyn Signer,
    request: &CertificateRequest<'_>,
    lifetime: Option<Duration>,
) -> anyhow::Result<NewCertificate> {
    let key = primary(signer.public_key(), request.created, request.version)?;
    let public = key.clone().role_into_unspecified();
    let mut device = Device { public, signer };
    let user_id = UserID::from(request.user_id);

    let flags = KeyFlags::empty().set_certification().set_signing();
    let preferred = vec![PgpHash::SHA512, PgpHash::SHA384, PgpHash::SHA256];
    let statement = |kind: SignatureType| {
        SignatureBuilder::new(kind)
            .set_hash_algo(HASH)
            .set_signature_creation_time(request.now)
    };
    let about_key = |builder: SignatureBuilder| {
        builder
            .set_key_flags(flags.clone())?
            .set_preferred_hash_algorithms(preferred.clone())?
            .set_key_validity_period(lifetime)
    };
    let binding = statement(SignatureType::PositiveCertification)?.set_primary_userid(true)?;
    let mut packets: Vec<Packet> = vec![key.into()];
    let binding = match request.version {
        KeyVersion::V4 => about_key(binding)?,
        // RFC 9580, section 10.1.1: what concerns the key stands in a signature directly over it.
        KeyVersion::V6 => {
            let direct = about_key(statement(SignatureType::DirectKey)?)?;
            packets.push(direct.sign_direct_key(&mut device, None)?.into());
            binding
        }
    };
    let binding = binding.sign_userid_binding(&mut device, None, &user_id)?;
    packets.extend([user_id.into(), binding.into()]);
    let certificate = Cert::from_packets(packets.into_iter())?;

    let revocation = CertRevocationBuilder::new()
        .set_signature_creation_time(request.now)?
        .set_reason_for_revocation(ReasonForRevocation::Unspecified, b"")?
        .build(&mut device, &certificate, HASH)?;
    let primary = certificate.primary_key().key();
    revocation.verify_primary_key_revocation(primary, primary)?;
    Ok(NewCertificate {
        fingerprint: certificate.fingerprint().to_hex(),
        certificate: certificate.to_vec()?,
        revocation: armored(&Packet::from(revocation).to_vec()?, &certificate)?,
    })
}

fn armored(revocation: &[u8], certificate: &Cert) -> anyhow::Result<Vec<u8>> {
    use std::io::Write as _;
    let comment = format!(
        "revocation of {}: keep it safe",
        certificate.fingerprint().to_hex()
    );
    let headers = [("Comment", comment)];
    let mut writer = armor::Writer::with_headers(Vec::new(), armor::Kind::PublicKey, headers)?;
    writer.write_all(revocation)?;
    Ok(writer.finalize()?)
}

/// An error of the device as it was, any other with its causes on one line.
fn fault(error: anyhow::Error) -> CreateError {
    match error.downcast::<SignerError>() {
        Ok(error) => error.into(),
        Err(error) => {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            CreateError::OpenPgp(causes.join(": "))
        }
    }
}
