//! Kinds of keys that a card can make.

use std::fmt;
use std::str::FromStr;

use openpgp_card::ocard::algorithm::AlgoSimple;

/// A kind of key that a card may be able to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ed25519: the one to take unless something speaks against it.
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
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ed25519,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
    ];

    /// Its name on a command line: that of the public key that it will have.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }

    /// Its name in the card library.
    pub(super) const fn simple(self) -> AlgoSimple {
        match self {
            Self::Ed25519 => AlgoSimple::Curve25519,
            Self::P256 => AlgoSimple::NIST256,
            Self::P384 => AlgoSimple::NIST384,
            Self::P521 => AlgoSimple::NIST521,
            Self::Rsa2048 => AlgoSimple::RSA2k,
            Self::Rsa3072 => AlgoSimple::RSA3k,
            Self::Rsa4096 => AlgoSimple::RSA4k,
        }
    }
}

/// The name is none of a [`Kind`]. Whoever wrote it must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Kind::ALL.map(Kind::name).join(", ");
        write!(f, "unknown kind of key (known: {known})")
    }
}

impl std::error::Error for UnknownKind {}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or(UnknownKind)
    }
}
