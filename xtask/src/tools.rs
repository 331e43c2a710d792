//! What the tests need beside Rust: programs of the system, pinned programs from the Rust and Python
//! registries, and targets of the compiler. Whatever is there already is left alone.

mod kryoptic;
pub(crate) mod pinned;
pub(crate) mod python;
pub(crate) mod system;
pub(crate) mod targets;

use crate::failure::{Failure, Result};
use crate::private;

/// Makes sure that everything is there; goes on after a failure so that all of it is reported.
pub(crate) fn run() -> Result<()> {
    let results = [
        private::possible(),
        system::ensure(&system::TESTS),
        targets::ensure(),
        pinned::ensure_all(),
        kryoptic::ensure(),
        python::ensure(),
    ];
    let failures: Vec<String> = results
        .into_iter()
        .filter_map(|result| result.err().map(|e| e.to_string()))
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(failures.join("; ")))
    }
}
