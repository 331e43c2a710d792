//! The clock of the machine, as records and log show it.
//!
//! Processes that run at the same time record in another order than they have looked at the clock:
//! by no more than their sink may make them wait.

use std::time::{Duration, SystemTime};

use signstar_core::Record;

use super::finding::{Findings, Kind};
use crate::audit::entry::{Entry, Uptime};
use crate::audit::words;

/// How long a sink may keep a process waiting: the most that a configuration can say.
const SINK_PATIENCE: Duration = Duration::from_secs(60);

/// What is no step yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    pub(crate) backwards: Duration,
    /// Without a clock beside it, a step forward looks like a pause.
    pub(crate) forwards: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Clock {
    tolerance: Tolerance,
    last: Option<(SystemTime, Option<Uptime>)>,
}

impl Clock {
    pub(super) fn new(tolerance: Tolerance) -> Self {
        Self {
            tolerance,
            last: None,
        }
    }

    /// Compares the time of `record` with that of the one before it.
    pub(super) fn take(&mut self, record: &Record, entry: &Entry, findings: &mut Findings) {
        if let Some(received) = entry.received {
            let late = apart(record.time, received);
            if late > SINK_PATIENCE.saturating_add(self.tolerance.backwards) {
                let text = format!(
                    "it says {}, and the log has noted it at {}",
                    words::moment(record.time),
                    words::moment(received)
                );
                findings.of(record, Kind::Received, &entry.place, text);
            }
        }
        if let Some((before, uptime)) = &self.last {
            let passed = uptime.as_ref().zip(entry.uptime.as_ref());
            let passed = passed.and_then(|(before, now)| now.since(before));
            let found = self.tolerance.step(*before, record.time, passed);
            if let Some(kind) = found {
                let what = match kind {
                    Kind::ClockBackwards => "back",
                    _ => "forward",
                };
                let text = format!(
                    "the clock was set {what}: from {} to {}",
                    words::moment(*before),
                    words::moment(record.time)
                );
                findings.of(record, kind, &entry.place, text);
            }
        }
        self.last = Some((record.time, entry.uptime.clone()));
    }
}

impl Tolerance {
    /// Whether the clock was set between two records; `passed` is what has passed by a clock that
    /// nobody sets.
    fn step(self, before: SystemTime, now: SystemTime, passed: Option<Duration>) -> Option<Kind> {
        let expected = before.checked_add(passed.unwrap_or(Duration::ZERO))?;
        let ahead = now.duration_since(expected).unwrap_or(Duration::ZERO);
        let behind = expected.duration_since(now).unwrap_or(Duration::ZERO);
        // What records say is taken before the sink takes them, what the log notes after it.
        let slack = match passed {
            Some(_) => SINK_PATIENCE,
            None => Duration::ZERO,
        };
        let forwards = match passed {
            Some(_) => Some(self.backwards),
            None => self.forwards,
        };
        if behind > self.backwards.saturating_add(slack) {
            return Some(Kind::ClockBackwards);
        }
        forwards
            .is_some_and(|most| ahead > most.saturating_add(slack))
            .then_some(Kind::ClockForwards)
    }
}

impl Uptime {
    /// What has passed since `earlier`, unless the machine was started in between.
    fn since(&self, earlier: &Self) -> Option<Duration> {
        let passed = self.microseconds.checked_sub(earlier.microseconds)?;
        (self.boot == earlier.boot).then(|| Duration::from_micros(passed))
    }
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other)
        .unwrap_or_else(|error| error.duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn step(from: u64, to: u64, passed: Option<u64>, forwards: Option<u64>) -> Option<Kind> {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let tolerance = Tolerance {
            backwards: 5 * SECOND,
            forwards: forwards.map(Duration::from_secs),
        };
        tolerance.step(at(from), at(to), passed.map(Duration::from_secs))
    }

    #[test]
    fn finds_steps_back_beyond_the_tolerance_and_forward_where_that_is_asked_for() {
        assert_eq!(step(1000, 995, None, None), None);
        assert_eq!(step(1000, 994, None, None), Some(Kind::ClockBackwards));
        assert_eq!(step(1000, 999_999, None, None), None);
        assert_eq!(step(1000, 1600, None, Some(600)), None);
        assert_eq!(step(1000, 1601, None, Some(600)), Some(Kind::ClockForwards));
    }

    #[test]
    fn a_second_clock_shows_steps_in_both_directions() {
        assert_eq!(step(1000, 10_000, Some(9000), None), None);
        assert_eq!(
            step(1000, 1010, Some(9000), None),
            Some(Kind::ClockBackwards)
        );
        assert_eq!(
            step(1000, 10_000, Some(10), None),
            Some(Kind::ClockForwards)
        );
        // A sink may have kept either waiting.
        assert_eq!(step(1000, 1065, Some(0), None), None);
        assert_eq!(step(1000, 1066, Some(0), None), Some(Kind::ClockForwards));
        assert_eq!(step(1000, 1000, Some(65), None), None);
        assert_eq!(step(1000, 1000, Some(66), None), Some(Kind::ClockBackwards));
    }
}
