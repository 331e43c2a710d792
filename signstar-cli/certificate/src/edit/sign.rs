//! Signing what was asked for, and looking whether it holds.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::amalgamation::ValidateAmalgamation as _;
use sequoia_openpgp::cert::{CertRevocationBuilder, SubkeyRevocationBuilder};
use sequoia_openpgp::packet::Key;
use sequoia_openpgp::packet::key::{PublicParts, SubordinateRole, UnspecifiedRole};
use sequoia_openpgp::packet::signature::SignatureBuilder;
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::{KeyFlags, SignatureType};
use sequoia_openpgp::{Cert, Packet, anyhow};
use signstar_core::{KeyVersion, Signer, SignerError};

use super::{Change, Edit, EditError, Step};
use crate::describe::revoked;
use crate::key::{Device, is_same};
use crate::statement::{HASH, again, causes, seconds, statement};

impl Edit {
    /// Has everything signed by `primary`, and each new subkey by its own device, `subkey`. The
    /// primary key signs once for each change, except for its own expiry: that stands beside every
    /// user ID. Gives the certificate, binary, after having looked whether it says what it should.
    ///
    /// # Errors
    /// `primary` is another key, a device does not sign, or signs something else.
    pub fn sign(
        self,
        primary: &mut dyn Signer,
        subkey: Option<&mut dyn Signer>,
    ) -> Result<Vec<u8>, EditError> {
        let key = self.cert.primary_key().key();
        if !is_same(primary.public_key(), key) {
            return Err(EditError::NotThePrimary(self.fingerprint()));
        }
        let mut primary = Device {
            public: key.clone().role_into_unspecified(),
            signer: primary,
        };
        let mut subkey = subkey;
        let mut packets = Vec::new();
        for step in &self.steps {
            let signed = match step {
                Step::Subkey { key, lifetime } => {
                    let own = subkey.take().ok_or_else(|| {
                        EditError::OpenPgp("the subkey's device is missing".to_owned())
                    })?;
                    self.sign_subkey(&mut primary, own, key, *lifetime)
                }
                other => self.sign_step(&mut primary, other),
            };
            packets.extend(signed.map_err(fault)?);
        }
        let bytes = self
            .cert
            .clone()
            .insert_packets(packets)
            .and_then(|(cert, _)| cert.to_vec())
            .map_err(fault)?;
        // From the bytes: whatever a device has answered, what is wrong is not handed out.
        let made = Cert::from_bytes(&bytes).map_err(fault)?;
        for change in &self.changes {
            if !holds(&made, change, self.now) {
                return Err(EditError::Unsound(change.subject().to_owned()));
            }
        }
        Ok(bytes)
    }

    fn sign_step(&self, primary: &mut Device<'_>, step: &Step) -> anyhow::Result<Vec<Packet>> {
        let of = self.cert.primary_key().key();
        match step {
            Step::UserId(user_id) => {
                let kind = SignatureType::PositiveCertification;
                let mut binding = statement(kind, self.now)?;
                // RFC 9580, section 10.1.1: from version 6 on it stands over the key itself.
                if self.version == KeyVersion::V4 {
                    binding = self.about_primary(binding)?;
                }
                let binding = binding.sign_userid_binding(primary, None, user_id)?;
                Ok(vec![user_id.clone().into(), binding.into()])
            }
            Step::PrimaryExpiry(lifetime) => self.sign_primary_expiry(primary, *lifetime),
            Step::SubkeyExpiry { key, lifetime } => {
                let policy = StandardPolicy::new();
                let found = self
                    .cert
                    .keys()
                    .subkeys()
                    .find(|found| found.key().fingerprint() == key.fingerprint())
                    .ok_or_else(|| anyhow::anyhow!("the subkey is gone"))?;
                let found = found.with_policy(&policy, self.now)?;
                let old = found.binding_signature();
                let mut binding = ending(again(old, self.now)?, *lifetime)?;
                // What the subkey itself has signed says nothing of times, and holds on.
                let own = old.embedded_signatures().next().cloned();
                if let Some(own) = own {
                    binding = binding.set_embedded_signature(own)?;
                }
                let key: &Key<PublicParts, SubordinateRole> = key;
                Ok(vec![binding.sign_subkey_binding(primary, of, key)?.into()])
            }
            Step::Revocation { key, reason, text } => {
                let reason = reason.openpgp();
                let revocation = match key {
                    None => CertRevocationBuilder::new()
                        .set_signature_creation_time(self.now)?
                        .set_reason_for_revocation(reason, text.as_bytes())?
                        .build(primary, &self.cert, HASH)?,
                    Some(key) => SubkeyRevocationBuilder::new()
                        .set_signature_creation_time(self.now)?
                        .set_reason_for_revocation(reason, text.as_bytes())?
                        .build(primary, &self.cert, key.as_ref(), HASH)?,
                };
                Ok(vec![revocation.into()])
            }
            Step::Subkey { .. } => Ok(Vec::new()),
        }
    }

