//! What the stages did: time, result, tests counted, and what could not be checked.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::failure::Result;

/// The record of one run.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    not_checked: Vec<String>,
    counts: Counts,
    ran: BTreeSet<String>,
}

/// How tests begin a line that says which back end, with which algorithm, has done what.
const RAN: &str = "ran: ";

struct Row {
    name: &'static str,
    took: Duration,
    /// Processor time of the programs that it started.
    processor: Duration,
    failure: Option<String>,
}

/// Sums of cargo's `test result:` lines.
#[derive(Default)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds the numbers of a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    pub(crate) fn add(&mut self, line: &str) {
        let Some(numbers) = line.strip_prefix("test result: ") else {
            return;
        };
        for part in numbers.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// How many were left out.
    pub(crate) fn ignored(&self) -> u64 {
        self.ignored
    }

    /// How many were run.
    pub(crate) fn ran(&self) -> u64 {
        self.passed + self.failed
    }
}

impl Report {
    /// Runs one stage and keeps what it took and how it ended.
    pub(crate) fn stage(&mut self, name: &'static str, run: impl FnOnce(&mut Self) -> Result<()>) {
        println!("\n==== {name}");
        let (start, used) = (Instant::now(), processor_time());
        let failure = run(self).err().map(|error| error.to_string());
        if let Some(failure) = &failure {
            println!("{name} failed: {failure}");
        }
        let processor = processor_time().saturating_sub(used);
        self.rows.push(Row {
            name,
            took: start.elapsed(),
            processor,
            failure,
        });
    }

    /// Keeps something that this machine did not let us check, to say so at the end.
    pub(crate) fn not_checked(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("NOT CHECKED: {what}");
        self.not_checked.push(what);
    }

    /// The tests counted so far.
    pub(crate) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Takes what is to be kept from a line that a test has printed.
    pub(crate) fn see(&mut self, line: &str) {
        self.counts.add(line);
        self.ran.extend(line.strip_prefix(RAN).map(str::to_owned));
    }

    /// The stages that failed.
    pub(crate) fn failed(&self) -> Vec<&'static str> {
        self.rows
            .iter()
            .filter(|row| row.failure.is_some())
            .map(|row| row.name)
            .collect()
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        let line = |name: &str, took: Duration, processor: Duration, result: &str| {
            let (took, processor) = (took.as_secs_f64(), processor.as_secs_f64());
            println!("{name:<12} {took:>8.1} {processor:>10.1}  {result}");
        };
        if !self.ran.is_empty() {
            println!("\nback end and algorithm, on what, and what was done:");
        }
        for what in &self.ran {
            println!("  {what}");
        }
        println!(
            "\n{:<12} {:>8} {:>10}  result",
            "stage", "seconds", "processor"
        );
        for row in &self.rows {
            line(
                row.name,
                row.took,
                row.processor,
                row.failure.as_deref().unwrap_or("ok"),
            );
        }
        let took = self.rows.iter().map(|row| row.took).sum();
        let processor = self.rows.iter().map(|row| row.processor).sum();
        line("total", took, processor, "");
        for what in &self.not_checked {
            println!("NOT CHECKED: {what}");
        }
        if self.counts.ran() > 0 {
            println!(
                "{} passed, {} failed",
                self.counts.passed, self.counts.failed
            );
        }
    }
}

/// What the programs that we started and waited for have used (proc(5): `cutime` and `cstime`,
/// in hundredths of a second).
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field, a name in parentheses, may hold spaces.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: u64 = fields
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

#[cfg(test)]
mod tests {
    use super::{Counts, Report};

    #[test]
    fn keeps_what_tests_say_they_ran_once() {
        let mut report = Report::default();
        for line in [
            "ran: tpm p256",
            "---- a test",
            "ran: pkcs11 p256",
            "ran: tpm p256",
        ] {
            report.see(line);
        }
        let kept: Vec<&str> = report.ran.iter().map(String::as_str).collect();
        assert_eq!(kept, ["pkcs11 p256", "tpm p256"]);
    }

    #[test]
    fn counts_what_cargo_prints() {
        let mut counts = Counts::default();
        counts.add("running 4 tests");
        counts.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; finished in 0.1s");
        counts.add("test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured");
        assert_eq!((counts.passed, counts.failed, counts.ignored), (13, 2, 1));
    }
}
