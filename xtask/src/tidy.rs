//! Rules of the tree that the compiler does not keep: where things live, what depends on what,
//! and what must be absent. The rules are those of ARCHITECTURE.md.

mod files;
mod own_code;
mod packages;
mod shell_features;
mod source;
mod words;

use std::path::{Path, PathBuf};

use crate::failure::{Because, Result, none_of};
use crate::workspace::Workspace;

/// Folders that hold what tools left behind.
const SKIPPED: [&str; 6] = [
    "target",
    "output",
    ".git",
    "corpus",
    "artifacts",
    "node_modules",
];

/// Every file of the tree, read once.
pub(crate) struct Tree {
    files: Vec<File>,
}

/// One text file.
pub(crate) struct File {
    /// From the root of the tree, with `/`.
    path: String,
    text: String,
}

/// Checks every rule and lists everything that breaks one.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::get()?;
    let tree = Tree::read(&workspace.workspace_root)?;
    let mut problems = Vec::new();
    problems.extend(files::problems(&tree, workspace)?);
    problems.extend(words::problems(&tree, workspace));
    problems.extend(packages::problems(&tree, workspace));
    problems.extend(shell_features::problems(workspace));
    problems.extend(own_code::problems(&tree));
    none_of(
        &problems,
        "see the lines above; the rules are in xtask/src/tidy",
    )
}

impl Tree {
    fn read(root: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        walk(root, &mut paths)?;
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let bytes =
                std::fs::read(&path).because(format_args!("cannot read {}", path.display()))?;
            // What is not text (test vectors, keys) has no rules here.
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let path = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            files.push(File { path, text });
        }
        Ok(Self { files })
    }

    /// Rust sources that end up in what is built for users.
    fn shipped(&self) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(|file| file.is_rust() && !file.is_test())
    }
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Tests, examples and fuzz targets, by their place.
    fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        parts.any(|part| {
            ["tests", "tests.rs", "examples", "benches", "fuzz"].contains(&part)
                || part.ends_with("_tests.rs")
        })
    }

    /// Whether it lies under `folder`.
    fn under(&self, folder: &str) -> bool {
        self.path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let reading = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).because(reading())? {
        let entry = entry.because(reading())?;
        let kind = entry.file_type().because(reading())?;
        let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
        if kind.is_dir() && !skipped {
            walk(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}
