//! Why no key was made: a number, and our words for it.

use signstar_core::{MessageError, SignerError, WorkerFault};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What can go wrong in the worker, too.
    Worker(WorkerFault),
    /// The process could not become the account.
    Account,
    /// A key or another object on the token has the label.
    LabelTaken,
    /// A key or another object on the token has the identifier.
    IdTaken,
    /// The token has no mechanism that makes such keys.
    Mechanism,
    /// The token can only be read.
    WriteProtected,
    /// The token did not make the key.
    Make,
    /// The key could have left the token, or could do more than sign. It was removed.
    Unprotected,
    /// A part of what was made in vain could not be removed.
    Stays,
}

impl Fault {
    /// Those that are no worker's, in the order of their codes, which count from 1.
    pub const OWN: [Self; 8] = [
        Self::Account,
        Self::LabelTaken,
        Self::IdTaken,
        Self::Mechanism,
        Self::WriteProtected,
        Self::Make,
        Self::Unprotected,
        Self::Stays,
    ];

    pub(super) fn code(self) -> Result<u8, MessageError> {
        let position = Self::OWN.iter().position(|fault| *fault == self);
        let position = position.and_then(|index| u8::try_from(index + 1).ok());
        position.ok_or(MessageError::Body)
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        let index = usize::from(code).checked_sub(1)?;
        Self::OWN.get(index).copied()
    }

    /// What the operator is told.
    pub fn error(self) -> SignerError {
        let failed = |text: &str| SignerError::Failed(text.to_owned());
        match self {
            Self::Worker(fault) => fault.error(),
            Self::Account => {
                failed("the provisioner could not become the account: run this as root")
            }
            Self::LabelTaken => failed(
                "an object on the token has that label, and it stays: choose another object in `uri`",
            ),
            Self::IdTaken => failed(
                "an object on the token has that id, and it stays: choose another id in `uri`",
            ),
            Self::Mechanism => failed("the token makes no keys of this kind"),
            Self::WriteProtected => {
                SignerError::Unavailable("the token is write-protected".to_owned())
            }
            Self::Make => failed(
                "the token did not make the key: look at what the module may change (--module-write)",
            ),
            Self::Unprotected => failed(
                "the token makes keys that can leave it or do more than sign: the key was removed",
            ),
            Self::Stays => failed(
                "no key was made, and a part of it stays: remove it with the token's own tool",
            ),
        }
    }
}

impl From<WorkerFault> for Fault {
    fn from(fault: WorkerFault) -> Self {
        Self::Worker(fault)
    }
}
