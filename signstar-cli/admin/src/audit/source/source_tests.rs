use std::time::{Duration, SystemTime};

use super::*;
use crate::audit::check::Checker;
use crate::audit::filter::Filter;

#[path = "../../../../../signstar-backends/testkit/src/smoke.rs"]
mod smoke;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/seeds/logs");

#[test]
fn whatever_a_log_is_it_is_read_to_its_end_and_judged() {
    smoke::run(SEEDS, 3000, |log| {
        let mut checker = Checker::plain(Filter::default());
        let mut entries = 0;
        let mut source = Source {
            name: Rc::from("log"),
            number: 0,
            take: &mut |entry| {
                entries += 1;
                checker.take(entry);
            },
        };
        source.read(&mut &log[..]).unwrap();
        // No line is more than one record, or two defects.
        let lines = log.iter().filter(|byte| **byte == b'\n').count() + 1;
        assert!(entries <= 2 * lines, "{entries} entries in {lines} lines");
        checker.finish(SystemTime::UNIX_EPOCH, Duration::ZERO);
    });
}
