//! Keys in a real TPM (swtpm), reached through a device as /dev/tpmrm0 is one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod bus;
mod conformance;
mod damage;
mod faults;
mod support;
