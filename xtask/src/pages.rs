//! Manual pages and completions: those of the operators' tools come from their command-line
//! definitions; the login shell, which has no options, has a page written by hand.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::{Because, Failure, Result, none_of};
use crate::program::{Program, find};
use crate::stage::{make_folder, put};
use crate::tools::pinned::JUST;
use crate::workspace::Workspace;

/// Where to write, and of which package
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to
    folder: PathBuf,
    /// Only of this package
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
}

/// A package that is installed, and where its documentation comes from.
struct Documented {
    package: &'static str,
    manual: Manual,
}

enum Manual {
    /// From its command line, which has completions too.
    Generated,
    /// A page that is kept in the tree.
    Written(&'static str),
}

const PACKAGES: [Documented; 3] = [
    Documented {
        package: "nethsm-cli",
        manual: Manual::Generated,
    },
    Documented {
        package: "signstar",
        manual: Manual::Written("signstar-cli/shell/signstar.1"),
    },
    Documented {
        package: "signstar-admin",
        manual: Manual::Generated,
    },
];

/// Writes manual pages.
pub(crate) fn run_man(options: &Options) -> Result<()> {
    manuals(&here(options)?, options.package.as_deref(), None)
}

/// Writes completions.
pub(crate) fn run_completions(options: &Options) -> Result<()> {
    let folder = here(options)?;
    for documented in chosen(options.package.as_deref())? {
        match documented.manual {
            Manual::Generated => generate("completions", documented.package, &folder, None)?,
            Manual::Written(_) => {
                make_folder(&folder)?;
                println!("{} has no options to complete", documented.package);
            }
        }
    }
    Ok(())
}

/// Manual pages of one package or of all.
pub(crate) fn manuals(folder: &Path, package: Option<&str>, built: Option<&Path>) -> Result<()> {
    for documented in chosen(package)? {
        match documented.manual {
            Manual::Generated => generate("man", documented.package, folder, built)?,
            Manual::Written(page) => {
                let name = Path::new(page).file_name().unwrap_or_default();
                put(&Workspace::get()?.path(page), &folder.join(name), 0o644)?;
            }
        }
    }
    Ok(())
}

/// Completions at the places where each shell looks for those of packages.
pub(crate) fn completions_installed(share: &Path, built: Option<&Path>) -> Result<()> {
    let folder = tempfile::tempdir().because("cannot make a temporary folder")?;
    for documented in PACKAGES
        .iter()
        .filter(|d| matches!(d.manual, Manual::Generated))
    {
        let name = documented.package;
        generate("completions", name, folder.path(), built)?;
        for (file, place) in [
            (
                format!("{name}.bash"),
                format!("bash-completion/completions/{name}"),
            ),
            (format!("_{name}"), format!("zsh/site-functions/_{name}")),
            (
                format!("{name}.fish"),
                format!("fish/vendor_completions.d/{name}.fish"),
            ),
        ] {
            put(&folder.path().join(file), &share.join(place), 0o644)?;
        }
    }
    Ok(())
}

/// Every page that would be installed reads without an error, every completion parses, and both are the same
/// each time.
pub(crate) fn check(built: Option<&Path>) -> Result<()> {
    let folder = tempfile::tempdir().because("cannot make a temporary folder")?;
    let (man, share) = (folder.path().join("man"), folder.path().join("share"));
    manuals(&man, None, built)?;
    completions_installed(&share, built)?;
    let mut problems = Vec::new();
    let pages = files(&man)?;
    for page in &pages {
        // The generator leaves out the date and doubles some paragraphs: warnings, both.
        let by_hand = PACKAGES.iter().any(|known| match known.manual {
            Manual::Written(source) => Path::new(source).file_name() == page.file_name(),
            Manual::Generated => false,
        });
        let level = if by_hand { "warning" } else { "error" };
        if Program::new("mandoc")
            .args(["-T", "lint", "-W", level])
            .arg(page)
            .run()
            .is_err()
        {
            problems.push(format!("{}: see what mandoc says", page.display()));
        }
    }
    let bash = find("bash").is_some();
    for completions in files(&share.join("bash-completion/completions"))? {
        if bash
            && Program::new("bash")
                .arg("-n")
                .arg(&completions)
                .run()
                .is_err()
        {
            problems.push(format!("{}: does not parse", completions.display()));
        }
    }
    problems.extend(recipes()?);
    println!("{} manual pages", pages.len());
    none_of(
        &problems,
        "manual pages and completions must read without a complaint",
    )
}

/// What `just generate` is asked for.
const KINDS: [&str; 2] = ["manpages", "shell_completions"];

/// What is wrong with what the recipes write: to `output` below the target folder, or below the tree where
/// no variable names one; folders are made; and a second time has the same bytes.
fn recipes() -> Result<Vec<String>> {
    let workspace = Workspace::get()?;
    let target = workspace.target_directory.as_path();
    let mut problems = Vec::new();
    let packages = PACKAGES.map(|known| known.package);
    let [first, second] = [(); 2].map(|()| written(&packages, Some(target)));
    let (first, second) = (first?, second?);
    if first != second {
        problems.push("just generate: another time, other bytes".to_owned());
    }
    let mut all = vec![first];
    // Without the variable it would build everything anew where one is set.
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        all.push(written(&["nethsm-cli"], None)?);
    }
    for found in &all {
        for known in ["manpages/nethsm-cli.1", "shell_completions/_nethsm-cli"] {
            if !found.iter().any(|(path, _)| path.ends_with(known)) {
                problems.push(format!("just generate: writes no {known}"));
            }
        }
    }
    Ok(problems)
}

