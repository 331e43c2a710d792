//! Where things are, and what cargo knows about the packages of this workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::failure::{Because, Failure, Result};
use crate::program::Program;

/// What `cargo metadata` says, as far as it is used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// Every package of the workspace (dependencies are left out).
    pub(crate) packages: Vec<Package>,
    /// The root of the tree.
    pub(crate) workspace_root: PathBuf,
    /// Where cargo builds.
    pub(crate) target_directory: PathBuf,
}

/// One package of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its manifest.
    pub(crate) manifest_path: PathBuf,
    /// What it depends on, in every way.
    pub(crate) dependencies: Vec<Dependency>,
    /// Its features and what each turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// One edge from a package.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package depended on.
    pub(crate) name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// Whether only a feature turns it on.
    pub(crate) optional: bool,
}

impl Package {
    /// The folder of the package.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// The dependencies that a build of it links.
    pub(crate) fn normal_dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.kind.is_none())
    }
}

impl Workspace {
    /// This workspace, asked once of cargo.
    pub(crate) fn get() -> Result<&'static Self> {
        static WORKSPACE: OnceLock<Workspace> = OnceLock::new();
        if let Some(known) = WORKSPACE.get() {
            return Ok(known);
        }
        let read = Self::read()?;
        Ok(WORKSPACE.get_or_init(|| read))
    }

    fn read() -> Result<Self> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map(PathBuf::from)
            .ok_or_else(|| Failure::new("start this as `cargo xtask`"))?;
        let text = Program::cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .folder(&own)
            .output()?;
        serde_json::from_str(&text).because("cannot understand `cargo metadata`")
    }

    /// The package called `name`, if it is here.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// A path inside the tree.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.workspace_root.join(relative)
    }

    /// `path` as seen from the root, for messages.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.workspace_root).unwrap_or(path)
    }

    /// The cargo that started us, at the root of the tree.
    pub(crate) fn cargo(&self) -> Program {
        Program::cargo().folder(&self.workspace_root)
    }
}

/// Whether this runs unattended, where what is absent is a failure.
pub(crate) fn unattended() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
