//! The words in which changes are asked for, said and refused.

use std::fmt;
use std::time::SystemTime;

use sequoia_openpgp::types::ReasonForRevocation;
use signstar_core::SignerError;

use crate::statement::USER_ID_BYTES_MAX;

/// Why a key or a certificate is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Another key has taken its place. Signatures from before stay good.
    Superseded,
    /// It is no longer used. Signatures from before stay good.
    Retired,
    /// Somebody else has it, or may have. No signature of it is good, whatever its date.
    Compromised,
    /// None is given. Verifiers take it as if it were compromised.
    Unspecified,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Superseded,
        Self::Retired,
        Self::Compromised,
        Self::Unspecified,
    ];

    /// Its name on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Retired => "retired",
            Self::Compromised => "compromised",
            Self::Unspecified => "unspecified",
        }
    }

    pub(super) fn openpgp(self) -> ReasonForRevocation {
        match self {
            Self::Superseded => ReasonForRevocation::KeySuperseded,
            Self::Retired => ReasonForRevocation::KeyRetired,
            Self::Compromised => ReasonForRevocation::KeyCompromised,
            Self::Unspecified => ReasonForRevocation::Unspecified,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that a certificate will say, or says since it was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has another user ID.
    UserId {
        /// The user ID.
        user_id: String,
    },
    /// It has another subkey, which signs data.
    Subkey {
        /// The subkey's fingerprint, upper-case hexadecimal.
        fingerprint: String,
        /// When it expires.
        expires: Option<SystemTime>,
    },
    /// A key of it expires at another time.
    Expiry {
        /// The key's fingerprint, upper-case hexadecimal.
        fingerprint: String,
        /// When it was to expire.
        before: Option<SystemTime>,
        /// When it expires.
        after: Option<SystemTime>,
    },
    /// A subkey, or the primary key and with it the certificate, is given up for good.
    Revocation {
        /// The key's fingerprint, upper-case hexadecimal.
        fingerprint: String,
        /// Why; `None` if the revocation was made before and does not say.
        reason: Option<Reason>,
    },
}

impl Change {
    /// What it is about: a fingerprint, or the user ID.
    pub(super) fn subject(&self) -> &str {
        match self {
            Self::UserId { user_id } => user_id,
            Self::Subkey { fingerprint, .. }
            | Self::Expiry { fingerprint, .. }
            | Self::Revocation { fingerprint, .. } => fingerprint,
        }
    }
}

/// Why a certificate is not changed. Nothing was made that could be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file is none, or it is not bound together by valid signatures. The operator must give
    /// another.
    #[error("not an OpenPGP certificate: {0}")]
    Certificate(String),
    /// There is no way back from a revocation.
    #[error("{0} is revoked: make another")]
    Revoked(String),
    /// Nothing below an expired primary key is valid. The operator must extend that first.
    #[error("the primary key {0} has expired: extend it first")]
    Expired(String),
    /// The operator must name a key of the certificate.
    #[error("the certificate has no valid key {0}")]
    NoKey(String),
    /// The operator must choose another device, or has done this already.
    #[error("the certificate has the key {0} already")]
    Present(String),
    /// The operator must choose another user ID.
    #[error("user ID must be 1 to {USER_ID_BYTES_MAX} bytes without control characters")]
    UserId,
    /// The operator must choose another text.
    #[error(
        "text of a revocation must be at most {USER_ID_BYTES_MAX} bytes without control characters"
    )]
    Text,
    /// The operator must choose another time.
    #[error("expiry must lie after now and within 136 years of the key's creation")]
    Expiry,
    /// The clock is wrong, or the time of creation.
    #[error("the key's creation lies after now, or outside of what OpenPGP can express")]
    Creation,
    /// Of two statements of the same second nobody can tell which one holds. A retry helps.
    #[error("the key's last signature over {0} is not older than now: wait, or set the clock")]
    TooSoon(String),
    /// The operator has given another key.
    #[error("this is not the primary key {0} of the certificate")]
    NotThePrimary(String),
    /// A device did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The operator must give another file.
    #[error("the file holds no revocation that is valid for {0}")]
    NoRevocation(String),
    /// A device has signed something else than it was given.
    #[error("the certificate does not hold: a signature over {0} does not verify")]
    Unsound(String),
    /// The OpenPGP library refused.
    #[error("the certificate cannot be changed: {0}")]
    OpenPgp(String),
}
