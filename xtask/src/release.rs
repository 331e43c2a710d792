//! The release builds: the login shell alone, so that no other package's features reach it.

use std::path::PathBuf;

use crate::failure::Result;
use crate::tools::targets;
use crate::workspace::Workspace;

/// The features of the shell that is released and tested.
pub(crate) const FEATURES: &str = "software,pkcs11,nethsm";

/// The program that loads PKCS#11 modules.
pub(crate) const WORKER: &str = "signstar-pkcs11-worker";

/// The program that loads them to make keys.
pub(crate) const PROVISIONER: &str = "signstar-pkcs11-provisioner";

/// The program that looks at artifacts.
pub(crate) const INSPECTOR: &str = "signstar-inspector";

/// Those of the build for devices with C libraries.
const DEVICE_FEATURES: &str = "smartcard,software,tpm";

/// What that build is for: the libraries are those of the system.
const DEVICE_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds the login shell with its symbol table, which [`crate::stage`] takes off and
/// [`crate::symbols`] reads.
pub(crate) fn shell() -> Result<PathBuf> {
    build(
        &["rustc", "--package", "signstar", "--bin", "signstar"],
        &["--no-default-features", "--features", FEATURES],
        &["--", "-C", "strip=none"],
    )?;
    built("signstar")
}

/// Builds the login shell for devices with C libraries, with its symbol table.
pub(crate) fn shell_for_devices() -> Result<PathBuf> {
    let workspace = Workspace::get()?;
    workspace
        .cargo()
        .args(["rustc", "--package", "signstar", "--bin", "signstar"])
        .args(["--release", "--locked", "--target", DEVICE_TARGET])
        .args(["--no-default-features", "--features", DEVICE_FEATURES])
        .args(["--", "-C", "strip=none"])
        .run()?;
    let built = workspace.target_directory.join(DEVICE_TARGET);
    Ok(built.join("release/signstar"))
}

/// Builds the process that loads PKCS#11 modules to sign.
pub(crate) fn worker() -> Result<PathBuf> {
    loading_modules(WORKER)
}

/// Builds the process that loads them to make keys.
pub(crate) fn provisioner() -> Result<PathBuf> {
    loading_modules(PROVISIONER)
}

/// For the C library of this machine, since modules are libraries of that. Each alone, so that no
/// feature of one reaches the other.
fn loading_modules(name: &str) -> Result<PathBuf> {
    let workspace = Workspace::get()?;
    workspace
        .cargo()
        .args(["build", "--package", name, "--bin", name])
        .args(["--release", "--locked"])
        .run()?;
    Ok(workspace.target_directory.join("release").join(name))
}

/// Builds the program that looks at artifacts.
pub(crate) fn inspector() -> Result<PathBuf> {
    build(&["build", "--package", INSPECTOR], &[], &[])?;
    built(INSPECTOR)
}

/// Builds the operators' tool.
pub(crate) fn admin() -> Result<PathBuf> {
    build(
        &[
            "build",
            "--package",
            "signstar-admin",
            "--bin",
            "signstar-admin",
        ],
        &[],
        &[],
    )?;
    built("signstar-admin")
}

/// Builds the operators' tool for devices with C libraries.
pub(crate) fn admin_for_devices() -> Result<PathBuf> {
    let workspace = Workspace::get()?;
    let package = "signstar-admin";
    workspace
        .cargo()
        .args(["build", "--package", package, "--bin", package])
        .args(["--release", "--locked", "--target", DEVICE_TARGET])
        .args(["--features", "smartcard,tpm"])
        .run()?;
    let built = workspace.target_directory.join(DEVICE_TARGET);
    Ok(built.join("release").join(package))
}

/// Builds the tool for NetHSMs.
pub(crate) fn nethsm_cli() -> Result<PathBuf> {
    build(
        &["build", "--package", "nethsm-cli", "--bin", "nethsm-cli"],
        &[],
        &[],
    )?;
    built("nethsm-cli")
}

/// Builds the operators' tool and our own program that verifies with Sequoia. Together: cargo
/// then builds what both link only once.
pub(crate) fn admin_and_verifier() -> Result<[PathBuf; 2]> {
    build(
        &["build", "--package", "signstar-admin", "--package", "xtask"],
        &[
            "--bin",
            "signstar-admin",
            "--bin",
            "xtask-verify",
            "--features",
            "xtask/verify",
        ],
        &[],
    )?;
    Ok([built("signstar-admin")?, built("xtask-verify")?])
}

fn build(what: &[&str], features: &[&str], rustc: &[&str]) -> Result<()> {
    targets::ensure_release()?;
    Workspace::get()?
        .cargo()
        .args(what)
        .args(["--release", "--locked", "--target", &targets::release()])
        .args(features)
        .args(rustc)
        .run()
}

fn built(name: &str) -> Result<PathBuf> {
    let target = &Workspace::get()?.target_directory;
    Ok(target.join(targets::release()).join("release").join(name))
}
