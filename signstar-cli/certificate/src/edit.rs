//! Changes to a certificate: first said, then signed by its primary key.
//!
//! An [`Edit`] collects what is to change, which no device is asked for, so that an operator can see
//! it first ([`Edit::changes`]). [`Edit::sign`] uses it up: the primary key signs every change, a new
//! signing subkey signs that it wants to belong to the certificate (the back-signature), and what
//! comes out is read again and must say what was asked for.
//!
//! The primary key is any [`Signer`]: the device itself, where its key is the primary one, or a key
//! that is kept offline.
//!
//! Absent: taking anything away. What has been published cannot be called back; it can be revoked.

mod change;
mod sign;

use std::time::{Duration, SystemTime};

use sequoia_openpgp::Cert;
use sequoia_openpgp::cert::amalgamation::ValidateAmalgamation as _;
use sequoia_openpgp::cert::amalgamation::key::PrimaryKey as _;
use sequoia_openpgp::packet::key::{PublicParts, SubordinateRole};
use sequoia_openpgp::packet::{Key, Signature, UserID};
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::policy::StandardPolicy;
use signstar_core::{KeyVersion, PublicKey};

use crate::describe::{CERTIFICATE_BYTES_MAX, revoked};
use crate::key::{is_same, subkey, version_of};
use crate::statement::{USER_ID_BYTES_MAX, causes, is_user_id, lifetime, seconds};

pub use change::{Change, EditError, Reason};

/// A change with what is needed to sign it.
#[derive(Clone, Debug)]
enum Step {
    UserId(UserID),
    Subkey {
        key: Box<Key<PublicParts, SubordinateRole>>,
        lifetime: Option<Duration>,
    },
    PrimaryExpiry(Option<Duration>),
    SubkeyExpiry {
        key: Box<Key<PublicParts, SubordinateRole>>,
        lifetime: Option<Duration>,
    },
    Revocation {
        /// A subkey, or the primary key.
        key: Option<Box<Key<PublicParts, SubordinateRole>>>,
        reason: Reason,
        text: String,
    },
}

/// What is to change in a certificate.
#[derive(Clone, Debug)]
pub struct Edit {
    cert: Cert,
    version: KeyVersion,
    /// Fingerprints of keys that are given up already.
    revoked: Vec<String>,
    now: SystemTime,
    now_seconds: u32,
    steps: Vec<Step>,
    changes: Vec<Change>,
}

impl Edit {
    /// Begins to change `certificate`, binary or armored, at `now`.
    ///
    /// # Errors
    /// It is no certificate, or revoked.
    pub fn of(certificate: &[u8], now: SystemTime) -> Result<Self, EditError> {
        if certificate.len() > CERTIFICATE_BYTES_MAX {
            let text = format!("larger than {CERTIFICATE_BYTES_MAX} bytes");
            return Err(EditError::Certificate(text));
        }
        let cert = Cert::from_bytes(certificate)
            .map_err(|error| EditError::Certificate(causes(&error)))?
            .strip_secret_key_material();
        let fingerprint = cert.fingerprint().to_hex();
        let version = version_of(cert.primary_key().key())
            .ok_or_else(|| EditError::Certificate("of an unknown version".to_owned()))?;
        let now_seconds = seconds(now).ok_or(EditError::Creation)?;
        let revoked = revoked(&cert, now);
        if revoked.contains(&fingerprint) {
            return Err(EditError::Revoked(fingerprint));
        }
        Ok(Self {
            cert,
            version,
            revoked,
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(now_seconds.into()),
            now_seconds,
            steps: Vec::new(),
            changes: Vec::new(),
        })
    }

