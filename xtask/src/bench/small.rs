//! 1 KiB from a pipe: what starting, confining, recording, signing and checking take together.

use std::path::Path;

use super::contest::{Input, in_turns};
use super::rivals::{Gpg, nothing, signstar, sops};
use super::table::Table;
use super::{ED25519, P256, RSA4096, repetitions};
use crate::failure::Result;

/// Rounds that give the third digit.
const ROUNDS: u32 = 300;

/// For each kind of key.
pub(crate) fn measure(root: &Path, gpg: &Gpg, effort: u32) -> Result<Vec<Table>> {
    let input = [0x5a; 1024];
    let rounds = repetitions(ROUNDS, effort);
    let mut tables = Vec::new();
    for (account, title, bound) in [
        (ED25519, "Ed25519", 0.40),
        (P256, "P-256", 0.45),
        (RSA4096, "RSA-4096", 0.50),
    ] {
        let mut contestants = vec![signstar(&account)?, gpg.sign(&account, "SHA512")];
        contestants.extend(sops(root, &account)?);
        contestants.push(nothing());
        let table = Table {
            title: format!("1 KiB, {title}, whole process"),
            unit: "ms",
            repetitions: rounds,
            rows: in_turns(&contestants, Input::Bytes(&input), rounds)?,
            goals: Vec::new(),
        };
        tables.push(table.at_most("gpg", bound));
    }
    Ok(tables)
}
