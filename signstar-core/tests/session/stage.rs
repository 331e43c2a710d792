//! What a session plays on: a device and a sink that note what happens, in one list.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::SystemTime;

use signstar_core::{
    Declaration, DetachedSignature, Digest, Event, Failure, Field, HashState, Intake, Ledger,
    Policy, Profile, PublicKey, RawSignature, Record, RequestId, Session, Signer, SignerError,
    SigningKey, Sink, SinkError, Subject, Verdict,
};

use crate::keys::noon;

/// What has happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The sink has taken a record.
    Recorded(Event),
    /// The sink has refused a record.
    NotRecorded(Event),
    /// The device was asked to sign this.
    Asked(Digest),
}

/// The list that device and sink share, and the records that the sink has taken.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    pub(crate) steps: Rc<RefCell<Vec<Step>>>,
    pub(crate) records: Rc<RefCell<Vec<Record>>>,
}

impl Notes {
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.steps.borrow().clone()
    }

    /// How often the device was asked.
    pub(crate) fn asked(&self) -> usize {
        let steps = self.steps.borrow();
        steps
            .iter()
            .filter(|step| matches!(step, Step::Asked(_)))
            .count()
    }

    /// The events that were recorded.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.records
            .borrow()
            .iter()
            .map(|record| record.event)
            .collect()
    }

    /// A field of the last record.
    pub(crate) fn last(&self, field: Field) -> Option<String> {
        let records = self.records.borrow();
        records.last()?.get(field).map(str::to_owned)
    }

    fn add(&self, step: Step) {
        self.steps.borrow_mut().push(step);
    }
}

/// A sink that takes all records, or all but one of them.
pub(crate) struct NotingSink {
    pub(crate) notes: Notes,
    /// Which record is not taken, counted from 1; all later ones are not taken either.
    pub(crate) fails_from: Option<usize>,
}

impl Sink for NotingSink {
    fn accept(&mut self, record: &Record) -> Result<(), SinkError> {
        let number = 1 + self.notes.records.borrow().len();
        if self.fails_from.is_some_and(|first| number >= first) {
            self.notes.add(Step::NotRecorded(record.event));
            return Err(SinkError {
                sink: "test",
                reason: "full".to_owned(),
            });
        }
        self.notes.add(Step::Recorded(record.event));
        self.notes.records.borrow_mut().push(record.clone());
        Ok(())
    }
}

type Answer<'a> = Box<dyn FnMut(&Digest) -> Result<RawSignature, SignerError> + 'a>;

/// A device that answers whatever the test wants.
pub(crate) struct NotingSigner<'a> {
    pub(crate) notes: Notes,
    pub(crate) public: PublicKey,
    pub(crate) answer: Answer<'a>,
}

impl Signer for NotingSigner<'_> {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.notes.add(Step::Asked(digest.clone()));
        (self.answer)(digest)
    }
}

/// One request.
pub(crate) struct Play<'p> {
    pub(crate) key: &'p SigningKey,
    pub(crate) profile: Profile,
    pub(crate) policy: Policy,
    pub(crate) declaration: Option<Declaration>,
    pub(crate) verdict: Option<Verdict>,
    /// What the stream goes on from.
    pub(crate) state: Option<HashState>,
    pub(crate) clock: fn() -> SystemTime,
    pub(crate) fails_from: Option<usize>,
    pub(crate) salt: [u8; 32],
}

impl<'p> Play<'p> {
    /// A request at noon, with the default profile and a sink that takes everything.
    pub(crate) fn with(key: &'p SigningKey) -> Self {
        Self {
            key,
            profile: Profile::default(),
            policy: Policy::default(),
            declaration: None,
            verdict: None,
            state: None,
            clock: noon,
            fails_from: None,
            salt: [7; 32],
        }
    }

    /// Signs the chunks of an artifact from intake to release.
    pub(crate) fn run<'c>(
        &self,
        answer: impl FnMut(&Digest) -> Result<RawSignature, SignerError>,
        chunks: impl IntoIterator<Item = &'c [u8]>,
    ) -> (Result<DetachedSignature, Failure>, Notes) {
        self.session(answer, |session, mut intake| {
            if let Some(state) = &self.state {
                intake = session.resume(state)?;
            }
            for chunk in chunks {
                intake.update(chunk)?;
            }
            if let Some(verdict) = self.verdict.clone() {
                intake.note_verdict(verdict);
            }
            let approval = session.approve(intake)?;
            let signed = session.sign(approval)?;
            session.release(signed)
        })
    }

    /// Refuses an artifact that has come to its end.
    pub(crate) fn refuse(&self, artifact: &[u8], failure: Failure) -> (Failure, Notes) {
        let silent = |_: &Digest| panic!("nobody is to be asked");
        self.session(silent, |session, mut intake| {
            intake.update(artifact).unwrap();
            session.refuse(intake, failure)
        })
    }

    /// Throws the signature of an artifact away.
    pub(crate) fn withhold(
        &self,
        answer: impl FnMut(&Digest) -> Result<RawSignature, SignerError>,
        artifact: &[u8],
        failure: Failure,
    ) -> (Failure, Notes) {
        self.session(answer, |session, mut intake| {
            intake.update(artifact).unwrap();
            let approval = session.approve(intake).unwrap();
            let signed = session.sign(approval).unwrap();
            session.withhold(signed, failure)
        })
    }

    /// One session, and what happened in it.
    fn session<O>(
        &self,
        answer: impl FnMut(&Digest) -> Result<RawSignature, SignerError>,
        play: impl FnOnce(&mut Session<'_>, Intake) -> O,
    ) -> (O, Notes) {
        let notes = Notes::default();
        let mut signer = NotingSigner {
            notes: notes.clone(),
            public: self.key.public_key().clone(),
            answer: Box::new(answer),
        };
        let mut sink = NotingSink {
            notes: notes.clone(),
            fails_from: self.fails_from,
        };
        let mut subject = Subject::new(RequestId::from_bytes([1; 16]));
        subject.set_signing_key(self.key);
        let mut session = Session {
            key: self.key,
            profile: self.profile.clone(),
            policy: self.policy.clone(),
            signer: &mut signer,
            ledger: Ledger {
                subject,
                sink: &mut sink,
                clock: self.clock,
            },
        };
        let intake = session.intake(self.declaration.clone(), &self.salt);
        let outcome = play(&mut session, intake);
        drop(session);
        (outcome, notes)
    }
}
