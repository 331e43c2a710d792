//! What an operator does, from the empty machine to a configuration that the login shell takes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod audit_check;
mod audit_defects;
mod audit_journal;
mod audit_list;
mod check;
mod command_line;
mod create;
mod docs;
mod docs_audit;
mod export;
mod extend;
mod gpg;
mod health;
mod key;
mod offline;
mod pacman;
mod place;
mod policy;
mod revoke;
mod rotate;
mod sandbox;
mod show;
mod terminal;
mod written;

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

/// The key `packages` gives way to another.
const fn rotation<'a>(to: &'a str, overlap: &'a str) -> [&'a str; 8] {
    [
        "cert",
        "rotate",
        "--key",
        "packages",
        "--to",
        to,
        "--overlap",
        overlap,
    ]
}

/// A primary key is made in `file`.
const fn primary_in(file: &str) -> [&str; 6] {
    [
        "primary",
        "generate",
        "--user-id",
        "A <a@example.org>",
        "--file",
        file,
    ]
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A command line out of parts.
fn line<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    parts.concat()
}

/// What it has done, as a program reads it.
fn done(place: &place::Place, arguments: &[&str]) -> Value {
    let with = [arguments, &["--output", "json"]].concat();
    json(&place.admin(&with).done())
}

/// Tries until there is something; each try takes a while by itself.
fn wait_for<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    (0..1000)
        .find_map(|_| attempt())
        .expect("something within a thousand tries")
}
