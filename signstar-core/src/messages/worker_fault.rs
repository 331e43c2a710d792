//! Why the worker has no key or no signature: a number, and our words for it.

use crate::signer::SignerError;

/// What went wrong in the worker. Who must act stands in the words of [`WorkerFault::error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerFault {
    /// A frame was no message, or came out of turn.
    Message,
    /// Confining the process failed.
    Confinement,
    /// A path that the module is granted cannot be opened.
    Grant,
    /// The module cannot be found or read.
    ModuleMissing,
    /// Others than root can change the module or its folder.
    ModuleChangeable,
    /// The module is none, or cannot be loaded.
    ModuleLoad,
    /// The module does not initialise.
    ModuleInitialize,
    /// The URI cannot be read.
    Uri,
    /// No token matches the URI.
    TokenMissing,
    /// Several tokens match the URI.
    TokenAmbiguous,
    /// The token has gone.
    TokenGone,
    /// The token is used by too many at a time.
    TokenBusy,
    /// No key matches the URI.
    KeyMissing,
    /// Several keys match the URI.
    KeyAmbiguous,
    /// The key is none that can sign here.
    KeyKind,
    /// The token refused the PIN.
    PinWrong,
    /// The token's PIN is locked.
    PinLocked,
    /// One wrong PIN would lock the token.
    PinFinalTry,
    /// The PIN is not set, has expired or must be changed first.
    PinUnusable,
    /// The token wants the PIN at a keypad of its own.
    PinPad,
    /// The token did not sign.
    Sign,
    /// What the module gave has not the shape that it must have.
    Shape,
    /// Something else the module refused.
    Module,
    /// The key is an ML-DSA key, and no Ed25519 half is named.
    HalfMissing,
    /// The two keys are not ML-DSA-65 and Ed25519.
    HalfKind,
    /// Memory for the PIN cannot be locked.
    Memory,
}

impl WorkerFault {
    /// All of them, in the order of their codes, which count from 1.
    pub const ALL: [Self; 26] = [
        Self::Message,
        Self::Confinement,
        Self::Grant,
        Self::ModuleMissing,
        Self::ModuleChangeable,
        Self::ModuleLoad,
        Self::ModuleInitialize,
        Self::Uri,
        Self::TokenMissing,
        Self::TokenAmbiguous,
        Self::TokenGone,
        Self::TokenBusy,
        Self::KeyMissing,
        Self::KeyAmbiguous,
        Self::KeyKind,
        Self::PinWrong,
        Self::PinLocked,
        Self::PinFinalTry,
        Self::PinUnusable,
        Self::PinPad,
        Self::Sign,
        Self::Shape,
        Self::Module,
        Self::HalfMissing,
        Self::HalfKind,
        Self::Memory,
    ];

    pub(super) fn code(self) -> u8 {
        let position = Self::ALL.iter().position(|fault| *fault == self);
        position
            .and_then(|index| u8::try_from(index + 1).ok())
            .unwrap_or(0)
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        let index = usize::from(code).checked_sub(1)?;
        Self::ALL.get(index).copied()
    }

    /// What the operator is told.
    pub fn error(self) -> SignerError {
        let unavailable = |text: &str| SignerError::Unavailable(text.to_owned());
        let credential = |text: &str| SignerError::Credential(text.to_owned());
        let failed = |text: &str| SignerError::Failed(text.to_owned());
        match self {
            Self::Message => {
                failed("the worker does not understand: install shell and worker of one release")
            }
            Self::Confinement => {
                failed("the worker could not be confined: see signstar-admin sandbox selftest")
            }
            Self::Grant => unavailable("a path of `read` or `write` cannot be opened"),
            Self::ModuleMissing => {
                unavailable("there is no module at its path: install it or mend `module`")
            }
            Self::ModuleChangeable => failed(
                "the module and its folders must belong to root and be writable by root only",
            ),
            Self::ModuleLoad => failed(
                "the module cannot be loaded: it must be a PKCS#11 library that finds its own libraries",
            ),
            Self::ModuleInitialize => unavailable(
                "the module does not initialise: look at `environment`, `read` and `write`",
            ),
            Self::Uri => failed("`uri` names no token and key"),
            Self::TokenMissing => unavailable("no token matches `uri`"),
            Self::TokenAmbiguous => failed("several tokens match `uri`: add the serial number"),
            Self::TokenGone => unavailable("the token has gone"),
            Self::TokenBusy => SignerError::Busy("the token takes no more sessions".to_owned()),
            Self::KeyMissing => failed("no key pair on the token matches `uri`"),
            Self::KeyAmbiguous => failed("several keys match `uri`: add the id"),
            Self::KeyKind => failed("the key is none that signs here: see the README"),
            Self::PinWrong => credential("the token refused the PIN, which is not tried again"),
            Self::PinLocked => credential("the token's PIN is locked: unlock it with its SO PIN"),
            Self::PinFinalTry => credential(
                "one try is left, so the PIN was not sent: log in with the token's own tool",
            ),
            Self::PinUnusable => {
                credential("the token's PIN is not set, has expired or must be changed")
            }
            Self::PinPad => credential("the token wants its PIN at a keypad, where nobody is"),
            Self::Sign => failed("the token did not sign"),
            Self::Shape => failed("the module's answer has not the shape that it must have"),
            Self::Module => failed("the module refused"),
            Self::HalfMissing => {
                failed("an ML-DSA key signs beside an Ed25519 key only: add `uri-ed25519`")
            }
            Self::HalfKind => {
                failed("`uri` must name an ML-DSA-65 key, and `uri-ed25519` an Ed25519 key")
            }
            Self::Memory => failed(
                "memory for the PIN cannot be locked: raise the limit (LimitMEMLOCK) to 16 MiB",
            ),
        }
    }
}
