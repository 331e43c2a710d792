//! Keys whose artifacts are looked at, and keys with a list: through sshd, the confined release of the
//! login shell, the release of the inspector; and with inspectors that misbehave.

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

mod artifacts;
mod hostile;
mod lists;
mod scene;
mod trace;
#[path = "../faults/traced.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod traced;
