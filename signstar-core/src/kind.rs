//! Kinds of keys, and what people call them.

use std::fmt;
use std::str::FromStr;

use crate::signer::Curve;

/// Algorithm and size of a key. Which of them there are, each back end says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on the curve.
    Ecdsa(Curve),
    /// RSA, with the number of bits.
    Rsa(usize),
    /// ML-DSA-65 alone, which is half of a key.
    MlDsa65,
    /// ML-DSA-65 and Ed25519 side by side.
    MlDsa65Ed25519,
}

impl KeyKind {
    /// ECDSA on P-256.
    pub const P256: Self = Self::Ecdsa(Curve::P256);
    /// ECDSA on P-384.
    pub const P384: Self = Self::Ecdsa(Curve::P384);
    /// ECDSA on P-521.
    pub const P521: Self = Self::Ecdsa(Curve::P521);

    /// Those that can be asked for by name; first the one to take unless something speaks against it.
    pub const NAMED: [Self; 7] = [
        Self::Ed25519,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa(2048),
        Self::Rsa(3072),
        Self::Rsa(4096),
    ];
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
            Self::Rsa(bits) => return write!(f, "rsa{bits}"),
            Self::MlDsa65 => "mldsa65",
            Self::MlDsa65Ed25519 => "mldsa65-ed25519",
        })
    }
}

/// The name is none of [`KeyKind::NAMED`]. Whoever wrote it must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of key (known: {})", KeyKind::NAMED.map(|kind| kind.to_string()).join(", "))]
pub struct UnknownKind;

impl FromStr for KeyKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let mut named = Self::NAMED.into_iter();
        named
            .find(|kind| kind.to_string() == name)
            .ok_or(UnknownKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_called_by_its_name_and_nothing_else() {
        let names = "ed25519 p256 p384 p521 rsa2048 rsa3072 rsa4096";
        assert_eq!(KeyKind::NAMED.map(|kind| kind.to_string()).join(" "), names);
        for kind in KeyKind::NAMED {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!(KeyKind::Rsa(2047).to_string(), "rsa2047");
        assert_eq!(KeyKind::MlDsa65.to_string(), "mldsa65");
        assert_eq!(KeyKind::MlDsa65Ed25519.to_string(), "mldsa65-ed25519");
        for name in [
            "",
            "P256",
            "ed25519 ",
            "rsa1024",
            "mldsa65",
            "mldsa65-ed25519",
        ] {
            assert_eq!(name.parse::<KeyKind>(), Err(UnknownKind));
        }
        let said =
            "unknown kind of key (known: ed25519, p256, p384, p521, rsa2048, rsa3072, rsa4096)";
        assert_eq!(UnknownKind.to_string(), said);
    }
}
