//! What one account may have signed with one key.
//!
//! Who may use which key is decided where the configuration is read: a policy belongs to exactly
//! one account and one key. Absent: the rules about what is in an artifact, which the inspector has;
//! here stands that it must have been asked, and what it answered.

use std::sync::Arc;

use crate::digest_list::DigestList;
use crate::refusal::{Failure, Refusal};
use crate::request::Request;
use crate::verdict::{ArtifactKind, Verdict};

/// The largest artifact unless configured otherwise: 16 GiB, above any installation image.
pub const INPUT_BYTES_MAX_DEFAULT: u64 = 16 << 30;

/// Whether a caller must declare size and digest of what they send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declaring {
    /// What is declared is checked.
    Optional,
    /// What is not declared is refused.
    Required,
}

/// What an artifact must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InputPolicy {
    /// Anything.
    #[default]
    Any,
    /// What the inspector has found to be of this kind, and within its rules.
    Inspected(ArtifactKind),
    /// What stands in a list.
    Listed(Arc<DigestList>),
}

impl InputPolicy {
    /// The list, if it is one.
    pub(crate) fn list(&self) -> Option<&DigestList> {
        match self {
            Self::Listed(list) => Some(list),
            Self::Any | Self::Inspected(_) => None,
        }
    }
}

/// The bounds of one account's requests for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The smallest artifact, in bytes; an empty one is never signed.
    pub input_bytes_min: u64,
    /// The largest artifact, in bytes.
    pub input_bytes_max: u64,
    /// Whether size and digest must be declared.
    pub declaring: Declaring,
    /// What it must be.
    pub input: InputPolicy,
    /// Whether a hash state may stand for it; nothing of the artifact is seen then.
    pub hash_states: bool,
}

impl Default for Policy {
    /// Up to 16 GiB of anything, declared or not, but no hash states.
    fn default() -> Self {
        Self {
            input_bytes_min: 1,
            input_bytes_max: INPUT_BYTES_MAX_DEFAULT,
            declaring: Declaring::Optional,
            input: InputPolicy::Any,
            hash_states: false,
        }
    }
}

impl Policy {
    /// Judges a finished stream.
    ///
    /// # Errors
    /// The refusal, with what an operator needs to know.
    pub(crate) fn judge(&self, request: &Request) -> Result<(), Failure> {
        if request.bytes == 0 {
            return Err(Refusal::InputEmpty.into());
        }
        if request.bytes < self.input_bytes_min {
            return Err(Refusal::InputTooSmall.into());
        }
        if request.bytes > self.input_bytes_max {
            return Err(Refusal::InputTooLarge.into());
        }
        self.judge_declaration(request)?;
        self.judge_input(request)
    }

    fn judge_declaration(&self, request: &Request) -> Result<(), Failure> {
        let Some(said) = &request.declaration else {
            return match self.declaring {
                Declaring::Required => Err(Refusal::DeclarationRequired.into()),
                Declaring::Optional => Ok(()),
            };
        };
        if said.bytes != request.bytes {
            return Err(Refusal::SizeMismatch.into());
        }
        if request.digest_by(said.sha512.algorithm()) != Some(&said.sha512) {
            return Err(Refusal::DigestMismatch.into());
        }
        Ok(())
    }

    fn judge_input(&self, request: &Request) -> Result<(), Failure> {
        match (&self.input, &request.verdict) {
            (InputPolicy::Any, None) => Ok(()),
            (InputPolicy::Listed(list), None) => match request.digest_by(list.algorithm()) {
                Some(digest) if list.contains(digest) => Ok(()),
                _ => Err(Refusal::DigestUnlisted.into()),
            },
            (InputPolicy::Inspected(_), Some(Verdict::Refused { finding, .. })) => {
                Err(Refusal::Artifact(finding.code).into())
            }
            (InputPolicy::Inspected(kind), Some(Verdict::Accepted(identity)))
                if identity.kind == *kind =>
            {
                Ok(())
            }
            (InputPolicy::Inspected(_), Some(Verdict::Accepted(_))) => Err(Failure::new(
                Refusal::Inspection,
                "the inspector accepted another kind of artifact",
            )),
            // Nobody was asked, or somebody was who should not have been.
            (InputPolicy::Inspected(_), None)
            | (InputPolicy::Any | InputPolicy::Listed(_), Some(_)) => Err(Failure::new(
                Refusal::Inspection,
                "the verdict does not belong to the policy",
            )),
        }
    }
}
