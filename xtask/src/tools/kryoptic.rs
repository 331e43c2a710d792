//! The PKCS#11 module of kryoptic, which tests load: built once, from a package outside of the
//! workspace, since OpenSSL and SQLite are built from source for it.

use std::path::PathBuf;

use crate::failure::{Because, Result};
use crate::stage::{make_folder, put};
use crate::workspace::Workspace;

/// The package; its lock file says which version is built.
const PACKAGE: &str = "signstar-backends/testkit/kryoptic";
/// What comes out.
const MODULE: &str = "libkryoptic_pkcs11.so";

/// The module, built when it is not there or was built from another lock file.
pub(crate) fn ensure() -> Result<()> {
    let workspace = Workspace::get()?;
    let tools = workspace.target_directory.join("tools");
    let module = tools.join("lib").join(MODULE);
    let mark = module.with_extension("lock");
    let lock = workspace.path(PACKAGE).join("Cargo.lock");
    let wanted = std::fs::read(&lock).because(format_args!("cannot read {}", lock.display()))?;
    if module.is_file() && std::fs::read(&mark).is_ok_and(|built| built == wanted) {
        println!("kryoptic is there");
        return Ok(());
    }
    println!("building kryoptic for target/tools, which takes minutes");
    let build = tools.join("kryoptic-build");
    workspace
        .cargo()
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--manifest-path",
        ])
        .arg(workspace.path(PACKAGE).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&build)
        .run()?;
    make_folder(&tools.join("lib"))?;
    let built: PathBuf = build.join("release").join(MODULE);
    put(&built, &module, 0o755)?;
    std::fs::write(&mark, wanted).because(format_args!("cannot write {}", mark.display()))?;
    // What remains of the build is of no further use and takes hundreds of megabytes.
    let _ = std::fs::remove_dir_all(build);
    Ok(())
}
