//! Accounts, kinds of keys, orders, and what is to be seen of tokens.

use signstar_core::{MessageError, PublicKey};

use super::Fault;
use crate::Uri;

/// Who uses the token, so that what the module writes belongs to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Number of the account.
    pub user: u32,
    /// Number of its own group.
    pub group: u32,
    /// Numbers of all groups that it is in.
    pub groups: Vec<u32>,
}

/// A kind of key on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// ML-DSA-65, which is half of a key.
    MlDsa65,
}

impl Kind {
    /// All of them, in the order of their numbers, which count from 1.
    pub const ALL: [Self; 8] = [
        Self::Ed25519,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::MlDsa65,
    ];

    /// Its name, for people: that of the public key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::MlDsa65 => "mldsa65",
        }
    }

    pub(super) fn code(self) -> u8 {
        let position = Self::ALL.iter().position(|kind| *kind == self);
        let position = position.and_then(|index| u8::try_from(index + 1).ok());
        position.unwrap_or(0)
    }

    pub(super) fn from_code(code: u8) -> Result<Self, MessageError> {
        let index = usize::from(code).checked_sub(1);
        let kind = index.and_then(|index| Self::ALL.get(index));
        kind.copied().ok_or(MessageError::Body)
    }
}

/// A key pair to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its kind.
    pub kind: Kind,
    /// Its CKA_LABEL.
    pub label: String,
    /// Its CKA_ID.
    pub id: Vec<u8>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Say which tokens there are.
    List,
    /// Make a key pair, or the two of a composite key: ML-DSA-65 first, then Ed25519.
    Make(NewKey, Option<NewKey>),
    /// Keep a key that exists already, whose numbers come after the PIN.
    Import(NewKey),
}

/// What to do, as whom: the second message, after that of the worker which names the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// As whom; nobody else than whoever asks, if it is not said.
    pub account: Option<Account>,
    /// What.
    pub order: Order,
}

/// How a token's PIN is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinState {
    /// Nothing is known against it.
    Fine,
    /// It was wrong at least once.
    CountLow,
    /// It may be wrong once more.
    FinalTry,
    /// It is locked.
    Locked,
    /// It is not set, or must be changed first.
    Unusable,
    /// It is entered at a keypad of the token.
    Pad,
}

impl PinState {
    /// All of them, in the order of their numbers, which count from 1.
    pub const ALL: [Self; 6] = [
        Self::Fine,
        Self::CountLow,
        Self::FinalTry,
        Self::Locked,
        Self::Unusable,
        Self::Pad,
    ];

    /// A word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::CountLow => "was wrong",
            Self::FinalTry => "one try left",
            Self::Locked => "locked",
            Self::Unusable => "not set",
            Self::Pad => "at a keypad",
        }
    }
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSeen {
    /// Label, serial number, manufacturer and model; no key.
    pub uri: Uri,
    /// How its PIN is.
    pub pin: PinState,
}

/// A key on a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySeen {
    /// Its CKA_LABEL, if it has one that is text.
    pub label: Option<String>,
    /// Its CKA_ID, if it has one.
    pub id: Option<Vec<u8>>,
    /// Its kind, if it is one that can sign here.
    pub kind: Option<Kind>,
}

/// What the process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A token; one that is to get a key waits for its PIN.
    Token(TokenSeen),
    /// A key on the token that was named last.
    Key(KeySeen),
    /// That is all of them.
    End,
    /// The key was made, and this is its public half.
    Made(PublicKey),
    /// It was not done. The process has ended.
    Fault(Fault),
}
