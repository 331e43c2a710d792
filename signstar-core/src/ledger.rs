//! Writing records about one request.
//!
//! What is known about the request grows while it is being judged; every record carries what is
//! known at its moment.

use std::time::SystemTime;

use crate::audit::{Event, Field, Record, RequestId, Sink};
use crate::caller::Caller;
use crate::certificate::SigningKey;
use crate::refusal::{Failure, Refusal};

/// Whom and what the records of a request are about, as far as it is known.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Names the request.
    pub id: RequestId,
    /// Who asks.
    pub caller: Option<Caller>,
    /// The key's name in the configuration.
    pub key_name: Option<String>,
    /// OpenPGP fingerprint of the key that signs.
    pub fingerprint: Option<String>,
    /// OpenPGP fingerprint of its certificate.
    pub certificate: Option<String>,
    /// The back end that holds the key.
    pub back_end: Option<&'static str>,
}

impl Subject {
    /// A request of which nothing is known yet.
    pub fn new(id: RequestId) -> Self {
        Self {
            id,
            caller: None,
            key_name: None,
            fingerprint: None,
            certificate: None,
            back_end: None,
        }
    }

    /// Notes which key of the certificate signs.
    pub fn set_signing_key(&mut self, key: &SigningKey) {
        self.fingerprint = Some(key.fingerprint());
        self.certificate = Some(key.certificate_fingerprint().to_owned());
    }
}

/// The records of one request, on their way to the sink.
pub struct Ledger<'l> {
    /// What the records are about.
    pub subject: Subject,
    /// Where they go.
    pub sink: &'l mut dyn Sink,
    /// The time.
    pub clock: fn() -> SystemTime,
}

impl Ledger<'_> {
    /// Records `event`, with the fields that `fill` adds.
    ///
    /// # Errors
    /// [`Refusal::Audit`] if the sink does not take the record.
    pub fn record(&mut self, event: Event, fill: impl FnOnce(&mut Record)) -> Result<(), Failure> {
        let mut record = Record::new(event, self.subject.id, (self.clock)());
        if let Some(caller) = &self.subject.caller {
            record.set_caller(caller);
        }
        let subject = &self.subject;
        for (field, value) in [
            (Field::Key, subject.key_name.as_deref()),
            (Field::Fingerprint, subject.fingerprint.as_deref()),
            (Field::Certificate, subject.certificate.as_deref()),
            (Field::BackEnd, subject.back_end),
        ] {
            if let Some(value) = value {
                record.set(field, value);
            }
        }
        fill(&mut record);
        self.sink
            .accept(&record)
            .map_err(|error| Failure::new(Refusal::Audit, error))
    }

    /// Records that no signature will be made because of `failure`, and returns what the caller
    /// is to be told: `failure`, or that not even this could be recorded.
    pub fn refuse(&mut self, failure: Failure) -> Failure {
        self.refuse_with(failure, |_| ())
    }

    /// [`Ledger::refuse`], with the fields that `fill` adds.
    pub(crate) fn refuse_with(
        &mut self,
        failure: Failure,
        fill: impl FnOnce(&mut Record),
    ) -> Failure {
        if failure.refusal == Refusal::Audit {
            return failure;
        }
        let recorded = self.record(Event::Refusal, |record| {
            fill(record);
            record.set(Field::Verdict, "refused");
            record.set(Field::Code, failure.refusal.code());
            if !failure.detail.is_empty() {
                record.set(Field::Detail, &failure.detail);
            }
        });
        recorded.err().unwrap_or(failure)
    }
}
