//! 2 GiB through a pipe: whether the hash is what takes the time.

use std::path::Path;

use super::contest::{Input, in_turns};
use super::rivals::{Gpg, hashers, signstar};
use super::table::Table;
use super::{ED25519, ED25519_SHA256, repetitions};
use crate::failure::Result;

/// An image with everything on it.
pub(crate) const BYTES: u64 = 2 << 30;

/// Rounds; each takes some ten seconds.
const ROUNDS: u32 = 9;

/// For each hash.
pub(crate) fn measure(_: &Path, gpg: &Gpg, effort: u32) -> Result<Vec<Table>> {
    let rounds = repetitions(ROUNDS, effort);
    let mut tables = Vec::new();
    for (account, hash) in [(ED25519_SHA256, "sha256"), (ED25519, "sha512")] {
        let mut contestants = vec![signstar(&account)?, gpg.sign(&account, hash)];
        contestants.extend(hashers(hash));
        let table = Table {
            title: format!("2 GiB through a pipe, {hash}"),
            unit: "ms",
            repetitions: rounds,
            rows: in_turns(&contestants, Input::Length(BYTES), rounds)?,
            goals: Vec::new(),
        };
        tables.push(match hash {
            "sha256" => table.at_most("openssl dgst -sha256", 1.05),
            _ => table.at_most("gpg", 0.90),
        });
    }
    Ok(tables)
}