    fn sign_subkey(
        &self,
        primary: &mut Device<'_>,
        signer: &mut dyn Signer,
        key: &Key<PublicParts, SubordinateRole>,
        lifetime: Option<Duration>,
    ) -> anyhow::Result<Vec<Packet>> {
        let of = self.cert.primary_key().key();
        let public: Key<PublicParts, UnspecifiedRole> = key.clone().role_into_unspecified();
        let mut device = Device { public, signer };
        // The device's own consent: nobody can claim somebody else's signatures as their own.
        let own = statement(SignatureType::PrimaryKeyBinding, self.now)?.sign_primary_key_binding(
            &mut device,
            of,
            key,
        )?;
        let binding = ending(statement(SignatureType::SubkeyBinding, self.now)?, lifetime)?
            .set_key_flags(KeyFlags::empty().set_signing())?
            .set_embedded_signature(own)?
            .sign_subkey_binding(primary, of, key)?;
        Ok(vec![key.clone().into(), binding.into()])
    }

    /// What a certificate of version 4 says of its primary key beside every user ID.
    fn about_primary(&self, binding: SignatureBuilder) -> anyhow::Result<SignatureBuilder> {
        let policy = StandardPolicy::new();
        let Ok(valid) = self.cert.with_policy(&policy, self.now) else {
            // A bare key has said nothing yet.
            return binding.set_key_flags(KeyFlags::empty().set_certification());
        };
        let primary = valid.primary_key();
        let flags = primary.key_flags();
        let flags = flags.unwrap_or_else(|| KeyFlags::empty().set_certification());
        binding
            .set_key_flags(flags)?
            .set_key_validity_period(primary.key_validity_period())
    }

    fn sign_primary_expiry(
        &self,
        primary: &mut Device<'_>,
        lifetime: Option<Duration>,
    ) -> anyhow::Result<Vec<Packet>> {
        let policy = StandardPolicy::new();
        let valid = self.cert.with_policy(&policy, self.now)?;
        let mut packets = Vec::new();
        if let Ok(direct) = valid.direct_key_signature() {
            let direct = again(direct, self.now)?.set_key_validity_period(lifetime)?;
            packets.push(direct.sign_direct_key(primary, None)?.into());
        }
        for user_id in valid.userids().revoked(false) {
            let old = user_id.binding_signature();
            // Without either it leaves the key to the signature directly over it.
            let about_key = old.key_flags().is_some() || old.key_validity_period().is_some();
            if self.version == KeyVersion::V4 || about_key {
                let binding = again(old, self.now)?.set_key_validity_period(lifetime)?;
                let user_id = user_id.userid();
                packets.push(binding.sign_userid_binding(primary, None, user_id)?.into());
            }
        }
        Ok(packets)
    }
}

/// States when a subkey ends. That it never does is stated too, as zero (RFC 9580, section 5.2.3.13):
/// where nothing is, readers take what a signature directly over the primary key says of that one.
fn ending(
    binding: SignatureBuilder,
    lifetime: Option<Duration>,
) -> anyhow::Result<SignatureBuilder> {
    binding.set_key_validity_period(lifetime.unwrap_or_default())
}

/// Whether a certificate says at `now` what a change asked for.
fn holds(cert: &Cert, change: &Change, now: SystemTime) -> bool {
    let policy = StandardPolicy::new();
    let key = |fingerprint: &str| {
        cert.keys()
            .find(|key| key.key().fingerprint().to_hex() == fingerprint)
    };
    let expires = |fingerprint: &str| {
        let valid = key(fingerprint)?.with_policy(&policy, now).ok()?;
        Some((valid.key_expiration_time(), valid.for_signing()))
    };
    let same = |one: Option<SystemTime>, other: Option<SystemTime>| {
        one.and_then(seconds) == other.and_then(seconds)
    };
    match change {
        Change::UserId { user_id } => cert.with_policy(&policy, now).is_ok_and(|valid| {
            let mut user_ids = valid.userids();
            user_ids.any(|found| found.userid().value() == user_id.as_bytes())
        }),
        Change::Subkey {
            fingerprint,
            expires: wanted,
        } => expires(fingerprint).is_some_and(|(found, signs)| signs && same(found, *wanted)),
        Change::Expiry {
            fingerprint, after, ..
        } => expires(fingerprint).is_some_and(|(found, _)| same(found, *after)),
        Change::Revocation { fingerprint, .. } => revoked(cert, now).contains(fingerprint),
    }
}

/// An error of a device as it was, any other with its causes on one line.
fn fault(error: anyhow::Error) -> EditError {
    match error.downcast::<SignerError>() {
        Ok(error) => error.into(),
        Err(error) => EditError::OpenPgp(causes(&error)),
    }
}
