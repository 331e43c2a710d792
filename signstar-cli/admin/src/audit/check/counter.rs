//! Signature counters: what a device has signed beside what the records say.
//!
//! A device counts every signature of its key; a record of a release has its count. Whatever is
//! missing in between was signed and not released, or signed outside, or its records were removed.
//! An intent that no release followed may account for one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use signstar_core::{Field, Record, RequestId};

use super::finding::{Findings, Kind};
use crate::audit::entry::Place;

/// A key in a kind of device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Holder {
    pub(crate) fingerprint: String,
    pub(crate) back_end: String,
}

/// From where to where a request is in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A release.
#[derive(Debug)]
struct Signed {
    counter: u64,
    span: Span,
    place: Place,
    id: RequestId,
    wanted: bool,
}

/// All that is known of the signatures of one key.
#[derive(Debug, Default)]
struct Signatures {
    /// In the order of the log.
    released: Vec<Signed>,
    /// Requests that may have made a signature which was not released.
    lost: Vec<Span>,
}

/// What the counters of one key say.
#[derive(Debug, Serialize)]
pub(crate) struct Counted {
    #[serde(flatten)]
    pub(crate) holder: Holder,
    /// Of the device that was used last.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Signatures that requests without a release account for.
    pub(crate) accounted: u64,
    /// Signatures that nothing accounts for.
    pub(crate) unrecorded: u64,
    /// How many signatures made after the last one requests without a release can account for.
    pub(crate) pending: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters(BTreeMap<Holder, Signatures>);

impl Counters {
    /// Notes a release.
    pub(super) fn release(&mut self, record: &Record, span: Span, place: &Place, wanted: bool) {
        let counter = record
            .get(Field::Counter)
            .and_then(|text| text.parse().ok());
        let (Some(counter), Some(holder)) = (counter, holder(record)) else {
            return;
        };
        self.0.entry(holder).or_default().released.push(Signed {
            counter,
            span,
            place: place.clone(),
            id: record.id,
            wanted,
        });
    }

    /// Notes an intent that no release followed.
    pub(super) fn lost(&mut self, intent: &Record, span: Span) {
        if let Some(holder) = holder(intent) {
            self.0.entry(holder).or_default().lost.push(span);
        }
    }

    /// Says what is missing.
    pub(super) fn finish(self, findings: &mut Findings) -> Vec<Counted> {
        let keys = self.0.into_iter();
        keys.filter_map(|(holder, signatures)| signatures.finish(holder, findings))
            .collect()
    }
}

/// The key that a record is about.
pub(super) fn holder(record: &Record) -> Option<Holder> {
    Some(Holder {
        fingerprint: record.get(Field::Fingerprint)?.to_owned(),
        back_end: record.get(Field::BackEnd).unwrap_or_default().to_owned(),
    })
}

impl Signatures {
    fn finish(self, holder: Holder, findings: &mut Findings) -> Option<Counted> {
        // Since a device was replaced, if one was; in the order of their counts.
        let mut run: BTreeMap<u64, Signed> = BTreeMap::new();
        let mut lost: BTreeSet<(u64, u64)> = self
            .lost
            .iter()
            .map(|span| (span.end, span.start))
            .collect();
        let (mut accounted, mut unrecorded) = (0, 0);
        for signed in self.released {
            let highest = run.last_key_value().map(|(_, highest)| highest);
            let is_back = highest.is_some_and(|highest| {
                // What was under way at the same time may be recorded in another order.
                signed.counter <= highest.counter && signed.span.start > highest.span.end
                    || run.contains_key(&signed.counter)
            });
            if let (true, Some(highest)) = (is_back, highest) {
                if signed.wanted {
                    let text = format!(
                        "the device's counter was at {} before and is at {} now: another device, \
                         the key was put in again, or a record was changed",
                        highest.counter, signed.counter
                    );
                    let place = Some(signed.place.clone());
                    findings.add(Kind::CounterBack, place, Some(signed.id), text);
                }
                let (more, missing) = gaps(&run, &mut lost, findings);
                (accounted, unrecorded) = (accounted + more, unrecorded + missing);
                run.clear();
            }
            run.insert(signed.counter, signed);
        }
        let (more, missing) = gaps(&run, &mut lost, findings);
        let (first, (last, highest)) = (*run.first_key_value()?.0, run.last_key_value()?);
        let pending = lost.iter().filter(|(end, _)| *end > highest.span.start);
        Some(Counted {
            holder,
            first,
            last: *last,
            accounted: accounted + more,
            unrecorded: unrecorded + missing,
            pending: u64::try_from(pending.count()).unwrap_or(u64::MAX),
        })
    }
}

/// What is missing between the counts of `run`: how many `lost` requests account for, each once, and
/// how many nothing does.
fn gaps(
    run: &BTreeMap<u64, Signed>,
    lost: &mut BTreeSet<(u64, u64)>,
    findings: &mut Findings,
) -> (u64, u64) {
    let (mut accounted, mut unrecorded) = (0, 0);
    for (low, high) in run.values().zip(run.values().skip(1)) {
        let mut missing = high.counter.saturating_sub(low.counter).saturating_sub(1);
        // Those that ended first fit into the fewest gaps.
        while missing > 0 {
            let mut fitting = lost.range((low.span.start, 0)..);
            let Some(span) = fitting.find(|(_, start)| *start < high.span.end).copied() else {
                break;
            };
            lost.remove(&span);
            accounted += 1;
            missing -= 1;
        }
        unrecorded += missing;
        if missing > 0 && high.wanted {
            let text = format!(
                "the device's counter went from {} ({}) to {}: {missing} of these signatures are \
                 not in the records",
                low.counter, low.place, high.counter
            );
            findings.add(
                Kind::CounterGap,
                Some(high.place.clone()),
                Some(high.id),
                text,
            );
        }
    }
    (accounted, unrecorded)
}

#[cfg(test)]
#[path = "counter_tests.rs"]
mod tests;
