//! Kinds of keys that a card can make.

use openpgp_card::ocard::algorithm::AlgoSimple;
use signstar_core::KeyKind;

/// The kinds of keys that a card may be able to make.
pub const KINDS: [KeyKind; 7] = KeyKind::NAMED;

/// What the card library calls a kind, if cards have it.
pub(super) const fn simple(kind: KeyKind) -> Option<AlgoSimple> {
    Some(match kind {
        KeyKind::Ed25519 => AlgoSimple::Curve25519,
        KeyKind::P256 => AlgoSimple::NIST256,
        KeyKind::P384 => AlgoSimple::NIST384,
        KeyKind::P521 => AlgoSimple::NIST521,
        KeyKind::Rsa(2048) => AlgoSimple::RSA2k,
        KeyKind::Rsa(3072) => AlgoSimple::RSA3k,
        KeyKind::Rsa(4096) => AlgoSimple::RSA4k,
        KeyKind::Rsa(_) | KeyKind::MlDsa65 | KeyKind::MlDsa65Ed25519 => return None,
    })
}
