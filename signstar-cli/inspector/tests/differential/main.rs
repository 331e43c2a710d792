//! What the inspector takes, every reader reads the same: names, kinds, sizes, targets, contents.
//!
//! Archives are made at random, then damaged in ways that know their structure. Those that the
//! inspector takes go to libarchive, Python's tarfile, the `tar` crate and GNU tar.
//! `SIGNSTAR_MUTANTS` sets how many are made.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by a panic"
)]

mod campaign;
mod containers;
mod gnu;
mod known;
mod mutants;
mod pacman;
mod readers;
#[path = "../support/lib.rs"]
mod support;

use std::num::NonZero;
use std::thread::{available_parallelism, scope};

use campaign::Count;
use mutants::Random;
use readers::Python;
use signstar_inspector::Code;

/// How many archives are made where nobody says.
const MADE: usize = 50_000;

fn wanted() -> usize {
    let text = std::env::var("SIGNSTAR_MUTANTS");
    text.map_or(MADE, |text| text.parse().unwrap())
}

#[test]
fn what_is_taken_every_reader_reads_the_same() {
    let streams = available_parallelism().map_or(1, NonZero::get);
    let share = wanted().div_ceil(streams);
    let count = scope(|scope| {
        let runs: Vec<_> = (0..streams)
            .map(|number| scope.spawn(move || campaign::run(0x5eed_0001 + number as u64, share)))
            .collect();
        runs.into_iter().fold(Count::default(), |sum, run| {
            let count = run.join().unwrap();
            Count {
                made: sum.made + count.made,
                taken: sum.taken + count.taken,
            }
        })
    });
    println!("{} archives, {} taken", count.made, count.taken);
    assert!(count.taken * 10 >= count.made, "{count:?}");
}

#[test]
fn what_is_unpacked_the_original_libraries_unpack_to_the_same() {
    let made = wanted() / 10;
    let taken = containers::run(0x5eed_0003, made);
    println!("{made} damaged containers, {taken} taken");
    assert!(taken * 50 >= made, "{taken} of {made}");
}

/// The positive control: an inspector that took what it refuses for one of these reasons would be
/// caught, since readers differ about such archives.
#[test]
fn a_looser_inspector_would_be_caught() {
    let mut random = Random(0x5eed_0002);
    let mut python = Python::start();
    for code in [
        Code::HeaderNumber,
        Code::ExtensionForm,
        Code::PaddingUsed,
        Code::EntryName,
        Code::HeaderForm,
        Code::EntryKind,
        Code::TrailingBytes,
    ] {
        let caught = campaign::disputed(&mut random, &mut python, code);
        assert!(caught, "nobody differs about {code:?}");
    }
}
