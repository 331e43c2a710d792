//! Every reason for which no signature comes out: its code, its exit status, its sentence.
//!
//! The caller sees code and sentence and nothing else; what an operator needs beyond them stands
//! in the audit record. `docs/exit-and-refusal-codes.md` lists them, and a test compares.

use std::fmt;

use crate::finding::InspectionCode;
use crate::signer::SignerError;

/// A reason for which no signature comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Started in a way that sshd does not start a login shell.
    Invocation,
    /// The client asked for another command.
    Command,
    /// The input is empty.
    InputEmpty,
    /// The input is smaller than the caller may send.
    InputTooSmall,
    /// The input is larger than the caller may send.
    InputTooLarge,
    /// The input came too slowly, or not to its end in time.
    InputStalled,
    /// The connection ended before the upload.
    InputCut,
    /// Reading the input failed.
    InputUnreadable,
    /// The input has not the declared size.
    SizeMismatch,
    /// The input has not the declared digest.
    DigestMismatch,
    /// The inspector refuses the artifact. Its number is what the caller is told first.
    Artifact(InspectionCode),
    /// The device cannot be reached.
    DeviceUnavailable,
    /// The device failed, or answered nonsense.
    DeviceFailed,
    /// The finished signature does not verify.
    SelfCheck,
    /// The inspector did not give a verdict.
    Inspection,
    /// The process could not be confined.
    Confinement,
    /// Something that must not happen.
    Internal,
    /// The audit sink did not take a record.
    Audit,
    /// The signature could not be written to the caller.
    Output,
    /// Too many sessions, or the device is in use.
    Busy,
    /// The account has no key.
    UserUnknown,
    /// The account or its key is disabled.
    Disabled,
    /// The account is not for whoever authenticated.
    CallerUnknown,
    /// The artifact does not stand in the key's list.
    DigestUnlisted,
    /// The SSH server did not say who is calling.
    IdentityMissing,
    /// The key wants size and digest declared.
    DeclarationRequired,
    /// The configuration cannot be used.
    Configuration,
    /// The certificate cannot be used, or the device holds another key.
    Certificate,
    /// The credential cannot be read or was refused.
    Credential,
}

impl Refusal {
    /// All of them, in the order of their exit status; an artifact's refusal by one of its numbers.
    pub const ALL: [Self; 29] = [
        Self::Invocation,
        Self::Command,
        Self::InputEmpty,
        Self::InputTooSmall,
        Self::InputTooLarge,
        Self::InputStalled,
        Self::InputCut,
        Self::InputUnreadable,
        Self::SizeMismatch,
        Self::DigestMismatch,
        Self::Artifact(InspectionCode::Unreadable),
        Self::DeviceUnavailable,
        Self::DeviceFailed,
        Self::SelfCheck,
        Self::Inspection,
        Self::Confinement,
        Self::Internal,
        Self::Audit,
        Self::Output,
        Self::Busy,
        Self::UserUnknown,
        Self::Disabled,
        Self::CallerUnknown,
        Self::DigestUnlisted,
        Self::IdentityMissing,
        Self::DeclarationRequired,
        Self::Configuration,
        Self::Certificate,
        Self::Credential,
    ];

