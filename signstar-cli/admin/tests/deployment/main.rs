//! A machine as the packages leave it, with mistakes planted in it, and what the checks say of each.
//! A test has the name of the sentence that is reported.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod accounts;
mod addresses;
mod configuration;
mod explained;
mod keys;
mod machine;
mod options;
mod rehearsal;
mod shipped;
mod variables;
