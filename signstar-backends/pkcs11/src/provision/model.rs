//! Accounts, kinds of keys, orders, and what is to be seen of tokens.

use signstar_core::{KeyKind, PublicKey};

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

/// The kinds of keys on tokens, in the order of their numbers, which count from 1.
pub const KINDS: [KeyKind; 8] = [
    KeyKind::Ed25519,
    KeyKind::P256,
    KeyKind::P384,
    KeyKind::P521,
    KeyKind::Rsa(2048),
    KeyKind::Rsa(3072),
    KeyKind::Rsa(4096),
    KeyKind::MlDsa65,
];

/// A key pair to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its kind, one of [`KINDS`].
    pub kind: KeyKind,
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
    pub kind: Option<KeyKind>,
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
