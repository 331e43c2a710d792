//! Which files there are, and how long they may be.

use super::{File, Tree};
use crate::failure::{Because, Result};
use crate::workspace::Workspace;

/// A source over this many lines has an entry in [`LONG`].
const LINES_MAX: usize = 400;

/// Tables of cases make tests longer.
const TEST_LINES_MAX: usize = 600;

/// Sources that are longer, each with the reason.
const LONG: [(&str, &str); 0] = [];

/// What may lie at the top of the tree.
const TOP: [&str; 31] = [
    ".cargo",
    ".ci",
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".gitlab-ci.yml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "DEVELOPERS.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "justfile",
    "nethsm-cli",
    "output",
    "packaging",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "signstar-backends",
    "signstar-cli",
    "signstar-core",
    "target",
    "xtask",
];

/// Everything that is in the wrong place or too long.
pub(crate) fn problems(tree: &Tree, workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = top_level(workspace)?;
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        problems.extend(length(file));
        if file.path.ends_with("/mod.rs") {
            problems.push(format!(
                "{}: name the module's file after the module",
                file.path
            ));
        }
        if !file.is_test() && !file.text.starts_with("//!") {
            problems.push(format!("{}: begin with a `//!` header", file.path));
        }
    }
    for (path, _) in LONG {
        if !tree.files.iter().any(|file| file.path == path) {
            problems.push(format!(
                "{path}: is gone, remove its entry in xtask/src/tidy/files.rs"
            ));
        }
    }
    Ok(problems)
}

fn length(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    let has_entry = LONG.iter().any(|(path, _)| *path == file.path);
    let path = &file.path;
    let most = if file.is_test() {
        TEST_LINES_MAX
    } else {
        LINES_MAX
    };
    match (lines > most, has_entry) {
        (true, false) => Some(format!("{path}: {lines} lines; more than one idea?")),
        (false, true) => Some(format!(
            "{path}: {lines} lines; its entry as long is not needed"
        )),
        _ => None,
    }
}

fn top_level(workspace: &Workspace) -> Result<Vec<String>> {
    let root = &workspace.workspace_root;
    let mut problems = Vec::new();
    for entry in std::fs::read_dir(root).because("cannot read the top of the tree")? {
        let name = entry
            .because("cannot read the top of the tree")?
            .file_name();
        if !TOP.iter().any(|allowed| name == *allowed) {
            problems.push(format!(
                "{}: does not belong at the top",
                name.to_string_lossy()
            ));
        }
    }
    Ok(problems)
}
