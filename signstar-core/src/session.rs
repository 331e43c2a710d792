//! One session: one caller, one key, one artifact, from the stream to the released signature.
//!
//! Every step consumes the one before it and leaves its record before it has its effect.

use std::time::SystemTime;

use crate::audit::{Event, Field, Record, RequestId, Sink};
use crate::caller::Caller;
use crate::certificate::SigningKey;
use crate::digest::{Digest, HashAlgorithm};
use crate::hasher::Hasher;
use crate::policy::Policy;
use crate::refusal::{Failure, Refusal};
use crate::request::{Declaration, Intake, Request};
use crate::signature::{DetachedSignature, Notation, Profile, Unsigned};
use crate::signer::{Signer, SignerError};

/// Whom and what the records of a session are about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Names the request.
    pub id: RequestId,
    /// Who asks.
    pub caller: Caller,
    /// The key's name in the configuration.
    pub key_name: String,
    /// The back end that holds it.
    pub back_end: &'static str,
}

/// One session, ready to take a stream.
pub struct Session<'s> {
    /// Whom and what the records are about.
    pub subject: Subject,
    /// The key, valid and the same as the device's.
    pub key: &'s SigningKey,
    /// What the signature looks like.
    pub profile: Profile,
    /// What may be signed.
    pub policy: Policy,
    /// The device.
    pub signer: &'s mut dyn Signer,
    /// Where records go.
    pub sink: &'s mut dyn Sink,
    /// The time.
    pub clock: fn() -> SystemTime,
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
            self.record(Event::Intent, |record| {
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
            Err(failure) => Err(self.refuse_described(failure, Some((&digest, bytes)))),
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
            .map_err(device_failure)
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
            Err(failure) => Err(self.refuse_described(failure, Some((&digest, bytes)))),
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
        self.record(Event::Release, |record| {
            describe(record, &digest, bytes);
            record.set(Field::Verdict, "approved");
            record.set(Field::Signature, &packet);
            if let Some(counter) = counter {
                record.set(Field::Counter, counter);
            }
        })?;
        Ok(signature)
    }

    /// Records that no signature will be made because of `failure`, and returns what the caller
    /// is to be told: `failure`, or that not even this could be recorded.
    pub fn refuse(&mut self, failure: Failure) -> Failure {
        self.refuse_described(failure, None)
    }

    /// Records that a released signature could not be written to the caller.
    pub fn undelivered(&mut self, detail: &str) -> Failure {
        let failure = Failure::new(Refusal::Output, detail);
        let recorded = self.record(Event::Undelivered, |record| {
            record.set(Field::Code, failure.refusal.code());
            record.set(Field::Detail, detail);
        });
        recorded.err().unwrap_or(failure)
    }

    fn prepare(&self, request: Request) -> Result<Unsigned, Failure> {
        let now = (self.clock)();
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

    fn refuse_described(&mut self, failure: Failure, of: Option<(&Digest, u64)>) -> Failure {
        if failure.refusal == Refusal::Audit {
            return failure;
        }
        let recorded = self.record(Event::Refusal, |record| {
            if let Some((digest, bytes)) = of {
                describe(record, digest, bytes);
            }
            record.set(Field::Verdict, "refused");
            record.set(Field::Code, failure.refusal.code());
            if !failure.detail.is_empty() {
                record.set(Field::Detail, &failure.detail);
            }
        });
        recorded.err().unwrap_or(failure)
    }

    fn record(&mut self, event: Event, fill: impl FnOnce(&mut Record)) -> Result<(), Failure> {
        let mut record = Record::new(event, self.subject.id, (self.clock)());
        record.set_caller(&self.subject.caller);
        record.set(Field::Key, &self.subject.key_name);
        record.set(Field::Fingerprint, self.key.fingerprint());
        record.set(Field::Certificate, self.key.certificate_fingerprint());
        record.set(Field::BackEnd, self.subject.back_end);
        fill(&mut record);
        self.sink
            .accept(&record)
            .map_err(|error| Failure::new(Refusal::Audit, error))
    }
}

fn describe(record: &mut Record, digest: &Digest, bytes: u64) {
    record.set(Field::Input, digest);
    record.set(Field::Bytes, bytes);
}

fn device_failure(error: SignerError) -> Failure {
    let refusal = match error {
        SignerError::Unavailable(_) => Refusal::DeviceUnavailable,
        SignerError::Busy(_) => Refusal::Busy,
        SignerError::Credential(_) => Refusal::Credential,
        SignerError::Failed(_) => Refusal::DeviceFailed,
    };
    Failure::new(refusal, error)
}
