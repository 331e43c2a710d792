//! One session: one caller, one key, one artifact, from the stream to the released signature.
//!
//! Every step consumes the one before it and leaves its record before it has its effect.

use crate::audit::{Event, Field, Record};
use crate::certificate::SigningKey;
use crate::digest::{Digest, HashAlgorithm};
use crate::hasher::{HashState, Hasher};
use crate::ledger::Ledger;
use crate::policy::Policy;
use crate::refusal::{Failure, Refusal};
use crate::request::{Declaration, Intake, Request};
use crate::signature::{DetachedSignature, Profile, Unsigned};
use crate::signer::{RawSignature, Signer, SignerError};
use crate::verdict::Verdict;

/// No key is on more devices than this (the back end `nethsm` takes no more).
const ATTEMPTS_MAX: u32 = 8;

/// One session, ready to take a stream.
pub struct Session<'s> {
    /// The key, valid and the same as the device's.
    pub key: &'s SigningKey,
    /// What the signature looks like.
    pub profile: Profile,
    /// What may be signed.
    pub policy: Policy,
    /// The device.
    pub signer: &'s mut dyn Signer,
    /// Where its records go, and its clock.
    pub ledger: Ledger<'s>,
}

/// A request that may be signed, once; its intent is recorded.
pub struct Approval {
    unsigned: Unsigned,
    artifact: Artifact,
}

/// A verified signature that is not released yet.
pub struct Signed {
    signature: DetachedSignature,
    artifact: Artifact,
    counter: Option<u64>,
}

/// What the records from the end of the upload on say of the artifact.
#[derive(Clone)]
struct Artifact {
    digest: Digest,
    bytes: u64,
    verdict: Option<Verdict>,
    resumed: bool,
}

impl Artifact {
    fn of(request: &Request) -> Self {
        Self {
            digest: request.digest.clone(),
            bytes: request.bytes,
            verdict: request.verdict.clone(),
            resumed: request.resumed,
        }
    }

    fn describe(&self, record: &mut Record) {
        record.set(Field::Input, &self.digest);
        record.set(Field::Bytes, self.bytes);
        if let Some(verdict) = &self.verdict {
            record.set_verdict(verdict);
        }
        if self.resumed {
            record.set(Field::Origin, "hash-state");
        }
    }
}

