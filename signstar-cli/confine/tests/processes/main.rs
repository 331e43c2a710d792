//! Real processes that confine themselves, and what becomes of them.
//!
//! The test harness of Rust runs tests in threads, and a confined process must have only one. So
//! this program is its own harness: started plainly it checks its claims one after the other;
//! started as `probe NAME …` it is the child of a claim, in its own main thread.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

mod child;
mod escapes;
mod failures;
mod filter;
mod hardening;
mod landlock;
mod limits;
mod outer;
mod probes;
mod raw;
mod rules;
mod runner;
mod sweep;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "probe" => probes::run(rest),
        _ => {
            let claims = [
                hardening::claims(),
                limits::claims(),
                landlock::claims(),
                filter::claims(),
                rules::claims(),
                sweep::claims(),
                escapes::claims(),
                failures::claims(),
            ];
            runner::run(claims.into_iter().flatten().collect(), &arguments)
        }
    }
}
