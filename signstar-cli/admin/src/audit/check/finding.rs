//! What is wrong with a log.

use std::collections::BTreeMap;

use serde::Serialize;
use signstar_core::{Record, RequestId};

use crate::audit::entry::Place;
use crate::audit::filter::Filter;

/// More of them are counted, but not told.
const TOLD_MAX: usize = 10_000;

/// Kinds of findings. Their names are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A line or an entry that should be a record is none.
    Damaged,
    /// A record lacks what every such record has, or has it in another form.
    Incomplete,
    /// Two records of a request say different things of it.
    Disagreement,
    /// The process ended between an intent and its outcome, or the outcome was removed.
    IntentWithoutOutcome,
    /// The record before it was removed.
    OutcomeWithoutIntent,
    /// The id of a request, or an event of it, is there again.
    Duplicate,
    /// The same record is there again, where no server has carried it.
    Repeated,
    /// An outcome stands before its intent.
    Order,
    /// The clock was set back.
    ClockBackwards,
    /// The clock was set forward.
    ClockForwards,
    /// The log has noted a record at another time than it says.
    Received,
    /// Signatures are not in the records.
    CounterGap,
    /// A counter has not advanced.
    CounterBack,
    /// The device has made more signatures than the records say.
    DeviceAhead,
    /// The device has made fewer signatures than the records say.
    DeviceBehind,
    /// The device cannot be asked.
    Device,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "request")]
    pub(crate) id: Option<String>,
    pub(crate) text: String,
}

/// What has been found, as far as it is asked for.
#[derive(Debug)]
pub(crate) struct Findings {
    filter: Filter,
    told: Vec<Finding>,
    counts: BTreeMap<Kind, usize>,
}

impl Findings {
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            told: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Whether what is found of `record` is asked for.
    pub(crate) fn wants(&self, record: &Record) -> bool {
        self.filter.takes(record)
    }

    /// Notes what is wrong with `record`, if that is asked for.
    pub(crate) fn of(&mut self, record: &Record, kind: Kind, place: &Place, text: String) {
        if self.wants(record) {
            self.add(kind, Some(place.clone()), Some(record.id), text);
        }
    }

    /// Notes what nobody can say whom it is about, or what was asked for before.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        place: Option<Place>,
        id: Option<RequestId>,
        text: String,
    ) {
        *self.counts.entry(kind).or_default() += 1;
        if self.told.len() < TOLD_MAX {
            self.told.push(Finding {
                kind,
                place,
                id: id.map(|id| id.to_string()),
                text,
            });
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.counts.values().sum()
    }

    /// How many of each kind.
    pub(crate) fn counts(&self) -> &BTreeMap<Kind, usize> {
        &self.counts
    }

    /// In the order of their places; what has none comes last.
    pub(crate) fn into_told(self) -> Vec<Finding> {
        let mut told = self.told;
        let order = |finding: &Finding| {
            let place = finding.place.as_ref();
            (
                place.is_none(),
                place.map(|place| (place.source.clone(), place.number)),
            )
        };
        told.sort_by_cached_key(order);
        told
    }
}

impl Finding {
    /// For people: one line.
    pub(crate) fn line(&self) -> String {
        let place = self.place.as_ref();
        let place = place.map_or(String::new(), |place| format!("{place}: "));
        let id = self.id.as_ref();
        let id = id.map_or(String::new(), |id| format!(" (request {id})"));
        format!("{place}{}{id}\n", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../../docs/audit.md");

    const ALL: [Kind; 16] = [
        Kind::Damaged,
        Kind::Incomplete,
        Kind::Disagreement,
        Kind::IntentWithoutOutcome,
        Kind::OutcomeWithoutIntent,
        Kind::Duplicate,
        Kind::Repeated,
        Kind::Order,
        Kind::ClockBackwards,
        Kind::ClockForwards,
        Kind::Received,
        Kind::CounterGap,
        Kind::CounterBack,
        Kind::DeviceAhead,
        Kind::DeviceBehind,
        Kind::Device,
    ];

    #[test]
    fn every_kind_is_documented_in_its_order() {
        let (_, section) = PAGE.split_once("\n| kind | what it says |\n").unwrap();
        let rows = section
            .lines()
            .skip(1)
            .map_while(|line| line.strip_prefix("| `"));
        let documented: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
        let names = ALL.map(|kind| serde_json::to_value(kind).unwrap());
        assert_eq!(
            documented,
            names.map(|name| name.as_str().unwrap().to_owned())
        );
        assert!(ALL.is_sorted());
    }
}
