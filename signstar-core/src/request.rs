//! The stream on its way in, and the request that it becomes.
//!
//! Absent: a look into the stream. Bytes are counted and hashed, nothing else; what the inspector
//! says of them comes from another process.

use crate::certificate::{KeyVersion, SigningKey};
use crate::digest::{Digest, HashAlgorithm};
use crate::digest_list::DigestList;
use crate::hasher::{HashState, HashStateError, Hasher};
use crate::policy::Policy;
use crate::refusal::{Failure, Refusal};
use crate::signature::{Notation, Profile};
use crate::verdict::Verdict;

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
        Some(Self {
            bytes,
            sha512: Digest::from_hex(HashAlgorithm::Sha512, digest)?,
        })
    }
}

/// A stream that is being read: counted, bounded, and hashed as often as needed.
pub struct Intake {
    /// The artifact itself, for the record and for a version 4 signature.
    artifact: Hasher,
    /// The artifact behind the salt of a version 6 signature.
    salted: Option<(Vec<u8>, Hasher)>,
    /// The artifact by other hashes than the signature's, for what it is compared with.
    others: Vec<Hasher>,
    declaration: Option<Declaration>,
    verdict: Option<Verdict>,
    /// Whether its first part came as a hash state.
    resumed: bool,
}

impl Intake {
    /// Prepares for a stream within `policy`. Of `random` a version 6 signature takes its salt.
    pub(crate) fn new(
        key: &SigningKey,
        profile: &Profile,
        policy: &Policy,
        declaration: Option<Declaration>,
        random: &[u8; 32],
    ) -> Self {
        let bytes_max = policy.input_bytes_max;
        let sha512 = declaration.is_some() || profile.notation == Notation::DataDigest;
        let wanted = [
            sha512.then_some(HashAlgorithm::Sha512),
            policy.input.list().map(DigestList::algorithm),
        ];
        let mut others: Vec<HashAlgorithm> = wanted.into_iter().flatten().collect();
        others.dedup();
        others.retain(|&hash| hash != profile.hash);
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
            others: others
                .into_iter()
                .map(|hash| Hasher::new(hash, bytes_max))
                .collect(),
            declaration,
            verdict: None,
            resumed: false,
        }
    }

    /// Goes on behind the bytes that `state` has taken, of which nothing else can be known.
    pub(crate) fn resume(
        key: &SigningKey,
        profile: &Profile,
        policy: &Policy,
        state: &HashState,
    ) -> Result<Self, Failure> {
        let mut intake = Self::new(key, profile, policy, None, &[0; 32]);
        let alone = intake.salted.is_none() && intake.others.is_empty();
        if !(policy.hash_states && alone && state.algorithm == profile.hash) {
            return Err(Failure::new(
                Refusal::Configuration,
                "hash states are not allowed, or not of this hash, version or notation",
            ));
        }
        intake.artifact = Hasher::resume(state, policy.input_bytes_max).map_err(|error| {
            let refusal = match error {
                HashStateError::TooLarge => Refusal::InputTooLarge,
                HashStateError::Length | HashStateError::Malformed => Refusal::InputUnreadable,
            };
            Failure::new(refusal, error)
        })?;
        intake.resumed = true;
        Ok(intake)
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
        for hasher in &mut self.others {
            hasher.update(chunk).map_err(too_large)?;
        }
        Ok(())
    }

    /// Notes what the inspector says of the stream, which has ended. A policy that asks for an
    /// inspected artifact refuses one of which nothing was said.
    pub fn note_verdict(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    /// The stream has ended.
    pub(crate) fn finish(self) -> Request {
        let digest = self.artifact.clone().finish();
        let others = self.others.into_iter().map(Hasher::finish).collect();
        let bytes = self.artifact.bytes();
        let (salt, document) = self.salted.unwrap_or((Vec::new(), self.artifact));
        Request {
            digest,
            others,
            bytes,
            salt,
            document,
            declaration: self.declaration,
            verdict: self.verdict,
            resumed: self.resumed,
        }
    }
}

/// A finished stream, waiting for approval.
pub(crate) struct Request {
    /// Digest of the artifact by the hash algorithm of the signature.
    pub(crate) digest: Digest,
    /// The same by the other hashes that were asked for.
    others: Vec<Digest>,
    /// Length of the artifact.
    pub(crate) bytes: u64,
    /// What is hashed before the artifact: empty for version 4.
    pub(crate) salt: Vec<u8>,
    /// The hash of salt and artifact, still open at its end.
    pub(crate) document: Hasher,
    /// What the caller said that the artifact is.
    pub(crate) declaration: Option<Declaration>,
    /// What the inspector said that it is.
    pub(crate) verdict: Option<Verdict>,
    /// Whether its first part came as a hash state.
    pub(crate) resumed: bool,
}

impl Request {
    /// The artifact's digest by `algorithm`, if that was asked for.
    pub(crate) fn digest_by(&self, algorithm: HashAlgorithm) -> Option<&Digest> {
        let mut all = std::iter::once(&self.digest).chain(&self.others);
        all.find(|digest| digest.algorithm() == algorithm)
    }
}
