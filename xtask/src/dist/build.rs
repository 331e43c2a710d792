//! Builds in which nothing of the machine's paths is left.

use std::path::{Path, PathBuf};

use crate::failure::Result;
use crate::program::Program;
use crate::release::{FEATURES, INSPECTOR, PROVISIONER, WORKER};
use crate::tools::targets::{self, AARCH64};

use super::epoch;

/// A program that is released.
pub(crate) struct Released {
    /// Package and program have one name.
    pub(crate) package: &'static str,
    /// Features, where they are not the default ones.
    pub(crate) features: Option<&'static str>,
    /// Where it is installed.
    pub(crate) folder: &'static str,
    /// What it is built for.
    linkage: Linkage,
}

/// How a program gets its libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linkage {
    /// It has them.
    Static,
    /// It needs those of the system, since it loads others that do.
    System,
}

/// Every program.
pub(crate) const RELEASED: [Released; 6] = [
    Released {
        package: "signstar",
        features: Some(FEATURES),
        folder: "usr/bin",
        linkage: Linkage::Static,
    },
    Released {
        package: "signstar-admin",
        features: None,
        folder: "usr/bin",
        linkage: Linkage::Static,
    },
    Released {
        package: "nethsm-cli",
        features: None,
        folder: "usr/bin",
        linkage: Linkage::Static,
    },
    Released {
        package: INSPECTOR,
        features: None,
        folder: "usr/lib/signstar",
        linkage: Linkage::Static,
    },
    Released {
        package: WORKER,
        features: None,
        folder: "usr/lib/signstar",
        linkage: Linkage::System,
    },
    Released {
        package: PROVISIONER,
        features: None,
        folder: "usr/lib/signstar",
        linkage: Linkage::System,
    },
];

impl Released {
    /// What it is built for where the static programs are for `target`.
    pub(crate) fn target_for(&self, target: &str) -> Option<String> {
        match self.linkage {
            Linkage::Static => Some(target.to_owned()),
            // Libraries of the system are those of this machine.
            Linkage::System => {
                (target == targets::release()).then(|| target.replace("-musl", "-gnu"))
            }
        }
    }
}

/// Builds `program` from the tree at `source`.
pub(super) fn build(
    source: &Path,
    into: &Path,
    program: &Released,
    target: &str,
) -> Result<PathBuf> {
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    // The last one that fits counts.
    let flags: Vec<String> = [
        (source, "/usr/src/signstar"),
        (into, "/usr/src/built"),
        (cargo_home.as_path(), "/usr/src/cargo"),
    ]
    .iter()
    .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
    .collect();
    let mut cargo = Program::cargo()
        .folder(source)
        .args(["build", "--release", "--locked", "--target", target])
        .args(["--package", program.package, "--bin", program.package])
        .arg("--target-dir")
        .arg(into);
    if let Some(features) = program.features {
        cargo = cargo.args(["--no-default-features", "--features", features]);
    }
    if target == AARCH64 {
        // The compiler brings all that linking needs.
        cargo = cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld");
    }
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("SOURCE_DATE_EPOCH", epoch()?)
        .run()?;
    Ok(into.join(target).join("release").join(program.package))
}