/// What `just generate` writes of `packages`, which is gone afterwards.
fn written(packages: &[&str], target: Option<&Path>) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let (just, workspace) = (JUST.ensure()?, Workspace::get()?);
    let tree = workspace.workspace_root.as_path();
    let output = target.unwrap_or(tree).join("output");
    let empty = || match output.is_dir() {
        true => std::fs::remove_dir_all(&output).because("cannot empty the output folder"),
        false => Ok(()),
    };
    empty()?;
    for (kind, package) in packages
        .iter()
        .flat_map(|name| KINDS.map(|kind| (kind, *name)))
    {
        let recipe = Program::new(&just).folder(tree);
        let recipe = recipe.args(["generate", kind, package]);
        match target {
            Some(target) => recipe.env("CARGO_TARGET_DIR", target).run()?,
            None => recipe.run()?,
        }
    }
    let found = contents(&output)?;
    empty()?;
    Ok(found)
}

/// Everything in the folders of a folder, in order.
fn contents(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut found = Vec::new();
    for kind in files(folder)? {
        for file in files(&kind)? {
            let bytes = std::fs::read(&file);
            let bytes = bytes.because(format_args!("cannot read {}", file.display()))?;
            found.push((file, bytes));
        }
    }
    Ok(found)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let attempt = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).because(attempt())? {
        files.push(entry.because(attempt())?.path());
    }
    files.sort();
    Ok(files)
}

/// The packages meant; one that is not here gets a clear answer.
fn chosen(package: Option<&str>) -> Result<Vec<&'static Documented>> {
    let chosen: Vec<_> = PACKAGES
        .iter()
        .filter(|known| package.is_none_or(|name| name == known.package))
        .collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let known: Vec<_> = PACKAGES.iter().map(|known| known.package).collect();
    Err(Failure::new(format!(
        "no package {} is installed from this tree; there are {}",
        package.unwrap_or_default(),
        known.join(", ")
    )))
}

/// `built` is where the generator has been built already, if it has.
fn generate(kind: &str, package: &str, folder: &Path, built: Option<&Path>) -> Result<()> {
    make_folder(folder)?;
    let generator = match built {
        Some(built) => Program::new(built.join("xtask-pages")),
        None => Workspace::get()?
            .cargo()
            .args(["run", "--quiet", "--locked", "--package", "xtask"])
            .args(["--features", "pages", "--bin", "xtask-pages", "--"]),
    };
    generator.args([kind, package]).arg(folder).run()
}

fn here(options: &Options) -> Result<PathBuf> {
    std::path::absolute(&options.folder)
        .because(format_args!("cannot find {}", options.folder.display()))
}
