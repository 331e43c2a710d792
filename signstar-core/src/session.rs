//! One session: one caller, one key, one artifact, from the stream to the released signature.
//!
//! Every step consumes the one before it and leaves its record before it has its effect.

use crate::audit::{Event, Field, Record};
use crate::certificate::SigningKey;
use crate::digest::{Digest, HashAlgorithm};
use crate::hasher::Hasher;
use crate::ledger::Ledger;
use crate::policy::Policy;
use crate::refusal::{Failure, Refusal};
use crate::request::{Declaration, Intake, Request};
use crate::signature::{DetachedSignature, Notation, Profile, Unsigned};
use crate::signer::Signer;

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
    digest: Digest,
    bytes: u64,
}

/// A verified signature that is not released yet.
pub struct Signed {
    signature: DetachedSignature,
    digest: Digest,
    bytes: u64,
    counter: Option<u64>,
}

impl Session<'_> {
    /// Opens the intake of the stream. `random` must be fresh for every session.
    pub fn intake(&self, declaration: Option<Declaration>, random: &[u8; 32]) -> Intake {
        Intake::new(self.key, self.profile, &self.policy, declaration, random)
    }

    /// Judges the finished stream and records the intent to sign it.
    ///
    /// # Errors
    /// The stream is not what was declared, or not allowed, or the sink does not take the record.
    /// The refusal is recorded.
    pub fn approve(&mut self, intake: Intake) -> Result<Approval, Failure> {
        let request = intake.finish();
        let (digest, bytes) = (request.digest.clone(), request.bytes);
        let outcome = self
            .policy
            .judge(&request)
            .and_then(|()| self.prepare(request));
        let outcome = outcome.and_then(|unsigned| {
            self.ledger.record(Event::Intent, |record| {
                describe(record, &digest, bytes);
                record.set(Field::Verdict, "approved");
            })?;
            Ok(unsigned)
        });
        match outcome {
            Ok(unsigned) => Ok(Approval {
                unsigned,
                digest,
                bytes,
            }),
            Err(failure) => Err(self
                .ledger
                .refuse_with(failure, |record| describe(record, &digest, bytes))),
        }
    }

    /// Has the device sign what was approved, and verifies the finished packet.
    ///
    /// # Errors
    /// The device does not sign, or what it answers does not verify. The refusal is recorded.
    pub fn sign(&mut self, approval: Approval) -> Result<Signed, Failure> {
        let Approval {
            unsigned,
            digest,
            bytes,
        } = approval;
        let outcome = self
            .signer
            .sign(unsigned.digest())
            .map_err(Failure::from)
            .and_then(|raw| {
                let signature = unsigned
                    .finish(&raw.value, self.key)
                    .map_err(|error| Failure::new(Refusal::SelfCheck, error))?;
                Ok((signature, raw.counter))
            });
        match outcome {
            Ok((signature, counter)) => Ok(Signed {
                signature,
                digest,
                bytes,
                counter,
            }),
            Err(failure) => Err(self
                .ledger
                .refuse_with(failure, |record| describe(record, &digest, bytes))),
        }
    }

    /// Records the release and hands the signature out.
    ///
    /// # Errors
    /// The sink does not take the record; the signature is gone then.
    pub fn release(&mut self, signed: Signed) -> Result<DetachedSignature, Failure> {
        let Signed {
            signature,
            digest,
            bytes,
            counter,
        } = signed;
        let mut packet = Hasher::new(HashAlgorithm::Sha256, u64::MAX);
        // A packet of some hundred bytes cannot pass 2⁶⁴.
        let _ = packet.update(signature.as_bytes());
        let packet = packet.finish();
        self.ledger.record(Event::Release, |record| {
            describe(record, &digest, bytes);
            record.set(Field::Verdict, "approved");
            record.set(Field::Signature, &packet);
            if let Some(counter) = counter {
                record.set(Field::Counter, counter);
            }
        })?;
        Ok(signature)
    }

    /// Records that a released signature could not be written to the caller.
    pub fn undelivered(&mut self, detail: &str) -> Failure {
        let failure = Failure::new(Refusal::Output, detail);
        let recorded = self.ledger.record(Event::Undelivered, |record| {
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
        let notation = match self.profile.notation {
            Notation::None => None,
            Notation::DataDigest => Some(&request.sha512),
        };
        Unsigned::new(self.key, notation, now, &request.salt, request.document)
            .map_err(|error| Failure::new(Refusal::Internal, error))
    }
}

fn describe(record: &mut Record, digest: &Digest, bytes: u64) {
    record.set(Field::Input, digest);
    record.set(Field::Bytes, bytes);
}
