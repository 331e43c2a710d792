//! Making a detached OpenPGP signature from a digest that is still open at its end.
//!
//! The packet profile is the one that GnuPG, Sequoia, rPGP and every pacman accept: type 0x00,
//! creation time and issuer fingerprint hashed, issuer key id unhashed (version 4), every
//! subpacket under 192 bytes, nothing critical, numbers without leading zeros, and for version 4
//! the old packet header.
//!
//! Absent: any other signature type. The type is a constant, and nothing that a caller sent
//! stands in the hashed area, so no input can become a certification. The one exception is a
//! notation that the operator asks for: what an inspected artifact says it is, in escaped ASCII.

use std::time::SystemTime;

use sequoia_openpgp::crypto::mpi;
use sequoia_openpgp::packet::signature::subpacket::{
    NotationData, NotationDataFlags, Subpacket, SubpacketArea, SubpacketValue,
};
use sequoia_openpgp::packet::{Packet, Signature, signature::Signature4, signature::Signature6};
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::serialize::MarshalInto;
use sequoia_openpgp::types::{
    HashAlgorithm as PgpHash, PublicKeyAlgorithm, SignatureType, Timestamp,
};

use crate::audit_line::escape;
use crate::certificate::{KeyVersion, SigningKey, chain};
use crate::digest::{Digest, HashAlgorithm};
use crate::hasher::Hasher;
use crate::request::Request;
use crate::signer::{PublicKey, SignatureValue, bits, trim};
use crate::verdict::{Identity, Verdict};

/// A detached signature over a binary document (RFC 9580, section 5.2.1.1), and no other type.
const TYPE: u8 = 0x00;

/// Notation of the raw SHA-512 digest of the signed file, which Arch Linux' tools read.
const DATA_DIGEST_NOTATION: &str = "data-digest@archlinux.org";

/// The longest value of a notation that says what an artifact is: with it and a name of 50 bytes the
/// subpacket stays under 192 bytes, beyond which older libalpm reads a length wrongly.
const ARTIFACT_NOTATION_BYTES_MAX: usize = 128;

/// What signatures of a key look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The hash algorithm of the signature.
    pub hash: HashAlgorithm,
    /// What is hashed beside creation time and issuer.
    pub notation: Notation,
    /// The name of a notation that tells kind, name, version and architecture of an artifact that
    /// was inspected, as the artifact says them: at most 50 bytes of the form `name@domain`.
    pub artifact_notation: Option<String>,
}

/// A notation that a signature carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// None.
    None,
    /// `data-digest@archlinux.org`: the 64 raw bytes of the artifact's SHA-512.
    DataDigest,
}

impl Default for Profile {
    /// SHA-512 and no notation.
    fn default() -> Self {
        Self {
            hash: HashAlgorithm::Sha512,
            notation: Notation::None,
            artifact_notation: None,
        }
    }
}

impl Profile {
    /// Names and values of the notations for `request`.
    pub(crate) fn notations(&self, request: &Request) -> Vec<(&str, Vec<u8>)> {
        let digest = match self.notation {
            Notation::None => None,
            Notation::DataDigest => request
                .digest_by(HashAlgorithm::Sha512)
                .map(|digest| (DATA_DIGEST_NOTATION, digest.as_bytes().to_vec())),
        };
        let identity = request.verdict.as_ref().and_then(Verdict::identity);
        let artifact = self.artifact_notation.as_deref().zip(identity);
        let artifact = artifact.and_then(|(name, identity)| Some((name, told(identity)?)));
        digest.into_iter().chain(artifact).collect()
    }
}

/// Kind, name, version and architecture in one line of ASCII. What is too long is not told.
fn told(identity: &Identity) -> Option<Vec<u8>> {
    let mut line = identity.kind.name().to_owned();
    for text in [&identity.name, &identity.version, &identity.architecture] {
        if !text.is_empty() {
            line.push(' ');
            escape(text, &mut line);
        }
    }
    (line.len() <= ARTIFACT_NOTATION_BYTES_MAX).then(|| line.into_bytes())
}

/// Why no signature came of what the device answered. Recorded, never retried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The device's answer is of another kind than its key, or of an impossible length.
    #[error("the device answered with a signature of another kind or length")]
    WrongShape,
    /// The packet could not be put together.
    #[error("assembling the signature packet: {0}")]
    Assembly(String),
    /// The finished signature does not verify with the certificate's key.
    #[error("the finished signature does not verify: {0}")]
    Verification(String),
}

/// A finished detached signature: one binary OpenPGP packet that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachedSignature {
    bytes: Vec<u8>,
}

