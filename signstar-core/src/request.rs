//! The stream on its way in, and the request that it becomes.
//!
//! Absent: a look into the stream. Bytes are counted and hashed, nothing else.

use crate::certificate::{KeyVersion, SigningKey};
use crate::digest::{Digest, HashAlgorithm};
use crate::hasher::Hasher;
use crate::policy::Policy;
use crate::refusal::{Failure, Refusal};
use crate::signature::{Notation, Profile};

/// What a caller says about the stream before sending it. Only ever a check, never an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Length of the artifact in bytes.
    pub bytes: u64,
    /// Its SHA-512.
    pub sha512: Digest,
}

/// The command is not of the form `sign v1 size=N sha512=HEX`. The client must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not of the form 'sign v1 size=N sha512=HEX'")]
pub struct DeclarationError;

impl Declaration {
    /// Reads `sign v1 size=N sha512=HEX`: one space between words, N decimal without leading
    /// zeros and below 2⁶⁴, HEX 128 lower-case digits, nothing before or after.
    ///
    /// # Errors
    /// [`DeclarationError`] for everything else.
    pub fn parse(command: &[u8]) -> Result<Self, DeclarationError> {
        Self::read(command).ok_or(DeclarationError)
    }

    fn read(command: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(command).ok()?;
        let (size, digest) = text.strip_prefix("sign v1 size=")?.split_once(" sha512=")?;
        let bytes: u64 = size.parse().ok()?;
        // One spelling for every number: this also rules out `+1` and `01`.
        if bytes.to_string() != size {
            return None;
        }
        let lower_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() != 128 || !digest.as_bytes().iter().all(lower_hex) {
            return None;
        }
        let raw: Option<Vec<u8>> = digest
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        Some(Self {
            bytes,
            sha512: Digest::new(HashAlgorithm::Sha512, &raw?)?,
        })
    }
}

/// A stream that is being read: counted, bounded, and hashed as often as needed.
pub struct Intake {
    /// The artifact itself, for the record and for a version 4 signature.
    artifact: Hasher,
    /// The artifact behind the salt of a version 6 signature.
    salted: Option<(Vec<u8>, Hasher)>,
    /// SHA-512 where the signature has another hash but a declaration or notation wants it.
    sha512: Option<Hasher>,
    declaration: Option<Declaration>,
}

impl Intake {
    /// Prepares for a stream within `policy`. Of `random` a version 6 signature takes its salt.
    pub(crate) fn new(
        key: &SigningKey,
        profile: Profile,
        policy: &Policy,
        declaration: Option<Declaration>,
        random: &[u8; 32],
    ) -> Self {
        let bytes_max = policy.input_bytes_max;
        let wants_sha512 = declaration.is_some() || profile.notation == Notation::DataDigest;
        let salted = (key.version() == KeyVersion::V6).then(|| {
            let salt: Vec<u8> = random
                .iter()
                .copied()
                .take(profile.hash.v6_salt_bytes())
                .collect();
            let mut hasher = Hasher::new(profile.hash, u64::MAX);
            // The bound is the artifact's; the salt cannot pass 2⁶⁴.
            let _ = hasher.update(&salt);
            (salt, hasher)
        });
        Self {
            artifact: Hasher::new(profile.hash, bytes_max),
            salted,
            sha512: (wants_sha512 && profile.hash != HashAlgorithm::Sha512)
                .then(|| Hasher::new(HashAlgorithm::Sha512, bytes_max)),
            declaration,
        }
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// As soon as the stream is longer than allowed or declared.
    pub fn update(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let too_large = |error| Failure::new(Refusal::InputTooLarge, error);
        self.artifact.update(chunk).map_err(too_large)?;
        if self
            .declaration
            .as_ref()
            .is_some_and(|said| self.artifact.bytes() > said.bytes)
        {
            return Err(Refusal::SizeMismatch.into());
        }
        if let Some((_, hasher)) = &mut self.salted {
            hasher.update(chunk).map_err(too_large)?;
        }
        if let Some(hasher) = &mut self.sha512 {
            hasher.update(chunk).map_err(too_large)?;
        }
        Ok(())
    }

    /// The stream has ended.
    pub(crate) fn finish(self) -> Request {
        let digest = self.artifact.clone().finish();
        let sha512 = match self.sha512 {
            Some(hasher) => hasher.finish(),
            None => digest.clone(),
        };
        let bytes = self.artifact.bytes();
        let (salt, document) = self.salted.unwrap_or((Vec::new(), self.artifact));
        Request {
            digest,
            sha512,
            bytes,
            salt,
            document,
            declaration: self.declaration,
        }
    }
}

/// A finished stream, waiting for approval.
pub(crate) struct Request {
    /// Digest of the artifact by the hash algorithm of the signature.
    pub(crate) digest: Digest,
    /// SHA-512 of the artifact; equal to `digest` where nothing asked for it beside another hash.
    pub(crate) sha512: Digest,
    /// Length of the artifact.
    pub(crate) bytes: u64,
    /// What is hashed before the artifact: empty for version 4.
    pub(crate) salt: Vec<u8>,
    /// The hash of salt and artifact, still open at its end.
    pub(crate) document: Hasher,
    /// What the caller said that the artifact is.
    pub(crate) declaration: Option<Declaration>,
}
