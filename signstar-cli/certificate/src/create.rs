//! A certificate with one key, which certifies and may sign, and one user ID.

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

use crate::key::{Device, is_possible, primary};
use crate::statement::{HASH, USER_ID_BYTES_MAX, causes, is_user_id, lifetime, seconds, statement};

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
    /// What the key is for.
    pub usage: Usage,
}

impl CertificateRequest<'_> {
    /// Fails where [`create`] would without having asked the device.
    ///
    /// # Errors
    /// [`CreateError::UserId`], [`CreateError::Creation`] or [`CreateError::Expiry`].
    pub fn check(&self) -> Result<(), CreateError> {
        self.lifetime().map(drop)
    }

    fn lifetime(&self) -> Result<Option<Duration>, CreateError> {
        if !is_user_id(self.user_id) {
            return Err(CreateError::UserId);
        }
        let created = seconds(self.created).ok_or(CreateError::Creation)?;
        let now = seconds(self.now).ok_or(CreateError::Creation)?;
        if created > now {
            return Err(CreateError::Creation);
        }
        match self.expires {
            Some(expires) => lifetime(created, now, expires)
                .map(Some)
                .ok_or(CreateError::Expiry),
            None => Ok(None),
        }
    }
}

/// What the primary key of a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// It signs data and, as every primary key, what concerns the certificate.
    CertifyAndSign,
    /// It says which subkeys sign data, and never signs data itself.
    Certify,
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
    /// The operator must choose version 6.
    #[error(
        "a composite post-quantum key needs a certificate of version 6: give --v6, or a primary key of that version"
    )]
    Version,
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
    let lifetime = request.lifetime()?;
    if !is_possible(signer.public_key(), request.version) {
        return Err(CreateError::Version);
    }
    let made = assemble(signer, request, lifetime).map_err(fault)?;
    // Whatever the device has answered, what is wrong is not handed out.
    let certificate = Certificate::parse(&made.certificate)?;
    let signs = certificate.signing_key(Some(&made.fingerprint), request.now);
    match (request.usage, signs) {
        (Usage::CertifyAndSign, signs) => {
            signs?;
        }
        (Usage::Certify, Err(CertificateError::NoSigningKey(..))) => {}
        (Usage::Certify, Err(error)) => return Err(error.into()),
        (Usage::Certify, Ok(_)) => {
            return Err(CreateError::OpenPgp("it signs data".to_owned()));
        }
    }
    Ok(made)
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

    let flags = match request.usage {
        Usage::CertifyAndSign => KeyFlags::empty().set_certification().set_signing(),
        Usage::Certify => KeyFlags::empty().set_certification(),
    };
    let preferred = vec![PgpHash::SHA512, PgpHash::SHA384, PgpHash::SHA256];
    let statement = |kind: SignatureType| statement(kind, request.now);
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
        revocation: armored(
            &Packet::from(revocation).to_vec()?,
            &certificate.fingerprint().to_hex(),
        )?,
    })
}

/// A revocation in armor, for people to recognise.
pub(crate) fn armored(revocation: &[u8], fingerprint: &str) -> anyhow::Result<Vec<u8>> {
    use std::io::Write as _;
    let comment = format!("revocation of {fingerprint}: keep it safe");
    let headers = [("Comment", comment)];
    let mut writer = armor::Writer::with_headers(Vec::new(), armor::Kind::PublicKey, headers)?;
    writer.write_all(revocation)?;
    Ok(writer.finalize()?)
}

/// The signature packet `bytes` in armor, as people send it.
///
/// # Errors
/// None that is known: it is written to memory.
pub fn armored_signature(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Write as _;
    let mut writer = armor::Writer::new(Vec::new(), armor::Kind::Signature)?;
    writer.write_all(bytes)?;
    writer.finalize()
}

/// An error of the device as it was, any other with its causes on one line.
fn fault(error: anyhow::Error) -> CreateError {
    match error.downcast::<SignerError>() {
        Ok(error) => error.into(),
        Err(error) => CreateError::OpenPgp(causes(&error)),
    }
}