    /// Its name in records and messages.
    pub fn code(self) -> &'static str {
        self.definition().1
    }

    /// The exit status of the login shell, from sysexits(3).
    pub fn exit_status(self) -> u8 {
        self.definition().0
    }

    /// What the caller is told. It says what to do and never repeats what was sent.
    pub fn sentence(self) -> &'static str {
        self.definition().2
    }

    fn definition(self) -> (u8, &'static str, &'static str) {
        match self {
            Self::Invocation => (
                64,
                "invocation",
                "this account only signs what it reads: ssh HOST < FILE > FILE.sig",
            ),
            Self::Command => (
                64,
                "command",
                "ask for no command, or for 'sign v1 size=N sha512=HEX'",
            ),
            Self::InputEmpty => (65, "input-empty", "the input is empty; nothing was signed"),
            Self::InputTooSmall => (
                65,
                "input-too-small",
                "the input is smaller than this account may have signed",
            ),
            Self::InputTooLarge => (
                65,
                "input-too-large",
                "the input is larger than this account may have signed",
            ),
            Self::InputStalled => (
                65,
                "input-stalled",
                "the input came too slowly; send it again",
            ),
            Self::InputCut => (
                65,
                "input-cut",
                "the connection ended before the upload; send it again",
            ),
            Self::InputUnreadable => (
                65,
                "input-unreadable",
                "reading the input failed; send it again",
            ),
            Self::SizeMismatch => (
                65,
                "size-mismatch",
                "the input has not the declared size; send it again",
            ),
            Self::DigestMismatch => (
                65,
                "digest-mismatch",
                "the input has not the declared digest; send it again",
            ),
            Self::Artifact(code) => (65, "artifact", code.sentence()),
            Self::DeviceUnavailable => (
                69,
                "device-unavailable",
                "the signing device cannot be reached; try again later or tell the operator",
            ),
            Self::DeviceFailed => (
                70,
                "device-failed",
                "the signing device failed; tell the operator",
            ),
            Self::SelfCheck => (
                70,
                "self-check",
                "the signature did not verify and was discarded; tell the operator",
            ),
            Self::Inspection => (
                70,
                "inspection",
                "the inspector failed and nothing was signed; tell the operator",
            ),
            Self::Confinement => (
                70,
                "confinement",
                "the process could not be confined; tell the operator",
            ),
            Self::Internal => (70, "internal", "internal error; tell the operator"),
            Self::Audit => (
                74,
                "audit",
                "the audit log does not take records; tell the operator",
            ),
            Self::Output => (
                74,
                "output",
                "the signature could not be written; ask again",
            ),
            Self::Busy => (
                75,
                "busy",
                "too many sessions or the device is in use; try again later",
            ),
            Self::UserUnknown => (
                77,
                "user-unknown",
                "this account has no key; tell the operator",
            ),
            Self::Disabled => (
                77,
                "disabled",
                "signing is disabled for this account; ask the operator",
            ),
            Self::CallerUnknown => (
                77,
                "caller-unknown",
                "this account is not for your SSH key; tell the operator",
            ),
            Self::DigestUnlisted => (
                77,
                "digest-unlisted",
                "the artifact does not stand in this key's list; ask the operator",
            ),
            Self::IdentityMissing => (
                77,
                "identity-missing",
                "the SSH server did not say who is calling; tell the operator",
            ),
            Self::DeclarationRequired => (
                77,
                "declaration-required",
                "this key wants 'sign v1 size=N sha512=HEX' as the command",
            ),
            Self::Configuration => (
                78,
                "configuration",
                "the configuration cannot be used; tell the operator",
            ),
            Self::Certificate => (
                78,
                "certificate",
                "the certificate cannot be used; tell the operator",
            ),
            Self::Credential => (
                78,
                "credential",
                "the credential cannot be used; tell the operator",
            ),
        }
    }
}

/// A refusal and what an operator needs to know beyond it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", refusal.code())]
pub struct Failure {
    /// What the caller sees.
    pub refusal: Refusal,
    /// What goes into the audit record: no secret, and nothing that the caller sent.
    pub detail: String,
}

impl Failure {
    /// A refusal for the reason `detail`.
    pub fn new(refusal: Refusal, detail: impl fmt::Display) -> Self {
        Self {
            refusal,
            detail: detail.to_string(),
        }
    }
}

impl From<SignerError> for Failure {
    fn from(error: SignerError) -> Self {
        let refusal = match &error {
            SignerError::Unavailable(_) | SignerError::TryAgain(_) => Refusal::DeviceUnavailable,
            SignerError::Busy(_) => Refusal::Busy,
            SignerError::Credential(_) => Refusal::Credential,
            SignerError::Failed(_) => Refusal::DeviceFailed,
        };
        Self::new(refusal, error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            detail: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_every_sentence_is_one_short_line() {
        for (index, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert!(
                Refusal::ALL[..index]
                    .iter()
                    .all(|other| other.code() != refusal.code())
            );
            let sentence = refusal.sentence();
            assert!(sentence.is_ascii() && sentence.len() <= 80, "{sentence}");
            assert!(
                !sentence.contains('\n') && !sentence.ends_with('.'),
                "{sentence}"
            );
            assert!(refusal.code().len() <= crate::Field::Code.bytes_max());
        }
    }

    #[test]
    fn exit_statuses_are_those_of_sysexits() {
        for refusal in Refusal::ALL {
            assert!([64, 65, 69, 70, 74, 75, 77, 78].contains(&refusal.exit_status()));
        }
        assert!(Refusal::ALL.is_sorted_by_key(|refusal| refusal.exit_status()));
    }
}