impl Session<'_> {
    /// Opens the intake of the stream. `random` must be fresh for every session.
    pub fn intake(&self, declaration: Option<Declaration>, random: &[u8; 32]) -> Intake {
        Intake::new(self.key, &self.profile, &self.policy, declaration, random)
    }

    /// Opens the intake behind the bytes that `state` has taken elsewhere. Of those only digest and length are
    /// known, and the length is what the state says: no declaration, inspection or list by another hash
    /// is possible, no version 6 signature, whose salt comes first, and no other hash than the profile's.
    ///
    /// # Errors
    /// The policy does not allow it, or wants what is not possible; or the state is malformed, or past the
    /// policy's bound. Nothing is recorded.
    pub fn resume(&self, state: &HashState) -> Result<Intake, Failure> {
        Intake::resume(self.key, &self.profile, &self.policy, state)
    }

    /// Judges the finished stream and records the intent to sign it.
    ///
    /// # Errors
    /// The stream is not what was declared, or not allowed, or the sink does not take the record.
    /// The refusal is recorded.
    pub fn approve(&mut self, intake: Intake) -> Result<Approval, Failure> {
        let request = intake.finish();
        let artifact = Artifact::of(&request);
        let outcome = self
            .policy
            .judge(&request)
            .and_then(|()| self.prepare(request));
        let outcome = outcome.and_then(|unsigned| {
            self.ledger.record(Event::Intent, |record| {
                artifact.describe(record);
                record.set(Field::Verdict, "approved");
            })?;
            Ok(unsigned)
        });
        match outcome {
            Ok(unsigned) => Ok(Approval { unsigned, artifact }),
            Err(failure) => Err(self
                .ledger
                .refuse_with(failure, |record| artifact.describe(record))),
        }
    }

    /// Records that a finished stream is refused because of `failure`, before any policy.
    pub fn refuse(&mut self, intake: Intake, failure: Failure) -> Failure {
        let artifact = Artifact::of(&intake.finish());
        self.ledger
            .refuse_with(failure, |record| artifact.describe(record))
    }

    /// Has the device sign what was approved, and verifies the finished packet.
    ///
    /// # Errors
    /// The device does not sign, or what it answers does not verify. The refusal is recorded.
    pub fn sign(&mut self, approval: Approval) -> Result<Signed, Failure> {
        let Approval { unsigned, artifact } = approval;
        let outcome = self.ask(&unsigned, &artifact).and_then(|raw| {
            let signature = unsigned
                .finish(&raw.value, self.key)
                .map_err(|error| Failure::new(Refusal::SelfCheck, error))?;
            Ok((signature, raw.counter))
        });
        match outcome {
            Ok((signature, counter)) => Ok(Signed {
                signature,
                artifact,
                counter,
            }),
            Err(failure) => Err(self
                .ledger
                .refuse_with(failure, |record| artifact.describe(record))),
        }
    }

    /// Asks the device, and where another one has the key, that one; each time but the first is recorded
    /// before.
    fn ask(&mut self, unsigned: &Unsigned, artifact: &Artifact) -> Result<RawSignature, Failure> {
        for _ in 1..ATTEMPTS_MAX {
            match self.signer.sign(unsigned.digest()) {
                Err(SignerError::TryAgain(detail)) => {
                    self.ledger.record(Event::Attempt, |record| {
                        artifact.describe(record);
                        record.set(Field::Detail, detail);
                    })?;
                }
                answer => return answer.map_err(Failure::from),
            }
        }
        self.signer.sign(unsigned.digest()).map_err(Failure::from)
    }

    /// Records the release and hands the signature out.
    ///
    /// # Errors
    /// The sink does not take the record; the signature is gone then.
    pub fn release(&mut self, signed: Signed) -> Result<DetachedSignature, Failure> {
        let Signed {
            signature,
            artifact,
            counter,
        } = signed;
        let packet = digest_of(&signature);
        self.ledger.record(Event::Release, |record| {
            artifact.describe(record);
            record.set(Field::Verdict, "approved");
            record.set(Field::Signature, &packet);
            if let Some(counter) = counter {
                record.set(Field::Counter, counter);
            }
        })?;
        Ok(signature)
    }

    /// Records that `signed` is not released because of `failure`, though the device has signed.
    pub fn withhold(&mut self, signed: Signed, failure: Failure) -> Failure {
        self.ledger.refuse_with(failure, |record| {
            signed.artifact.describe(record);
            if let Some(counter) = signed.counter {
                record.set(Field::Counter, counter);
            }
        })
    }

    /// Records that a released signature could not be written to the caller.
    pub fn undelivered(&mut self, signature: &DetachedSignature, detail: &str) -> Failure {
        let failure = Failure::new(Refusal::Output, detail);
        let packet = digest_of(signature);
        let recorded = self.ledger.record(Event::Undelivered, |record| {
            record.set(Field::Signature, &packet);
            record.set(Field::Code, failure.refusal.code());
            record.set(Field::Detail, detail);
        });
        recorded.err().unwrap_or(failure)
    }

    fn prepare(&self, request: Request) -> Result<Unsigned, Failure> {
        let now = (self.ledger.clock)();
        if !self.key.is_alive_at(now) {
            return Err(Failure::new(
                Refusal::Certificate,
                "the key is not valid any more",
            ));
        }
        if !self.key.allows(self.profile.hash) {
            return Err(Failure::new(
                Refusal::Configuration,
                "the hash is too weak for the key",
            ));
        }
        let notations = self.profile.notations(&request);
        Unsigned::new(self.key, notations, now, &request.salt, request.document)
            .map_err(|error| Failure::new(Refusal::Internal, error))
    }
}

/// By which records name a signature.
fn digest_of(signature: &DetachedSignature) -> Digest {
    let mut packet = Hasher::new(HashAlgorithm::Sha256, u64::MAX);
    // A packet of some hundred bytes cannot pass 2⁶⁴.
    let _ = packet.update(signature.as_bytes());
    packet.finish()
}
