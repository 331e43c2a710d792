//! The stages, in the order in which they run: what is quick to fail comes first.

use super::report::Report;
use crate::failure::{Failure, Result};
use crate::workspace::Workspace;
use crate::{advisories, closure, tidy, tools};

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
pub(crate) const STAGES: [Stage; 8] = [
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
        what: "the shell depends on what it should",
        run: |_| closure::check(),
    },
    Stage {
        name: "deny",
        what: "bans, licences, sources, advisories",
        run: deny,
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
        name: "unit",
        what: "tests of all packages",
        run: unit,
    },
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
        .args(["--", "-D", "warnings"])
        .run()
}

fn doc() -> Result<()> {
    Workspace::get()?
        .cargo()
        .args(["doc", "--quiet", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn deny(report: &mut Report) -> Result<()> {
    advisories::check(|what| report.not_checked(what))
}

fn unit(report: &mut Report) -> Result<()> {
    let workspace = Workspace::get()?;
    let result = workspace
        .cargo()
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .run_watched(|line| report.counts().add(line));
    let counts = report.counts();
    match (result, counts.ignored(), counts.ran()) {
        (Ok(()), 0, 0) => Err(Failure::new("no test ran")),
        (Ok(()), 0, _) => Ok(()),
        (Ok(()), ignored, _) => Err(Failure::new(format!("{ignored} tests are ignored"))),
        (Err(error), _, _) => Err(error),
    }
}
