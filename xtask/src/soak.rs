//! `cargo xtask soak`: campaigns that are too long for every test run.
//!
//! Fuzzing takes half of the time, the rest goes to end-to-end tests that are repeated; a fixed
//! number of signatures is made and verified between the two, and of archives that are read by
//! everybody. It goes on after a failure, so that a night's run says everything it can.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use crate::failure::{Because, Failure, Result};
use crate::program::Program;
use crate::tools::pinned::FUZZ;
use crate::tools::{self};
use crate::workspace::Workspace;
use crate::{dist, stage};

/// Run long campaigns: fuzzing, signature encodings, repeated end-to-end tests
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long, in minutes; what has begun is finished
    #[arg(long, value_name = "N", default_value_t = 60)]
    minutes: u64,
    /// Only this campaign (may be given several times)
    #[arg(long, value_name = "NAME")]
    part: Vec<Part>,
}

/// What can be run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// cargo-fuzz, every target for the same time
    Fuzz,
    /// Signatures with short values in them
    Encoding,
    /// Damaged archives that the inspector takes, before other readers
    Mutants,
    /// Every released program, built in two folders
    Dist,
    /// End-to-end tests, again and again
    Repeat,
}

/// Packages with fuzz targets.
const FUZZED: [&str; 6] = [
    "nethsm-cli",
    "signstar-core",
    "signstar-backends/nethsm",
    "signstar-backends/pkcs11",
    "signstar-cli/inspector",
    "signstar-cli/shell",
];

/// An artifact that no parser of ours should ever be handed is longer than this.
const INPUT_BYTES_MAX: u32 = 1 << 16;

/// So many archives are damaged; one in ten must be taken for the comparison to mean something.
const MUTANTS: u32 = 1_000_000;

/// Runs them.
pub(crate) fn run(options: &Options) -> Result<()> {
    let total = Duration::from_secs(options.minutes.saturating_mul(60));
    let start = Instant::now();
    let wanted = |part: Part| options.part.is_empty() || options.part.contains(&part);
    let mut failures = Vec::new();
    let mut keep = |what: &str, result: Result<()>| {
        if let Err(error) = result {
            println!("{what}: {error}");
            failures.push(what.to_owned());
        }
    };
    tools::run()?;
    if wanted(Part::Fuzz) {
        let share = if wanted(Part::Repeat) {
            total / 2
        } else {
            total
        };
        keep("fuzzing", fuzz(share));
    }
    if wanted(Part::Encoding) {
        keep("encodings", encodings());
    }
    if wanted(Part::Mutants) {
        keep("damaged archives", mutants());
    }
    if wanted(Part::Dist) {
        keep("releases", dist::check_all());
    }
    if wanted(Part::Repeat) {
        keep("end-to-end tests", repeat(start + total));
    }
    println!("soaked for {} minutes", start.elapsed().as_secs() / 60);
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "failed: {}; see above for each",
        failures.join(", ")
    )))
}

/// One fuzz target.
struct Target {
    /// The folder `fuzz` of its package.
    folder: PathBuf,
    name: String,
}

fn fuzz(share: Duration) -> Result<()> {
    if !Program::new("rustup")
        .args(["run", "nightly", "rustc", "--version"])
        .succeeds()
    {
        return Err(Failure::new(
            "fuzzing needs nightly: run: rustup toolchain install nightly",
        ));
    }
    let cargo_fuzz = FUZZ.ensure()?;
    let targets = targets()?;
    let each = share / u32::try_from(targets.len().max(1)).unwrap_or(u32::MAX);
    println!(
        "{} fuzz targets, {} seconds each",
        targets.len(),
        each.as_secs()
    );
    let mut failed = Vec::new();
    for Target { folder, name } in &targets {
        let corpus = folder.join("corpus").join(name);
        std::fs::create_dir_all(&corpus).because("cannot make the corpus")?;
        let ran = Program::new("rustup")
            .args(["run", "nightly"])
            .arg(&cargo_fuzz)
            .args(["fuzz", "run", "--fuzz-dir"])
            .arg(folder)
            .arg(name)
            .arg(&corpus)
            .arg(folder.join("seeds").join(name))
            .arg("--")
            .arg(format!("-max_total_time={}", each.as_secs().max(1)))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .args(["-timeout=20", "-print_final_stats=1", "-verbosity=0"])
            .folder(folder)
            .run();
        if ran.is_err() {
            failed.push(name.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{}; the inputs are in fuzz/artifacts",
        failed.join(", ")
    )))
}

/// Every target of every package that has some.
fn targets() -> Result<Vec<Target>> {
    let workspace = Workspace::get()?;
    let mut targets = Vec::new();
    for package in FUZZED {
        let folder = workspace.path(package).join("fuzz");
        for name in names(&folder.join("Cargo.toml"))? {
            targets.push(Target {
                folder: folder.clone(),
                name,
            });
        }
    }
    Ok(targets)
}

/// The programs that a manifest lists.
fn names(manifest: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest)
        .because(format_args!("cannot read {}", manifest.display()))?;
    let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
    let programs = text.split("[[bin]]").skip(1);
    let name = |program: &str| {
        program
            .lines()
            .find(|line| line.starts_with("name"))
            .and_then(quoted)
    };
    Ok(programs.filter_map(name).collect())
}

/// 65,536 signatures of each kind, judged one by one.
fn encodings() -> Result<()> {
    Workspace::get()?
        .cargo()
        .args([
            "run",
            "--release",
            "--locked",
            "--package",
            "signstar-software",
        ])
        .args(["--example", "encoding_soak"])
        .run()
}

/// What the inspector takes, every reader must read the same.
fn mutants() -> Result<()> {
    Program::cargo_minding_signals()
        .folder(&Workspace::get()?.workspace_root)
        .args(["test", "--quiet", "--locked"])
        .args(["--package", "signstar-inspector", "--test", "differential"])
        .args(["--", "--nocapture"])
        .env("SIGNSTAR_MUTANTS", MUTANTS.to_string())
        .run()
}

/// The tests of the login shell, at least once.
fn repeat(end: Instant) -> Result<()> {
    let folder = stage::for_tests()?;
    stage::everything(&folder)?;
    let mut rounds = 0;
    loop {
        Program::cargo_minding_signals()
            .folder(&Workspace::get()?.workspace_root)
            .args(["test", "--quiet", "--locked", "--package", "signstar"])
            .env("SIGNSTAR_STAGE", &folder)
            .run()?;
        rounds += 1;
        if Instant::now() >= end {
            println!("the end-to-end tests passed {rounds} times");
            return Ok(());
        }
    }
}
