//! The real worker with real modules: what it promises, and what a module can do to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

mod absent;
mod composite;
mod conformance;
mod faults;
mod hostile;
mod memory;

use signstar_testkit::token::Token;
use signstar_testkit::worker::Worker;

/// The worker that was built with this test, for the key on `token`.
fn worker(token: &Token) -> Worker {
    Worker::new(env!("CARGO_BIN_EXE_signstar-pkcs11-worker"), token)
}

/// The same for a key with two halves.
fn composite(token: &Token) -> Worker {
    Worker::composite(env!("CARGO_BIN_EXE_signstar-pkcs11-worker"), token)
}