impl DetachedSignature {
    /// The packet.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The packet.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A signature packet that lacks only the signature: all that is hashed after the document.
pub(crate) struct Unsigned {
    version: KeyVersion,
    hash: HashAlgorithm,
    algorithm: PublicKeyAlgorithm,
    hashed: SubpacketArea,
    unhashed: SubpacketArea,
    salt: Vec<u8>,
    trailer: Vec<u8>,
    digest: Digest,
}

impl Unsigned {
    /// Finishes `document` (for version 6: the salt followed by the document) with the trailer of
    /// a signature by `key` made at `created`.
    ///
    /// # Errors
    /// [`SignatureError::Assembly`] if a time or length does not fit the format.
    pub(crate) fn new(
        key: &SigningKey,
        notations: Vec<(&str, Vec<u8>)>,
        created: SystemTime,
        salt: &[u8],
        document: Hasher,
    ) -> Result<Self, SignatureError> {
        let hash = document.algorithm();
        let algorithm = key.openpgp().pk_algo();
        let version = key.version();
        let hashed = hashed_area(key, notations, created)?;
        let unhashed = match version {
            KeyVersion::V4 => area(vec![SubpacketValue::Issuer(key.openpgp().keyid())])?,
            KeyVersion::V6 => area(Vec::new())?,
        };
        let trailer = trailer(version, algorithm.into(), hash, &to_vec(&hashed)?)?;
        let digest = document.finish_with(&trailer);
        Ok(Self {
            version,
            hash,
            algorithm,
            hashed,
            unhashed,
            salt: salt.to_vec(),
            trailer,
            digest,
        })
    }

    /// What the device signs.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Puts `value` in, and verifies the result as it will leave: parsed back from its bytes, it says
    /// what was hashed, and holds with the certificate's key over the digest of the stream.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub(crate) fn finish(
        self,
        value: &SignatureValue,
        key: &SigningKey,
    ) -> Result<DetachedSignature, SignatureError> {
        let mpis = mpis(value, key.public_key(), self.algorithm)?;
        let [first, second, ..] = *self.digest.as_bytes() else {
            return Err(SignatureError::WrongShape);
        };
        let (prefix, hash) = ([first, second], pgp_hash(self.hash));
        let (typ, algorithm) = (SignatureType::Binary, self.algorithm);
        let (hashed, unhashed, salt) = (self.hashed, self.unhashed, self.salt);
        let signature: Signature = match self.version {
            KeyVersion::V4 => {
                Signature4::new(typ, algorithm, hash, hashed, unhashed, prefix, mpis).into()
            }
            KeyVersion::V6 => {
                Signature6::new(typ, algorithm, hash, hashed, unhashed, prefix, salt, mpis)
                    .map_err(|error| unassembled(&error))?
                    .into()
            }
        };
        let body = to_vec(&signature)?;
        let mut bytes = header(self.version, body.len())?;
        bytes.extend_from_slice(&body);
        verify(&bytes, key, &self.trailer, &self.digest)?;
        Ok(DetachedSignature { bytes })
    }
}

fn hashed_area(
    key: &SigningKey,
    notations: Vec<(&str, Vec<u8>)>,
    created: SystemTime,
) -> Result<SubpacketArea, SignatureError> {
    let created = Timestamp::try_from(created).map_err(|error| unassembled(&error))?;
    let mut values = vec![
        SubpacketValue::SignatureCreationTime(created),
        SubpacketValue::IssuerFingerprint(key.openpgp().fingerprint()),
    ];
    values.extend(notations.into_iter().map(|(name, value)| {
        let flags = NotationDataFlags::empty();
        SubpacketValue::NotationData(NotationData::new(name, value, flags))
    }));
    area(values)
}

/// An area of these subpackets, none of them critical.
fn area(values: Vec<SubpacketValue>) -> Result<SubpacketArea, SignatureError> {
    values
        .into_iter()
        .map(|value| Subpacket::new(value, false))
        .collect::<Result<Vec<_>, _>>()
        .and_then(SubpacketArea::new)
        .map_err(|error| unassembled(&error))
}

/// What is hashed after the document (RFC 9580, section 5.2.4): the fields of the signature
/// packet up to its hashed area, then version, 0xff and the length of these fields.
fn trailer(
    version: KeyVersion,
    algorithm: u8,
    hash: HashAlgorithm,
    hashed: &[u8],
) -> Result<Vec<u8>, SignatureError> {
    let too_long = |_| SignatureError::Assembly("hashed area too long".to_owned());
    let version_octet = match version {
        KeyVersion::V4 => 4,
        KeyVersion::V6 => 6,
    };
    let mut fields = vec![version_octet, TYPE, algorithm, hash.openpgp_id()];
    let area = hashed.len();
    match version {
        KeyVersion::V4 => fields.extend(u16::try_from(area).map_err(too_long)?.to_be_bytes()),
        KeyVersion::V6 => fields.extend(u32::try_from(area).map_err(too_long)?.to_be_bytes()),
    }
    fields.extend_from_slice(hashed);
    let length = u32::try_from(fields.len()).map_err(too_long)?;
    fields.extend([version_octet, 0xff]);
    fields.extend(length.to_be_bytes());
    Ok(fields)
}

