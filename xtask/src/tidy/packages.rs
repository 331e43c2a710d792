//! Packages: what may depend on what, shared lints, and dependencies that nothing uses.

use super::Tree;
use crate::workspace::{Dependency, Package, Workspace};

/// Which own packages a package may be built from. Nothing points back.
const ARROWS: [(&str, &[&str]); 19] = [
    (
        "nethsm-cli",
        &[
            "signstar-certificate",
            "signstar-console",
            "signstar-core",
            "signstar-nethsm",
        ],
    ),
    (
        "signstar-console",
        &["signstar-certificate", "signstar-core", "signstar-nethsm"],
    ),
    ("signstar-core", &[]),
    ("signstar-confine", &[]),
    ("signstar-smartcard", &["signstar-core"]),
    ("signstar-software", &["signstar-core"]),
    ("signstar-tpm", &["signstar-core"]),
    ("signstar-nethsm", &["signstar-core"]),
    ("signstar-pkcs11", &["signstar-core"]),
    ("signstar-certificate", &["signstar-core"]),
    ("signstar-inspector", &["signstar-core", "signstar-confine"]),
    (
        "signstar",
        &[
            "signstar-core",
            "signstar-confine",
            "signstar-nethsm",
            "signstar-pkcs11",
            "signstar-smartcard",
            "signstar-software",
            "signstar-tpm",
        ],
    ),
    (
        "signstar-pkcs11-worker",
        &["signstar-core", "signstar-confine", "signstar-pkcs11"],
    ),
    (
        "signstar-pkcs11-provisioner",
        &["signstar-core", "signstar-pkcs11", "signstar-pkcs11-worker"],
    ),
    (
        "signstar-admin",
        &[
            "signstar",
            "signstar-core",
            "signstar-confine",
            "signstar-certificate",
            "signstar-console",
            "signstar-nethsm",
            "signstar-pkcs11",
            "signstar-smartcard",
            "signstar-software",
            "signstar-tpm",
        ],
    ),
    // For tests only: nothing is built from it.
    (
        "signstar-testkit",
        &[
            "signstar-core",
            "signstar-confine",
            "signstar-nethsm",
            "signstar-nethsm-simulator",
            "signstar-pkcs11",
        ],
    ),
    ("signstar-nethsm-simulator", &[]),
    ("signstar-virtual-card", &[]),
    ("xtask", &["nethsm-cli", "signstar-admin"]),
];

/// Packages that know OpenPGP. Back ends know digests only; certificates are never made in the
/// shell, which reaches OpenPGP through the core.
const OPENPGP: [&str; 4] = [
    "signstar-core",
    "signstar-certificate",
    "signstar-admin",
    "xtask",
];

/// Packages whose library has a name of its own.
const LIBRARIES: [(&str, &str); 1] = [("md-5", "md5")];

/// Everything that a manifest gets wrong.
pub(crate) fn problems(tree: &Tree, workspace: &Workspace) -> Vec<String> {
    let mut problems = Vec::new();
    for package in &workspace.packages {
        problems.extend(arrows(package, workspace));
        problems.extend(lints(package, tree, workspace));
        problems.extend(unused(package, tree, workspace));
    }
    problems.extend(unused_in_workspace(tree));
    problems
}

fn arrows(package: &Package, workspace: &Workspace) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
        return vec![format!(
            "{}: say what it may depend on in tidy/packages.rs",
            package.name
        )];
    };
    let built = package
        .dependencies
        .iter()
        .filter(|d| d.kind.as_deref() != Some("dev"));
    let mut problems = Vec::new();
    for Dependency { name, .. } in built {
        let own = workspace.package(name).is_some();
        if own && !allowed.contains(&name.as_str()) {
            problems.push(format!("{}: must not depend on {name}", package.name));
        }
        if name == "sequoia-openpgp" && !OPENPGP.contains(&package.name.as_str()) {
            problems.push(format!("{}: must not know OpenPGP", package.name));
        }
    }
    problems
}

fn lints(package: &Package, tree: &Tree, workspace: &Workspace) -> Option<String> {
    let manifest = manifest(package, workspace);
    let text = tree.files.iter().find(|file| file.path == manifest)?;
    let shared = text.text.contains("[lints]\nworkspace = true");
    (!shared).then(|| format!("{manifest}: add `[lints]` with `workspace = true`"))
}

/// A dependency whose name stands in no source of the package is not used.
fn unused(package: &Package, tree: &Tree, workspace: &Workspace) -> Vec<String> {
    let folder = workspace.relative(package.folder()).to_string_lossy();
    let used = |name: &str| {
        let library = LIBRARIES.iter().find(|(package, _)| *package == name);
        let name = library.map_or_else(|| name.replace('-', "_"), |(_, name)| (*name).to_owned());
        let mut sources = tree
            .files
            .iter()
            .filter(|file| file.is_rust() && file.under(&folder));
        sources.any(|file| mentions(&file.text, &name))
    };
    package
        .dependencies
        .iter()
        // A package that names itself among its dev-dependencies turns on a feature of its own.
        .filter(|dependency| dependency.name != package.name && !used(&dependency.name))
        .map(|dependency| format!("{}: {} is not used", package.name, dependency.name))
        .collect()
}

/// Whether `name` stands in `text` as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    let word = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(name).any(|(start, found)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text
            .get(start + found.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

/// Each entry of the shared table is used by a package.
fn unused_in_workspace(tree: &Tree) -> Vec<String> {
    let Some(root) = tree.files.iter().find(|file| file.path == "Cargo.toml") else {
        return vec!["Cargo.toml: is not there".to_owned()];
    };
    let manifests: Vec<&str> = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .map(|file| file.text.as_str())
        .collect();
    let table = root
        .text
        .split("[workspace.dependencies]")
        .nth(1)
        .unwrap_or_default();
    table
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with(|char: char| char.is_ascii_alphabetic()))
        .filter_map(|line| line.split([' ', '=']).next())
        .filter(|name| {
            let short = format!("{name}.workspace");
            let long = format!("{name} = {{ workspace");
            !manifests
                .iter()
                .any(|text| text.contains(&short) || text.contains(&long))
        })
        .map(|name| format!("Cargo.toml: no package uses {name}"))
        .collect()
}

fn manifest(package: &Package, workspace: &Workspace) -> String {
    workspace
        .relative(&package.manifest_path)
        .to_string_lossy()
        .into_owned()
}
