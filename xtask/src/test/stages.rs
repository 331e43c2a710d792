//! The stages, in the order in which they run: what is quick to fail comes first.

use std::path::PathBuf;

use super::beside::again;
use super::report::Report;
use crate::failure::{Failure, Result};
use crate::program::Program;
use crate::symbols::Linked;
use crate::tools::pinned::JUST;
use crate::tools::targets::{self, AARCH64};
use crate::workspace::{Workspace, unattended};
use crate::{advisories, closure, pages, release, stage, symbols, tidy, tools};

/// One stage.
pub(crate) struct Stage {
    /// What it is called on the command line and in the table.
    pub(crate) name: &'static str,
    /// What it proves, for `--help`.
    pub(crate) what: &'static str,
    /// Does it.
    pub(crate) run: fn(&mut Report) -> Result<()>,
}

/// All of them.
pub(crate) const STAGES: [Stage; 15] = [
    Stage {
        name: "tools",
        what: "what the tests need is there",
        run: |_| tools::run(),
    },
    Stage {
        name: "fmt",
        what: "the sources are formatted",
        run: |_| fmt(),
    },
    Stage {
        name: "tidy",
        what: "the tree keeps its rules",
        run: |_| tidy::run(),
    },
    Stage {
        name: "closure",
        what: "the shell links what it should",
        run: |_| closure::check(),
    },
    Stage {
        name: "deny",
        what: "bans, licences, sources, advisories",
        run: deny,
    },
    Stage {
        name: "justfile",
        what: "its recipes read",
        run: |_| justfile(),
    },
    Stage {
        name: "clippy",
        what: "no lint speaks",
        run: |_| clippy(),
    },
    Stage {
        name: "doc",
        what: "the documentation builds without warnings",
        run: |_| doc(),
    },
    Stage {
        name: "build",
        what: "the debug build that the later stages share",
        run: |_| build(),
    },
    Stage {
        name: "release",
        what: "the release builds, and lacks what it must",
        run: |_| release(),
    },
    Stage {
        name: "stage",
        what: "the release tree is laid out",
        run: |_| stage(),
    },
    Stage {
        name: "unit",
        what: "tests of all packages, with the staged release",
        run: unit,
    },
    Stage {
        name: "pages",
        what: "manual pages and completions read",
        run: |_| check_pages(),
    },
    Stage {
        name: "aarch64",
        what: "the shell compiles for aarch64",
        run: aarch64,
    },
    Stage {
        name: "demo",
        what: "the demonstration of the README works",
        run: |_| demo(),
    },
];

/// Features that only programs of ours have, and the back ends that need libraries of the system:
/// checked with the rest, so that nothing rots.
const OWN_FEATURES: [&str; 2] = [
    "--features",
    "signstar/smartcard,signstar/tpm,signstar-admin/smartcard,signstar-admin/tpm,xtask/pages,xtask/verify",
];

fn fmt() -> Result<()> {
    Workspace::get()?
        .cargo()
        .args(["fmt", "--all", "--check"])
        .run()
}

fn clippy() -> Result<()> {
    Workspace::get()?
        .cargo()
        .args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--locked",
        ])
        .args(OWN_FEATURES)
        .args(["--", "-D", "warnings"])
        .run()
}

fn doc() -> Result<()> {
    Workspace::get()?
        .cargo()
        .args(["doc", "--quiet", "--workspace", "--no-deps", "--locked"])
        .args(OWN_FEATURES)
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn deny(report: &mut Report) -> Result<()> {
    advisories::check(|what| report.not_checked(what))
}

fn justfile() -> Result<()> {
    let just = JUST.ensure()?;
    let root = &Workspace::get()?.workspace_root;
    Program::new(just)
        .folder(root)
        .args(["--fmt", "--check", "--unstable"])
        .run()
}

fn release() -> Result<()> {
    symbols::check(&release::shell()?, Linked::Statically)?;
    symbols::check(&release::shell_for_devices()?, Linked::Dynamically)
}

/// All targets together, so that every package is built with the same features as by `cargo test`.
fn build() -> Result<()> {
    Workspace::get()?
        .cargo()
        .args(["build", "--workspace", "--all-targets", "--locked"])
        .args(OWN_FEATURES)
        .run()
}

/// The release of the shell; beside it the operators' tool and the worker as the tests have them, which
/// the soak run replaces by their releases.
fn stage() -> Result<()> {
    let tree = stage::for_tests()?;
    let debug = debug_programs()?;
    stage::with_debug_programs(&tree, &debug)?;
    stage::programs_for_devices(&tree.join("devices"), &debug)
}

/// Where the debug build is, if it has been built.
fn debug_programs() -> Result<PathBuf> {
    let folder = Workspace::get()?.target_directory.join("debug");
    if folder.join("signstar-admin").is_file() && folder.join("xtask-pages").is_file() {
        return Ok(folder);
    }
    Err(Failure::new(
        "there is no debug build: run `cargo xtask test --part build`",
    ))
}

fn check_pages() -> Result<()> {
    pages::check(Some(&debug_programs()?))
}

fn demo() -> Result<()> {
    again("demo")?.arg("--built").arg(debug_programs()?).run()
}

fn unit(report: &mut Report) -> Result<()> {
    let stage = stage::for_tests()?;
    if !stage.join("usr/bin/signstar").is_file() {
        return Err(Failure::new(
            "there is no staged release: run `cargo xtask test --part stage`",
        ));
    }
    let result = Program::cargo_minding_signals()
        .folder(&Workspace::get()?.workspace_root)
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .args(OWN_FEATURES)
        .env("SIGNSTAR_STAGE", &stage)
        // A library that tests link; what the login shell tells it does not come from here.
        .env("TSS2_LOG", "all+none")
        // What the tests say: which back end has done what, with which algorithm.
        .args(["--", "--show-output"])
        .run_watched(|line| report.see(line));
    let counts = report.counts();
    match (result, counts.ignored(), counts.ran()) {
        (Ok(()), 0, 0) => Err(Failure::new("no test ran")),
        (Ok(()), 0, _) => Ok(()),
        (Ok(()), ignored, _) => Err(Failure::new(format!("{ignored} tests are ignored"))),
        (Err(error), _, _) => Err(error),
    }
}

fn aarch64(report: &mut Report) -> Result<()> {
    if !targets::is_installed(AARCH64) {
        let advice = format!("run: rustup target add {AARCH64}");
        if unattended() {
            return Err(Failure::new(advice));
        }
        report.not_checked(format!("aarch64: {advice}"));
        return Ok(());
    }
    Workspace::get()?
        .cargo()
        .args([
            "check",
            "--locked",
            "--package",
            "signstar",
            "--target",
            AARCH64,
        ])
        .args(["--no-default-features", "--features", release::FEATURES])
        .run()
}
