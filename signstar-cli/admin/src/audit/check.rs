//! `audit check`: whether the records can be all, and as they were written.

mod clock;
mod counter;
mod device;
mod finding;
mod pairs;
mod shape;

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use signstar_core::Record;

pub(crate) use counter::{Counted, Holder};
pub(crate) use finding::Kind;
pub(crate) use pairs::Ends;

use super::entry::{Carried, Entry};
use super::filter::Filter;
use super::words;
use super::{chosen, read};
use crate::cli::CheckAudit;
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;
use clock::{Clock, Tolerance};
use counter::Counters;
use finding::{Finding, Findings};
use pairs::{Next, Pairs};

/// A log that is being checked, record by record.
pub(crate) struct Checker {
    pairs: Pairs,
    counters: Counters,
    clock: Clock,
    findings: Findings,
    /// Of every record, as a number that no two share but by an accident that does not happen.
    seen: HashSet<u64>,
    records: u64,
    repeated: u64,
}

/// What a whole log says.
pub(crate) struct Checked {
    pub(crate) records: u64,
    /// How many of them are the same as one before.
    pub(crate) repeated: u64,
    pub(crate) ends: Ends,
    pub(crate) counted: Vec<Counted>,
    findings: Findings,
}

impl Checker {
    pub(crate) fn new(tolerance: Duration, forwards: Option<Duration>, filter: Filter) -> Self {
        Self {
            pairs: Pairs::default(),
            counters: Counters::default(),
            clock: Clock::new(Tolerance {
                backwards: tolerance,
                forwards,
            }),
            findings: Findings::new(filter),
            seen: HashSet::new(),
            records: 0,
            repeated: 0,
        }
    }

    /// With the tolerance that `audit check` has by default.
    pub(crate) fn plain(filter: Filter) -> Self {
        Self::new(Duration::from_secs(5), None, filter)
    }

    /// Takes what stands next in the log.
    pub(crate) fn take(&mut self, entry: Entry) {
        self.records += 1;
        let record = match &entry.found {
            Ok(record) => record,
            Err(defect) => {
                let place = Some(entry.place);
                self.findings
                    .add(Kind::Damaged, place, None, defect.to_string());
                return;
            }
        };
        if !self.seen.insert(hash(record)) {
            self.repeated += 1;
            if entry.carried == Carried::Once {
                let text = "the same record again: was a log given twice?";
                self.findings
                    .of(record, Kind::Repeated, &entry.place, text.to_owned());
            }
            return;
        }
        if let Some(field) = shape::wrong(record) {
            let text = format!(
                "its {} is missing, or has another form than records have",
                field.name()
            );
            self.findings
                .of(record, Kind::Incomplete, &entry.place, text);
        }
        self.clock.take(record, &entry, &mut self.findings);
        let Entry { place, found, .. } = entry;
        let Ok(record) = found else { return };
        let next = Next {
            record,
            place: &place,
            position: self.records,
        };
        self.pairs
            .take(next, &mut self.counters, &mut self.findings);
    }

    /// Says what is missing; an intent that is younger than `running` at `now` may be under way.
    pub(crate) fn finish(mut self, now: SystemTime, running: Duration) -> Checked {
        let ends = self
            .pairs
            .finish(now, running, &mut self.counters, &mut self.findings);
        Checked {
            records: self.records,
            repeated: self.repeated,
            ends,
            counted: self.counters.finish(&mut self.findings),
            findings: self.findings,
        }
    }
}

impl Checked {
    /// How many problems of these kinds there are; of all, if none is named.
    pub(crate) fn count(&self, kinds: &[Kind]) -> usize {
        let counts = self.findings.counts().iter();
        counts
            .filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind))
            .map(|(_, count)| count)
            .sum()
    }
}

fn hash(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    (record.event.name(), record.id, record.time).hash(&mut hasher);
    for (field, value) in record.fields() {
        (field.name(), value).hash(&mut hasher);
    }
    hasher.finish()
}

#[derive(Serialize)]
struct Told {
    records: u64,
    repeated: u64,
    requests: Ends,
    counters: Vec<Counted>,
    devices: Vec<device::Compared>,
    /// How many of each kind.
    counts: BTreeMap<Kind, usize>,
    findings: Vec<Finding>,
}

/// Checks logs.
pub(crate) fn check(config: &Path, options: &CheckAudit) -> Result<Report, Failure> {
    let now = SystemTime::now();
    let filter = Filter::new(&options.which, now)?;
    let logs = chosen(&options.logs, config)?;
    let [tolerance, running] = [&options.tolerance, &options.running].map(|given| **given);
    let forwards = options.forwards.as_deref().copied();
    let devices = match options.device {
        true => Some(Settings::load(config)?),
        false => None,
    };
    // Before the log: what is signed meanwhile is in the log, and not missing in it.
    let seen = devices.as_ref().map(device::look);
    let mut checker = Checker::new(tolerance, forwards, filter);
    for log in &logs {
        read(log, &mut |entry| checker.take(entry))?;
    }
    let mut checked = checker.finish(now, running);
    let devices = seen.unwrap_or_default();
    let devices = device::compare(devices, &checked.counted, &mut checked.findings);
    let unreachable = checked.findings.counts().contains_key(&Kind::Device);
    let count = checked.findings.count();
    let finding = match count {
        0 => None,
        _ if unreachable && checked.findings.counts().len() == 1 => Some(Status::Unavailable),
        _ => Some(Status::Data),
    };
    let told = Told {
        records: checked.records,
        repeated: checked.repeated,
        requests: checked.ends,
        counters: checked.counted,
        devices,
        counts: checked.findings.counts().clone(),
        findings: checked.findings.into_told(),
    };
    Ok(Report::new(told.text(count), &told)?.ending_with(finding))
}

impl Told {
    fn text(&self, count: usize) -> String {
        let mut text: String = self.findings.iter().map(Finding::line).collect();
        let left_out = count.saturating_sub(self.findings.len());
        if left_out > 0 {
            text += &format!("and {left_out} more, which are not listed\n");
        }
        for counted in &self.counters {
            let Holder {
                fingerprint,
                back_end,
            } = &counted.holder;
            text += &format!(
                "{} {}: counter from {} to {}, {} accounted for by requests without a release, \
                 {} unrecorded\n",
                words::plain(back_end),
                words::plain(fingerprint),
                counted.first,
                counted.last,
                counted.accounted,
                counted.unrecorded
            );
        }
        text.extend(self.devices.iter().map(device::Compared::line));
        let Ends {
            released,
            refused,
            running,
            unmatched,
        } = self.requests;
        let repeated = match self.repeated {
            0 => String::new(),
            count => format!(", {count} of them again"),
        };
        text += &format!(
            "{} records{repeated}: {released} released, {refused} refused, {running} under way, {unmatched} \
             without an outcome\n",
            self.records
        );
        text + &match count {
            0 => "no problem\n".to_owned(),
            _ => format!("{}\n", words::count(count, "problem", "problems")),
        }
    }
}
