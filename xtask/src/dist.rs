//! `cargo xtask dist`: what is released. For each target an archive of what is installed, bills of
//! materials, and a list of checksums over all of it.
//!
//! Whoever builds the same commit with the same compiler gets the same bytes, wherever that is:
//! `--check` builds everything a second time in another folder and compares.

mod archive;
mod build;
mod materials;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Because, Failure, Result};
use crate::program::Program;
use crate::stage;
use crate::tools::targets;
use crate::workspace::Workspace;
use build::{Effort, RELEASED, Released, SMALL, build};

/// Build what is released: archives, bills of materials, checksums
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to
    #[arg(default_value = "target/dist")]
    folder: PathBuf,
    /// Only for this target of the static programs (may be given several times)
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Build everything in another folder as well, and compare
    #[arg(long)]
    check: bool,
}

/// Does what the command line says.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = std::path::absolute(&options.folder)
        .because(format_args!("cannot find {}", options.folder.display()))?;
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder)
            .because(format_args!("cannot empty {}", folder.display()))?;
    }
    stage::make_folder(&folder)?;
    targets::ensure()?;
    let wanted = match options.target.as_slice() {
        [] => targets(),
        chosen => chosen.to_vec(),
    };
    let mut made = Vec::new();
    for target in &wanted {
        made.extend(release(&folder, target)?);
    }
    archive::checksums(&folder, &made)?;
    println!("{} files in {}", made.len() + 1, folder.display());
    if options.check {
        check(&wanted)
    } else {
        Ok(())
    }
}

/// Every program for every target is the same from two folders.
pub(crate) fn check_all() -> Result<()> {
    check(&targets())
}

fn check(targets: &[String]) -> Result<()> {
    let programs: Vec<(&Released, String)> = targets
        .iter()
        .flat_map(|target| {
            RELEASED
                .iter()
                .map(move |program| (program, target.clone()))
        })
        .collect();
    compare(&programs, Effort::Full)
}

/// One program, built with the least effort, is the same from two folders.
pub(crate) fn check_small() -> Result<()> {
    targets::ensure_release()?;
    compare(&[(&SMALL, targets::release())], Effort::Least)
}

/// What is built for; another machine's only where the compiler can.
fn targets() -> Vec<String> {
    let own = targets::release();
    let mut all = vec![own.clone()];
    if own != targets::AARCH64 && targets::is_installed(targets::AARCH64) {
        all.push(targets::AARCH64.to_owned());
    }
    all
}

/// An archive and its bills of materials.
fn release(folder: &Path, target: &str) -> Result<Vec<String>> {
    let workspace = Workspace::get()?;
    let name = format!("signstar-{}-{target}", env!("CARGO_PKG_VERSION"));
    let root = folder.join(&name);
    let mut made = Vec::new();
    for program in &RELEASED {
        let Some(built_for) = program.target_for(target) else {
            println!("{}: not for {target}", program.package);
            continue;
        };
        let built = build(
            &workspace.workspace_root,
            &workspace.target_directory.join("dist-build"),
            program,
            &built_for,
            Effort::Full,
        )?;
        let place = root.join(program.folder).join(program.package);
        stage::put(&built, &place, 0o755)?;
        let bill = format!("{}-{}.cdx.json", program.package, built_for);
        materials::write(&folder.join(&bill), program, &built_for)?;
        made.push(bill);
    }
    stage::beside_programs(&root)?;
    made.push(archive::pack(folder, &name)?);
    std::fs::remove_dir_all(&root).because(format_args!("cannot remove {}", root.display()))?;
    Ok(made)
}

/// Builds `programs` here and in a copy of the tree elsewhere; their bytes must be the same.
fn compare(programs: &[(&Released, String)], effort: Effort) -> Result<()> {
    let workspace = Workspace::get()?;
    let elsewhere = tempfile::Builder::new()
        .prefix("signstar-built-in-a-folder-with-another-name-")
        .tempdir()
        .because("cannot make a temporary folder")?;
    let tree = elsewhere.path().join("tree");
    archive::copy_tree(&workspace.workspace_root, &tree)?;
    let mut problems = Vec::new();
    for (program, target) in programs {
        let Some(target) = program.target_for(target) else {
            continue;
        };
        let here = workspace.target_directory.join(match effort {
            Effort::Full => "dist-build",
            Effort::Least => "dist-build-least",
        });
        let there = elsewhere.path().join("built");
        let first = build(&workspace.workspace_root, &here, program, &target, effort)?;
        let second = build(&tree, &there, program, &target, effort)?;
        let read = |path: &Path| {
            std::fs::read(path).because(format_args!("cannot read {}", path.display()))
        };
        let (first, second) = (read(&first)?, read(&second)?);
        let what = format!("{} for {target}", program.package);
        if first == second {
            println!("{what}: the same {} bytes from two folders", first.len());
        } else {
            let at = first.iter().zip(&second).position(|(a, b)| a != b);
            problems.push(format!(
                "{what}: {} and {} bytes, first different at {at:?}",
                first.len(),
                second.len()
            ));
        }
    }
    crate::failure::none_of(&problems, "a build depends on its folder")
}

/// The time that everything made carries: that of the commit, so that it is the same each time.
fn epoch() -> Result<String> {
    if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
        return match set.parse::<u64>() {
            Ok(_) => Ok(set),
            Err(_) => Err(Failure::new("SOURCE_DATE_EPOCH must be seconds since 1970")),
        };
    }
    let asked = Program::new("git")
        .args(["log", "-1", "--format=%ct"])
        .folder(&Workspace::get()?.workspace_root)
        .output();
    asked.map(|time| time.trim().to_owned()).map_err(|_| {
        Failure::new("set SOURCE_DATE_EPOCH: this is no checkout with a commit to take it from")
    })
}
