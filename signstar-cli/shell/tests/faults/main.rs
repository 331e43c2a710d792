//! What the release binary does when something is wrong: with the configuration, the key, the
//! audit sink, the streams, the lock-down, or the process itself. And what it does to the system
//! when nothing is.

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

mod configuration;
mod credentials;
mod lockdown;
mod messages;
mod output;
mod process;
mod scene;
mod secrets;
mod signals;
mod sink_file;
mod sink_socket;
mod sink_stderr;
mod trace;
mod traced;