/// Packet header of a signature of `length` bytes. Older libalpm reads only the old format, which
/// RFC 9580 (section 4.2) keeps for version 4; version 6 gets the new one.
fn header(version: KeyVersion, length: usize) -> Result<Vec<u8>, SignatureError> {
    let too_long = |_| SignatureError::Assembly("packet too long".to_owned());
    let short = u8::try_from(length).ok();
    Ok(match (version, short) {
        (KeyVersion::V4, Some(length)) => vec![0x88, length],
        (KeyVersion::V4, None) => {
            let [high, low] = u16::try_from(length).map_err(too_long)?.to_be_bytes();
            vec![0x89, high, low]
        }
        (KeyVersion::V6, Some(length @ ..192)) => vec![0xc2, length],
        (KeyVersion::V6, _) => {
            let length = u32::try_from(length).map_err(too_long)?.to_be_bytes();
            [0xc2, 0xff].into_iter().chain(length).collect()
        }
    })
}

/// The device's numbers in OpenPGP's clothes: shapes checked, leading zeros gone.
fn mpis(
    value: &SignatureValue,
    key: &PublicKey,
    algorithm: PublicKeyAlgorithm,
) -> Result<mpi::Signature, SignatureError> {
    let number = |part: &[u8]| mpi::MPI::from(trim(part).to_vec());
    let fits = |part: &[u8], bytes: usize| (1..=bytes).contains(&trim(part).len());
    Ok(match (value, key) {
        (SignatureValue::Ed25519(s), PublicKey::Ed25519(_))
            if algorithm == PublicKeyAlgorithm::Ed25519 =>
        {
            mpi::Signature::Ed25519 { s: Box::new(*s) }
        }
        (SignatureValue::Ed25519(signature), PublicKey::Ed25519(_)) => {
            let (r, s) = signature.split_at(32);
            let (r, s) = (number(r), number(s));
            mpi::Signature::EdDSA { r, s }
        }
        (SignatureValue::Ecdsa { r, s }, PublicKey::Ecdsa { curve, .. })
            if [r, s].iter().all(|part| fits(part, curve.scalar_bytes())) =>
        {
            let (r, s) = (number(r), number(s));
            mpi::Signature::ECDSA { r, s }
        }
        (SignatureValue::Rsa(s), PublicKey::Rsa { n, .. }) if fits(s, bits(n).div_ceil(8)) => {
            mpi::Signature::RSA { s: number(s) }
        }
        (SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa }, PublicKey::MlDsa65Ed25519 { .. }) => {
            let (eddsa, mldsa) = (ed25519.clone(), ml_dsa.clone());
            mpi::Signature::MLDSA65_Ed25519 { eddsa, mldsa }
        }
        _ => return Err(SignatureError::WrongShape),
    })
}

fn verify(
    bytes: &[u8],
    key: &SigningKey,
    trailer: &[u8],
    digest: &Digest,
) -> Result<(), SignatureError> {
    let failed = |error: &_| SignatureError::Verification(chain(error));
    let other = |what: &str| Err(SignatureError::Verification(what.to_owned()));
    let Packet::Signature(signature) = Packet::from_bytes(bytes).map_err(|error| failed(&error))?
    else {
        return other("not a signature packet");
    };
    // Version, type 0x00, algorithms and hashed area: they open the body, and the trailer without its end.
    let fields = trailer.split_last_chunk::<6>().map(|(fields, _)| fields);
    if !fields.is_some_and(|fields| to_vec(&signature).is_ok_and(|body| body.starts_with(fields))) {
        return other("it does not say what was hashed");
    }
    signature
        .verify_digest(key.openpgp(), digest.as_bytes())
        .map_err(|error| failed(&error))
}

fn pgp_hash(hash: HashAlgorithm) -> PgpHash {
    match hash {
        HashAlgorithm::Sha256 => PgpHash::SHA256,
        HashAlgorithm::Sha384 => PgpHash::SHA384,
        HashAlgorithm::Sha512 => PgpHash::SHA512,
    }
}

/// An error of the library on the way to the packet.
fn unassembled(error: &sequoia_openpgp::anyhow::Error) -> SignatureError {
    SignatureError::Assembly(chain(error))
}

fn to_vec(object: &impl MarshalInto) -> Result<Vec<u8>, SignatureError> {
    object.to_vec().map_err(|error| unassembled(&error))
}

#[cfg(test)]
mod tests;