    /// What will change, in the order in which it was asked for.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Fingerprint of the primary key, upper-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        self.cert.fingerprint().to_hex()
    }

    /// The version of its keys. A new subkey takes the same one.
    pub fn version(&self) -> KeyVersion {
        self.version
    }

    /// Whether `key` is the primary key.
    pub fn is_primary(&self, key: &PublicKey) -> bool {
        is_same(key, self.cert.primary_key().key())
    }

    /// Adds a user ID, unless the certificate has it.
    ///
    /// # Errors
    /// [`EditError::UserId`].
    pub fn user_id(mut self, user_id: &str) -> Result<Self, EditError> {
        if !is_user_id(user_id) {
            return Err(EditError::UserId);
        }
        let packet = UserID::from(user_id);
        if self.cert.userids().all(|known| *known.userid() != packet) {
            self.steps.push(Step::UserId(packet));
            self.changes.push(Change::UserId {
                user_id: user_id.to_owned(),
            });
        }
        Ok(self)
    }

    /// Adds the key `public`, created at `created`, as a subkey that signs data.
    ///
    /// # Errors
    /// A time cannot be, the certificate has the key already, or its primary key has expired.
    pub fn subkey(
        mut self,
        public: &PublicKey,
        created: SystemTime,
        expires: Option<SystemTime>,
    ) -> Result<Self, EditError> {
        let seconds = seconds(created)
            .filter(|created| *created <= self.now_seconds)
            .ok_or(EditError::Creation)?;
        let lifetime = self.lifetime(seconds, expires)?;
        let policy = StandardPolicy::new();
        let valid = self.cert.with_policy(&policy, self.now);
        // A bare key that nothing is said of yet does not expire.
        if valid.is_ok_and(|valid| valid.alive().is_err()) {
            return Err(EditError::Expired(self.fingerprint()));
        }
        let key = subkey(public, created, self.version)
            .map_err(|error| EditError::OpenPgp(causes(&error)))?;
        let fingerprint = key.fingerprint().to_hex();
        if self.cert.keys().any(|known| is_same(public, known.key())) {
            return Err(EditError::Present(fingerprint));
        }
        let key = Box::new(key);
        self.steps.push(Step::Subkey { key, lifetime });
        self.changes.push(Change::Subkey {
            fingerprint,
            expires,
        });
        Ok(self)
    }

    /// Has the key with `fingerprint`, the primary one or a subkey, expire at `expires`.
    ///
    /// # Errors
    /// The certificate has no such key, it is revoked, or a time cannot be.
    pub fn expiry(
        mut self,
        fingerprint: &str,
        expires: Option<SystemTime>,
    ) -> Result<Self, EditError> {
        let policy = StandardPolicy::new();
        let missing = || EditError::NoKey(fingerprint.to_owned());
        let key = self
            .cert
            .keys()
            .find(|key| key.key().fingerprint().to_hex() == fingerprint)
            .ok_or_else(missing)?;
        let valid = key
            .clone()
            .with_policy(&policy, self.now)
            .map_err(|_| missing())?;
        self.check_revoked(fingerprint)?;
        let created = seconds(valid.key().creation_time()).ok_or(EditError::Creation)?;
        let lifetime = self.lifetime(created, expires)?;
        let newest = match key.primary() {
            true => newest(
                self.cert
                    .userids()
                    .flat_map(|user_id| user_id.self_signatures().collect::<Vec<_>>())
                    .chain(self.cert.primary_key().self_signatures()),
            ),
            false => newest(key.self_signatures()),
        };
        if newest.is_some_and(|newest| newest >= self.now) {
            return Err(EditError::TooSoon(fingerprint.to_owned()));
        }
        let before = valid.key_expiration_time();
        self.steps.push(match key.primary() {
            true => Step::PrimaryExpiry(lifetime),
            false => Step::SubkeyExpiry {
                key: Box::new(key.key().clone().role_into_subordinate()),
                lifetime,
            },
        });
        self.changes.push(Change::Expiry {
            fingerprint: fingerprint.to_owned(),
            before,
            after: expires,
        });
        Ok(self)
    }

    /// Gives up the key with `fingerprint`: a subkey, or the primary one and with it everything.
    ///
    /// # Errors
    /// The certificate has no such key, it is revoked already, or the text is too long.
    pub fn revocation(
        mut self,
        fingerprint: &str,
        reason: Reason,
        text: &str,
    ) -> Result<Self, EditError> {
        if text.len() > USER_ID_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(EditError::Text);
        }
        let key = self
            .cert
            .keys()
            .find(|key| key.key().fingerprint().to_hex() == fingerprint)
            .ok_or_else(|| EditError::NoKey(fingerprint.to_owned()))?;
        self.check_revoked(fingerprint)?;
        let subkey = (!key.primary()).then(|| Box::new(key.key().clone().role_into_subordinate()));
        self.steps.push(Step::Revocation {
            key: subkey,
            reason,
            text: text.to_owned(),
        });
        self.changes.push(Change::Revocation {
            fingerprint: fingerprint.to_owned(),
            reason: Some(reason),
        });
        Ok(self)
    }

    fn check_revoked(&self, fingerprint: &str) -> Result<(), EditError> {
        match self.revoked.iter().any(|revoked| revoked == fingerprint) {
            true => Err(EditError::Revoked(fingerprint.to_owned())),
            false => Ok(()),
        }
    }

    fn lifetime(
        &self,
        created: u32,
        expires: Option<SystemTime>,
    ) -> Result<Option<Duration>, EditError> {
        let Some(expires) = expires else {
            return Ok(None);
        };
        let lifetime = lifetime(created, self.now_seconds, expires);
        lifetime.map(Some).ok_or(EditError::Expiry)
    }
}

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<SystemTime> {
    signatures
        .filter_map(|signature| signature.signature_creation_time())
        .max()
}
