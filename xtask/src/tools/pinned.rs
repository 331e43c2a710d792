//! Programs from the Rust registry at fixed versions, kept in `target/tools`.

use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::program::Program;
use crate::workspace::Workspace;

/// One program and how it is built.
pub(crate) struct Pinned {
    /// The package, and the program in it.
    pub(crate) name: &'static str,
    /// The only version that is accepted.
    pub(crate) version: &'static str,
    /// Arguments of `cargo install` that keep the build small.
    build: &'static [&'static str],
    /// How far it is optimised: building takes longer than the use of most of them.
    opt_level: &'static str,
}

/// rPGP's implementation of the stateless OpenPGP interface: an independent verifier.
pub(crate) const RSOP: Pinned = Pinned {
    name: "rsop",
    version: "0.12.0",
    build: &["--no-default-features", "--features", "cli"],
    // Tests verify thousands of signatures with it: unoptimised arithmetic would take minutes.
    opt_level: "1",
};

/// Advisories, bans, licences and sources of the dependencies.
pub(crate) const DENY: Pinned = Pinned {
    name: "cargo-deny",
    version: "0.20.2",
    build: &["--no-default-features"],
    opt_level: "0",
};

/// What reads the justfile.
pub(crate) const JUST: Pinned = Pinned {
    name: "just",
    version: "1.59.0",
    build: &["--no-default-features"],
    opt_level: "0",
};

/// What runs the fuzz targets, on the nightly compiler. Only the soak run needs it.
pub(crate) const FUZZ: Pinned = Pinned {
    name: "cargo-fuzz",
    version: "0.13.2",
    build: &[],
    opt_level: "0",
};

impl Pinned {
    /// Where the program is once it is installed.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        Ok(folder()?.join("bin").join(self.name))
    }

    /// The program at its version, built when it is not there.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        let path = self.path()?;
        if self.is_current()? {
            println!("{} {} is there", self.name, self.version);
            return Ok(path);
        }
        self.install("target/tools", &folder()?, self.opt_level)?;
        Ok(path)
    }

    /// Builds it into `root`, shown as `shown`.
    pub(crate) fn install(
        &self,
        shown: &str,
        root: &std::path::Path,
        opt_level: &str,
    ) -> Result<()> {
        println!("building {} {} for {shown}", self.name, self.version);
        Workspace::get()?
            .cargo()
            .args([
                "install",
                "--quiet",
                "--locked",
                "--force",
                "--version",
                self.version,
            ])
            .args(self.build)
            .arg("--root")
            .arg(root)
            .arg("--target-dir")
            .arg(root.join("build"))
            .arg(self.name)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", opt_level)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_PANIC", "unwind")
            .run()
    }

    /// Whether cargo's own list says that this version was installed, and it is still there.
    fn is_current(&self) -> Result<bool> {
        if !self.path()?.is_file() {
            return Ok(false);
        }
        let list = Program::cargo()
            .args(["install", "--list", "--root"])
            .arg(folder()?)
            .output()?;
        let line = format!("{} v{}:", self.name, self.version);
        Ok(list.lines().any(|candidate| candidate == line))
    }
}

/// Makes sure of all of them.
pub(crate) fn ensure_all() -> Result<()> {
    let mut missing = Vec::new();
    for tool in [&RSOP, &DENY, &JUST] {
        if let Err(error) = tool.ensure() {
            println!("{error}");
            missing.push(tool.name);
        }
    }
    // What remains of the builds is of no further use and takes hundreds of megabytes.
    let _ = std::fs::remove_dir_all(folder()?.join("build"));
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "cannot build {}; is the registry reachable?",
        missing.join(", ")
    )))
}

fn folder() -> Result<PathBuf> {
    Ok(Workspace::get()?.target_directory.join("tools"))
}
