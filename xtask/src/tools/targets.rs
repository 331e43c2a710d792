//! The targets that the login shell is built for.

use crate::failure::{Failure, Result};
use crate::program::{Program, find};
use crate::workspace::unattended;

/// Checked only: nothing here runs it.
pub(crate) const AARCH64: &str = "aarch64-unknown-linux-musl";

/// The release on this machine: static, without a C library of the system.
fn musl() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// Makes sure that the compiler has both.
pub(crate) fn ensure() -> Result<()> {
    let mut missing = Vec::new();
    for target in [musl().as_str(), AARCH64] {
        if is_installed(target) {
            println!("target {target} is there");
        } else if find("rustup").is_none() {
            println!("target {target} is absent, and there is no rustup to add it");
            missing.push(target.to_owned());
        } else if Program::new("rustup")
            .args(["target", "add", target])
            .run()
            .is_err()
        {
            missing.push(target.to_owned());
        }
    }
    if missing.is_empty() || !unattended() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "run: rustup target add {}",
        missing.join(" ")
    )))
}

/// Whether the compiler has the standard library of `target`.
pub(crate) fn is_installed(target: &str) -> bool {
    Program::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .is_ok_and(|folder| {
            std::fs::read_dir(folder.trim()).is_ok_and(|mut files| files.next().is_some())
        })
}

/// The target of the release on this machine; where there is no musl, the system's own.
pub(crate) fn release() -> String {
    let musl = musl();
    if is_installed(&musl) {
        musl
    } else {
        musl.replace("-musl", "-gnu")
    }
}
