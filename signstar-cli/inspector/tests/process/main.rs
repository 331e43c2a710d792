//! The inspector as a process: hostile input, what it calls, and a lock-down that fails.
//!
//! It is the release binary: that of the staged tree (`SIGNSTAR_STAGE`), or the one that was built last.
//! One that is older than its sources fails every test.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by a panic"
)]

mod fresh;
mod hostile;
mod lockdown;
mod program;
#[path = "../support/lib.rs"]
mod support;
mod trace;
