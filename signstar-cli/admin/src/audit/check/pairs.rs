//! Requests: which events belong together, and whether they can be all.
//!
//! A request leaves one refusal, or an intent followed by a release or a refusal; an undelivered may
//! follow the release.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime};

use signstar_core::{Event, Record, RequestId};

use super::counter::{Counters, Span};
use super::finding::{Findings, Kind};
use super::shape::{SUBJECT, disagreement};
use crate::audit::entry::Place;

/// What is known of a request.
#[derive(Debug)]
enum Request {
    /// It may be under way.
    Intended {
        intent: Box<Record>,
        place: Place,
        position: u64,
    },
    Released {
        /// Of what all of its records say.
        subject: u64,
        undelivered: bool,
    },
    Refused,
    /// An outcome that needs an intent, or a release, before it.
    Early {
        record: Box<Record>,
        place: Place,
    },
    /// What was early has got what it needs; that is noted.
    Settled,
}

#[derive(Debug, Default)]
pub(super) struct Pairs(HashMap<RequestId, Request>);

/// How many requests ended how.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(crate) struct Ends {
    pub(crate) released: usize,
    pub(crate) refused: usize,
    /// Intents that are too young to miss an outcome.
    pub(crate) running: usize,
    /// Intents without an outcome.
    pub(crate) unmatched: usize,
}

/// What stands at a place of the log.
pub(super) struct Next<'e> {
    pub(super) record: Record,
    pub(super) place: &'e Place,
    pub(super) position: u64,
}

impl Pairs {
    /// Takes the next record.
    pub(super) fn take(
        &mut self,
        next: Next<'_>,
        counters: &mut Counters,
        findings: &mut Findings,
    ) {
        let Next {
            record,
            place,
            position,
        } = next;
        let id = record.id;
        let known = self.0.remove(&id);
        let now = match (record.event, known) {
            (Event::Intent, None) => Request::Intended {
                intent: Box::new(record),
                place: place.clone(),
                position,
            },
            (Event::Intent, Some(Request::Early { record: early, .. })) => {
                let text = format!(
                    "the {} of this request stands before it",
                    early.event.name()
                );
                findings.of(&record, Kind::Order, place, text);
                Request::Settled
            }
            (Event::Attempt, Some(request @ Request::Intended { .. })) => {
                agree(&request, &record, place, findings);
                request
            }
            (Event::Release | Event::Refusal, Some(request @ Request::Intended { .. })) => {
                agree(&request, &record, place, findings);
                end(request, &record, place, position, counters, findings)
            }
            (Event::Refusal, None) => Request::Refused,
            (
                Event::Undelivered,
                Some(Request::Released {
                    subject,
                    undelivered: false,
                }),
            ) => {
                if subject != hash(&record) {
                    let text = "it and the release of this request say different things of it";
                    findings.of(&record, Kind::Disagreement, place, text.to_owned());
                }
                Request::Released {
                    subject,
                    undelivered: true,
                }
            }
            (event, None) => {
                if event == Event::Release {
                    let span = Span {
                        start: position,
                        end: position,
                    };
                    counters.release(&record, span, place, findings.wants(&record));
                }
                Request::Early {
                    record: Box::new(record),
                    place: place.clone(),
                }
            }
            (event, Some(request)) => {
                let text = format!(
                    "{} of a request that has one already",
                    named(event, &request)
                );
                findings.of(&record, Kind::Duplicate, place, text);
                request
            }
        };
        self.0.insert(id, now);
    }

    /// Says what is missing at the end of the log; `running` is how old an intent must be at `now`
    /// to miss an outcome.
    pub(super) fn finish(
        self,
        now: SystemTime,
        running: Duration,
        counters: &mut Counters,
        findings: &mut Findings,
    ) -> Ends {
        let mut ends = Ends::default();
        for request in self.0.into_values() {
            match request {
                Request::Released { .. } => ends.released += 1,
                Request::Refused => ends.refused += 1,
                Request::Settled => {}
                Request::Intended {
                    intent,
                    place,
                    position,
                } => {
                    let span = Span {
                        start: position,
                        end: u64::MAX,
                    };
                    counters.lost(&intent, span);
                    let age = now.duration_since(intent.time).unwrap_or(Duration::ZERO);
                    if age < running {
                        ends.running += 1;
                        continue;
                    }
                    ends.unmatched += 1;
                    let text = "an intent without an outcome: the process was ended, or its \
                                outcome was removed";
                    findings.of(&intent, Kind::IntentWithoutOutcome, &place, text.to_owned());
                }
                Request::Early { record, place } => {
                    let needed = match record.event {
                        Event::Undelivered => "release",
                        _ => "intent",
                    };
                    let event = record.event.name();
                    let text = format!("this request's {event} has no {needed} before it");
                    findings.of(&record, Kind::OutcomeWithoutIntent, &place, text);
                    if record.event == Event::Release {
                        ends.released += 1;
                    }
                }
            }
        }
        ends
    }
}

/// Compares an outcome, or an attempt, with its intent.
fn agree(request: &Request, record: &Record, place: &Place, findings: &mut Findings) {
    let Request::Intended {
        intent,
        place: earlier,
        ..
    } = request
    else {
        return;
    };
    if let Some(field) = disagreement(intent, record) {
        let text = format!(
            "it and the intent of this request ({earlier}) have another {}: one of them was changed",
            field.name()
        );
        findings.of(record, Kind::Disagreement, place, text);
    }
    if record.time < intent.time {
        let text = format!("it says an earlier time than the intent of this request ({earlier})");
        findings.of(record, Kind::ClockBackwards, place, text);
    }
}

/// Ends a request that was intended.
fn end(
    request: Request,
    record: &Record,
    place: &Place,
    position: u64,
    counters: &mut Counters,
    findings: &Findings,
) -> Request {
    let Request::Intended {
        intent,
        position: start,
        ..
    } = request
    else {
        return request;
    };
    let span = Span {
        start,
        end: position,
    };
    match record.event {
        Event::Release => {
            counters.release(record, span, place, findings.wants(record));
            Request::Released {
                subject: hash(record),
                undelivered: false,
            }
        }
        _ => {
            // Nobody says whether the device has signed before something failed.
            counters.lost(&intent, span);
            Request::Refused
        }
    }
}

/// Of what all records of a request say, so that the whole of them need not be kept.
fn hash(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    SUBJECT.map(|field| record.get(field)).hash(&mut hasher);
    hasher.finish()
}

fn named(event: Event, request: &Request) -> String {
    let had = match request {
        Request::Intended { .. } => "an intent",
        Request::Released { .. } => "a release",
        Request::Refused => "a refusal",
        Request::Early { .. } | Request::Settled => "an outcome",
    };
    format!(
        "the id was used before, by {had}: this is one more {},",
        event.name()
    )
}
