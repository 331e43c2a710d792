//! Keys in a NetHSM, through the whole of it: sshd, the confined release of the login shell, TLS, the
//! simulator.

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

mod commissioned;
mod faults;
mod load;
mod memory;
mod scene;
mod several;
mod sign;
mod trace;
#[path = "../faults/traced.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod traced;
