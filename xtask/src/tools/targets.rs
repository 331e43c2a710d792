//! The targets that the login shell is built for.

use crate::failure::{Failure, Result};
use crate::program::{Program, find};
use crate::workspace::unattended;

/// Checked only: nothing here runs it.
pub(crate) const AARCH64: &str = "aarch64-unknown-linux-musl";

/// The release on this machine: static, without a C library of the system.
///
/// There is no other one: what the allocator of another C library asks the kernel for is not in the
/// shell's system call table.
pub(crate) fn release() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// Makes sure that the release can be built.
///
/// # Errors
/// The target's standard library is absent and cannot be added.
pub(crate) fn ensure_release() -> Result<()> {
    let target = release();
    if is_installed(&target) || add(&target) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the release needs Rust's standard library for {target}: run `rustup target add {target}` \
         or install it by your system's package manager (rust-musl on Arch Linux)"
    )))
}

fn add(target: &str) -> bool {
    find("rustup").is_some()
        && Program::new("rustup")
            .args(["target", "add", target])
            .run()
            .is_ok()
}

/// Makes sure that the compiler has both targets.
pub(crate) fn ensure() -> Result<()> {
    ensure_release()?;
    if is_installed(AARCH64) || add(AARCH64) || !unattended() {
        return Ok(());
    }
    Err(Failure::new(format!("run: rustup target add {AARCH64}")))
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
