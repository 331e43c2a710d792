use std::rc::Rc;
use std::time::SystemTime;

use signstar_core::Event;

use super::*;
use crate::audit::filter::Filter;

/// What is found in a log of releases (counter, first and last line) and of requests without one.
fn found(releases: &[(u64, u64, u64)], lost: &[(u64, u64)]) -> (Vec<Kind>, Counted) {
    let mut counters = Counters::default();
    let record = |counter: u64| {
        let id = RequestId::from_bytes([0; 16]);
        let mut record = Record::new(Event::Release, id, SystemTime::UNIX_EPOCH);
        record.set(Field::Fingerprint, "AB");
        record.set(Field::BackEnd, "smartcard");
        record.set(Field::Counter, counter);
        record
    };
    for &(counter, start, end) in releases {
        let place = Place {
            source: Rc::from("log"),
            number: end,
        };
        counters.release(&record(counter), Span { start, end }, &place, true);
    }
    for &(start, end) in lost {
        counters.lost(&record(0), Span { start, end });
    }
    let mut findings = Findings::new(Filter::default());
    let mut counted = counters.finish(&mut findings);
    let kinds = findings.into_told().into_iter().map(|finding| finding.kind);
    (kinds.collect(), counted.pop().unwrap())
}

fn missing(releases: &[(u64, u64, u64)], lost: &[(u64, u64)]) -> (u64, u64) {
    let (kinds, counted) = found(releases, lost);
    assert_eq!(kinds.len() == 1, counted.unrecorded > 0, "{kinds:?}");
    assert!(kinds.iter().all(|kind| *kind == Kind::CounterGap));
    (counted.accounted, counted.unrecorded)
}

#[test]
fn consecutive_counts_are_complete() {
    assert_eq!(missing(&[(7, 1, 2), (8, 3, 4), (9, 5, 6)], &[]), (0, 0));
}

#[test]
fn a_gap_is_found_and_a_request_without_release_accounts_for_one() {
    let releases = [(7, 1, 2), (10, 7, 8)];
    assert_eq!(missing(&releases, &[]), (0, 2));
    assert_eq!(missing(&releases, &[(3, 4)]), (1, 1));
    assert_eq!(missing(&releases, &[(3, 4), (5, u64::MAX)]), (2, 0));
    // What ended before the one, or began after the other, does not.
    assert_eq!(missing(&[(7, 5, 6), (9, 7, 8)], &[(1, 2), (9, 10)]), (0, 1));
}

#[test]
fn a_lost_request_accounts_for_one_gap_only() {
    let releases = [(1, 1, 2), (3, 5, 6), (5, 9, 10)];
    assert_eq!(missing(&releases, &[(3, u64::MAX)]), (1, 1));
    assert_eq!(missing(&releases, &[(3, u64::MAX), (4, 7)]), (2, 0));
}

#[test]
fn what_runs_at_the_same_time_may_be_recorded_in_another_order() {
    // 8 was signed first; its record came second.
    assert_eq!(
        missing(&[(7, 1, 2), (9, 4, 5), (8, 3, 6), (10, 7, 8)], &[]),
        (0, 0)
    );
}

#[test]
fn a_counter_that_goes_back_or_stays_is_another_device() {
    let (kinds, counted) = found(&[(7, 1, 2), (8, 3, 4), (3, 5, 6), (4, 7, 8)], &[]);
    assert_eq!(kinds, [Kind::CounterBack]);
    assert_eq!((counted.first, counted.last, counted.unrecorded), (3, 4, 0));
    let (kinds, _) = found(&[(7, 1, 2), (7, 3, 4)], &[]);
    assert_eq!(kinds, [Kind::CounterBack]);
    // Not even at the same time.
    let (kinds, _) = found(&[(7, 1, 3), (7, 2, 4)], &[]);
    assert_eq!(kinds, [Kind::CounterBack]);
    // What is missing before the change is found all the same.
    let (kinds, _) = found(&[(7, 1, 2), (9, 3, 4), (3, 5, 6)], &[]);
    assert_eq!(kinds, [Kind::CounterGap, Kind::CounterBack]);
}

#[test]
fn what_may_follow_the_last_release_is_pending() {
    let pending = |lost: &[(u64, u64)]| found(&[(7, 3, 4)], lost).1.pending;
    assert_eq!(pending(&[]), 0);
    assert_eq!(pending(&[(1, 2)]), 0);
    assert_eq!(pending(&[(1, 2), (5, 6), (2, u64::MAX)]), 2);
}
