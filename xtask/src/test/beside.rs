//! Stages that run beside the others: the end of a release build keeps one processor busy, and
//! the other one is free meanwhile.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Stdio};

use super::report::Report;
use crate::failure::{Because, Failure, Result};
use crate::program::{Program, own};
use crate::workspace::Workspace;

/// What needs nothing from other stages and is slow.
pub(crate) const STAGES: [&str; 2] = ["release", "aarch64"];

/// This program, running those stages, with what it prints kept for later.
pub(crate) struct Beside {
    child: Child,
    output: File,
}

impl Beside {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        let attempt = "cannot start the release build beside the other stages";
        let output = tempfile::tempfile().because(attempt)?;
        let (out, err) = (output.try_clone(), output.try_clone());
        let mut program = again("test")?;
        for stage in STAGES {
            program = program.args(["--part", stage]);
        }
        let child = program
            .into_command()
            .stdin(Stdio::null())
            .stdout(out.because(attempt)?)
            .stderr(err.because(attempt)?)
            .spawn()
            .because(attempt)?;
        Ok(Self { child, output })
    }

    /// Waits for it and prints what it said.
    pub(crate) fn finish(mut self, report: &mut Report) -> Result<()> {
        let attempt = "cannot read what the release build said";
        let status = self.child.wait().because(attempt)?;
        let mut said = String::new();
        // Both ends share one position in the file.
        std::io::Seek::rewind(&mut self.output).because(attempt)?;
        self.output.read_to_string(&mut said).because(attempt)?;
        // Its own summary comes last and repeats what has been said.
        let (before, table) = said.split_once("\nstage ").unwrap_or((&said, ""));
        println!("{before}");
        for line in table.lines().skip(1) {
            match line.strip_prefix("NOT CHECKED: ") {
                Some(what) => report.not_checked(what),
                None => println!("{line}"),
            }
        }
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new("see above"))
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Nothing is left to do when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This program with another task.
pub(crate) fn again(task: &str) -> Result<Program> {
    let manifest = Workspace::get()?.path("xtask");
    Ok(Program::new(own()?)
        .arg(task)
        .env("CARGO_MANIFEST_DIR", manifest))
}
