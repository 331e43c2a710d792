//! What one account may have signed with one key.
//!
//! Who may use which key is decided where the configuration is read: a policy belongs to exactly
//! one account and one key. Absent: rules about what is in an artifact.

use crate::refusal::{Failure, Refusal};
use crate::request::Request;

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

/// The bounds of one account's requests for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The largest artifact, in bytes.
    pub input_bytes_max: u64,
    /// Whether size and digest must be declared.
    pub declaring: Declaring,
}

impl Default for Policy {
    /// Up to 16 GiB, declared or not.
    fn default() -> Self {
        Self {
            input_bytes_max: INPUT_BYTES_MAX_DEFAULT,
            declaring: Declaring::Optional,
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
        if request.bytes > self.input_bytes_max {
            return Err(Refusal::InputTooLarge.into());
        }
        match &request.declaration {
            Some(said) if said.bytes != request.bytes => Err(Refusal::SizeMismatch.into()),
            Some(said) if said.sha512 != request.sha512 => Err(Refusal::DigestMismatch.into()),
            None if self.declaring == Declaring::Required => {
                Err(Refusal::DeclarationRequired.into())
            }
            Some(_) | None => Ok(()),
        }
    }
}
