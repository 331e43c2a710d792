//! What the login shell is made of: its dependencies per back end, committed as
//! `xtask/closure/FEATURE.txt` and compared, so that a new one is seen in review.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Because, Failure, Result, none_of};
use crate::stage::make_folder;
use crate::workspace::Workspace;

/// The lists are those of this target, on whatever machine they are made.
const TARGET: &str = "x86_64-unknown-linux-musl";

/// Compare the dependencies of the login shell with the committed lists
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rewrite the lists instead
    #[arg(long)]
    bless: bool,
}

/// Does what the command line says.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.bless { bless() } else { check() }
}

/// Compares.
pub(crate) fn check() -> Result<()> {
    let mut problems = Vec::new();
    for feature in features()? {
        let path = path(&feature)?;
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let committed: BTreeSet<String> = committed.lines().map(str::to_owned).collect();
        let now = closure(&feature)?;
        println!("{feature}: {} packages", now.len());
        let new = now
            .difference(&committed)
            .map(|package| format!("{feature}: + {package}"));
        let gone = committed
            .difference(&now)
            .map(|package| format!("{feature}: - {package}"));
        problems.extend(new.chain(gone));
    }
    none_of(
        &problems,
        "judge each new package, then run `cargo xtask closure --bless`",
    )
}

fn bless() -> Result<()> {
    for feature in features()? {
        let path = path(&feature)?;
        let text: String = closure(&feature)?
            .into_iter()
            .map(|package| package + "\n")
            .collect();
        make_folder(path.parent().unwrap_or(&path))?;
        std::fs::write(&path, text).because(format_args!("cannot write {}", path.display()))?;
        println!("wrote {}", Workspace::get()?.relative(&path).display());
    }
    Ok(())
}

/// The back ends that the shell can be built with.
fn features() -> Result<Vec<String>> {
    let shell = Workspace::get()?
        .package("signstar")
        .ok_or_else(|| Failure::new("there is no package signstar"))?;
    Ok(shell
        .features
        .keys()
        .filter(|feature| *feature != "default")
        .cloned()
        .collect())
}

/// Every package that a build of the shell with this back end links or expands macros of.
fn closure(feature: &str) -> Result<BTreeSet<String>> {
    let workspace = Workspace::get()?;
    let tree = workspace
        .cargo()
        .args([
            "tree",
            "--package",
            "signstar",
            "--no-default-features",
            "--features",
            feature,
        ])
        .args(["--edges", "normal", "--target", TARGET, "--locked"])
        .args(["--prefix", "none", "--format", "{p}"])
        .output()?;
    let own = format!("({}", workspace.workspace_root.display());
    Ok(tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty() && !line.contains(&own))
        .map(str::to_owned)
        .collect())
}

fn path(feature: &str) -> Result<PathBuf> {
    Ok(Workspace::get()?
        .path("xtask/closure")
        .join(feature)
        .with_extension("txt"))
}
