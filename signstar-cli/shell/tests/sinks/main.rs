//! Records in the real logs of a machine: a systemd-journald, and an rsyslogd that forwards to
//! another one over TLS. They are stopped, ended, started again and filled up in the middle of a
//! signature: none comes out without its records.

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

#[path = "../faults/scene.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod scene;

mod daemon;
mod journal;
mod journald;
mod rsyslogd;
mod syslog;
