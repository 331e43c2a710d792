//! What an operator does, from the empty machine to a configuration that the login shell takes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod check;
mod command_line;
mod create;
mod key;
mod place;
mod sandbox;
mod show;

use serde_json::Value;

const KEY: [&str; 4] = ["key", "generate", "--key", "packages"];
const CERT: [&str; 6] = [
    "cert",
    "create",
    "--key",
    "packages",
    "--user-id",
    "A <a@example.org>",
];
const PASSPHRASE: &str = "correct horse battery staple";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Tries until there is something; each try takes a while by itself.
fn wait_for<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    (0..1000)
        .find_map(|_| attempt())
        .expect("something within a thousand tries")
}
