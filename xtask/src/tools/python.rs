//! The vendor's Python tools for NetHSM, which tests drive the simulator with: at fixed versions, in
//! an environment of their own below `target/tools`.

use crate::failure::{Because, Result};
use crate::program::Program;
use crate::workspace::Workspace;

/// Every package and its version.
const REQUIREMENTS: &str =
    "signstar-backends/testkit/nethsm-simulator/tests/python/requirements.txt";

/// The environment, made when it is not there or was made from another list.
pub(crate) fn ensure() -> Result<()> {
    let workspace = Workspace::get()?;
    let environment = workspace.target_directory.join("tools/python");
    let mark = environment.join("requirements.txt");
    let list = workspace.path(REQUIREMENTS);
    let wanted = std::fs::read(&list).because(format_args!("cannot read {}", list.display()))?;
    if std::fs::read(&mark).is_ok_and(|made| made == wanted) {
        println!("the Python tools are there");
        return Ok(());
    }
    println!("installing the Python tools for target/tools");
    // What an old list brought would stay.
    let _ = std::fs::remove_dir_all(&environment);
    Program::new("virtualenv")
        .args(["--quiet", "--python", "python3"])
        .arg(&environment)
        .run()?;
    Program::new(environment.join("bin/pip"))
        .args([
            "install",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
        ])
        .arg("--requirement")
        .arg(&list)
        .run()?;
    std::fs::write(&mark, wanted).because(format_args!("cannot write {}", mark.display()))
}
