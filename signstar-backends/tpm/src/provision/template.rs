//! What keys are like that are made here: they cannot leave the TPM, and they do one thing.

use signstar_core::KeyKind;
use tss_esapi::Error;
use tss_esapi::attributes::{ObjectAttributes, ObjectAttributesBuilder};
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::key_bits::RsaKeyBits;
use tss_esapi::structures::{
    Digest, EccPoint, EccScheme, KeyDerivationFunctionScheme, Public, PublicBuilder,
    PublicEccParameters, PublicKeyRsa, PublicRsaParameters, RsaExponent, RsaScheme,
    SymmetricDefinitionObject,
};
use zeroize::Zeroizing;

use crate::settings::Registers;

/// The kinds of signing keys. A TPM may not have all of them.
pub const KINDS: [KeyKind; 6] = [
    KeyKind::P256,
    KeyKind::P384,
    KeyKind::P521,
    KeyKind::Rsa(2048),
    KeyKind::Rsa(3072),
    KeyKind::Rsa(4096),
];

/// Whether wrong auth values of a key count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guessing {
    /// They do, and after some the TPM takes none at all for a while: for values that people can
    /// remember.
    Counted,
    /// They do not: for values of 16 random bytes and more, which then nobody can lock out.
    Uncounted,
}

/// A signing key to be made.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its kind, one of [`KINDS`].
    pub kind: KeyKind,
    /// Its auth value, 1 to 32 bytes.
    pub auth: Option<Zeroizing<Vec<u8>>>,
    /// Registers whose present values it wants to see whenever it signs.
    pub registers: Option<Registers>,
    /// Whether wrong auth values count.
    pub guessing: Guessing,
}

fn fixed() -> ObjectAttributesBuilder {
    ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
}

/// A storage key on P-256.
pub(super) fn storage_key() -> Result<Public, Error> {
    let attributes = fixed()
        .with_user_with_auth(true)
        .with_no_da(true)
        .with_restricted(true)
        .with_decrypt(true)
        .build()?;
    let symmetric = SymmetricDefinitionObject::AES_128_CFB;
    ecc(attributes, symmetric, EccCurve::NistP256, Digest::default())
}

/// A signing key, if it is of one of [`KINDS`]. It has no scheme of its own, so that it signs with every hash.
pub(super) fn signing_key(template: &Template, policy: Digest) -> Result<Option<Public>, Error> {
    let attributes = fixed()
        .with_user_with_auth(template.registers.is_none())
        .with_no_da(template.guessing == Guessing::Uncounted)
        .with_sign_encrypt(true)
        .build()?;
    let none = SymmetricDefinitionObject::Null;
    Ok(Some(match template.kind {
        KeyKind::P256 => ecc(attributes, none, EccCurve::NistP256, policy)?,
        KeyKind::P384 => ecc(attributes, none, EccCurve::NistP384, policy)?,
        KeyKind::P521 => ecc(attributes, none, EccCurve::NistP521, policy)?,
        KeyKind::Rsa(2048) => rsa(attributes, RsaKeyBits::Rsa2048, policy)?,
        KeyKind::Rsa(3072) => rsa(attributes, RsaKeyBits::Rsa3072, policy)?,
        KeyKind::Rsa(4096) => rsa(attributes, RsaKeyBits::Rsa4096, policy)?,
        _ => return Ok(None),
    }))
}

fn ecc(
    attributes: ObjectAttributes,
    symmetric: SymmetricDefinitionObject,
    curve: EccCurve,
    policy: Digest,
) -> Result<Public, Error> {
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_auth_policy(policy)
        .with_ecc_parameters(PublicEccParameters::new(
            symmetric,
            EccScheme::Null,
            curve,
            KeyDerivationFunctionScheme::Null,
        ))
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
}

fn rsa(attributes: ObjectAttributes, bits: RsaKeyBits, policy: Digest) -> Result<Public, Error> {
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Rsa)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_auth_policy(policy)
        .with_rsa_parameters(PublicRsaParameters::new(
            SymmetricDefinitionObject::Null,
            RsaScheme::Null,
            bits,
            RsaExponent::default(),
        ))
        .with_rsa_unique_identifier(PublicKeyRsa::default())
        .build()
}
