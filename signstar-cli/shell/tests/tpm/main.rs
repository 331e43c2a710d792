//! The release binary with keys in a TPM: under its whole sandbox, with a real TPM (swtpm) behind a
//! device that behaves as /dev/tpmrm0.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "this is a test"
)]

#[path = "../support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

mod faults;
mod load;

mod scene;
mod sign;
mod trace;
#[path = "../faults/traced.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod traced;
