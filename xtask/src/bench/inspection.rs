//! The inspector alone, as `cat FILE | signstar-inspector KIND`, beside what only unpacks and hashes the
//! same file: it cannot do less, since it looks at all that comes out.
//!
//! The packages are made of the compiler's own libraries, which are programs of the kind that packages
//! contain. It runs outside the throwaway enclave: it needs no key.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::contest::{Contestant, Input, in_turns};
use super::repetitions;
use super::table::Table;
use crate::failure::{Because, Failure, Result};
use crate::program::Program;
use crate::release;
use crate::tools::system;
use crate::workspace::Workspace;

/// Rounds for each artifact.
const ROUNDS: u32 = 9;

/// What the large package is measured against, and how near it must come: three times would be too slow.
const GOAL: f64 = 1.5;
const BOUND: f64 = 3.0;

/// An artifact and who unpacks it.
struct Artifact {
    title: &'static str,
    file: &'static str,
    kind: &'static str,
    /// What only reads it, as a shell command for a file.
    plain: &'static str,
}

const ARTIFACTS: [Artifact; 6] = [
    Artifact {
        title: "package, zstd, about 100 MB",
        file: "large.pkg.tar.zst",
        kind: "pacman-package",
        plain: "zstd -tq",
    },
    Artifact {
        title: "package, zstd -9, the same",
        file: "large-9.pkg.tar.zst",
        kind: "pacman-package",
        plain: "zstd -tq",
    },
    Artifact {
        title: "package, zstd, about 1 MB",
        file: "small.pkg.tar.zst",
        kind: "pacman-package",
        plain: "zstd -tq",
    },
    Artifact {
        title: "package, xz, about 1 MB",
        file: "small.pkg.tar.xz",
        kind: "pacman-package",
        plain: "xz -t",
    },
    Artifact {
        title: "database, gzip, 10,000 packages",
        file: "many.db.tar.gz",
        kind: "pacman-database",
        plain: "gzip -t",
    },
    Artifact {
        title: "image, about 200 MB",
        file: "image.iso",
        kind: "iso",
        plain: "test -s",
    },
];

/// Makes the artifacts, measures, and takes them away.
pub(crate) fn run(effort: u32) -> Result<Vec<Table>> {
    system::ensure(&system::TESTS)?;
    let inspector = release::inspector()?;
    let folder = Workspace::get()?.target_directory.join("bench-inspection");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).because("cannot make a folder")?;
    println!("making artifacts");
    Program::new("bash")
        .args(["-euc", include_str!("inspection.sh")])
        .env("SYSROOT", sysroot()?)
        .folder(&folder)
        .run()?;
    let rounds = repetitions(ROUNDS, effort);
    let tables = ARTIFACTS
        .iter()
        .map(|artifact| measure(artifact, &inspector, &folder, rounds))
        .collect();
    let _ = std::fs::remove_dir_all(&folder);
    tables
}

fn sysroot() -> Result<PathBuf> {
    let said = Program::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let path = PathBuf::from(said.trim());
    match path.join("lib").is_dir() {
        true => Ok(path),
        false => Err(Failure::new("the compiler has no libraries here")),
    }
}

fn measure(artifact: &Artifact, inspector: &Path, folder: &Path, rounds: u32) -> Result<Table> {
    let file = folder.join(artifact.file);
    let script = |name: &str, text: String| {
        let words = [file.clone(), inspector.to_owned()];
        Contestant::new(name, move || {
            let mut command = Command::new("sh");
            command.args(["-euc", &text, "sh"]).args(&words);
            command
        })
    };
    let Artifact { kind, plain, .. } = artifact;
    let hash = "openssl dgst -sha512 \"$1\" > /dev/null";
    let both = format!("{plain}, then sha512");
    let contestants = [
        // What it says must be an acceptance: two zeros behind the mark and its version.
        script(
            "signstar-inspector",
            format!("test \"$(cat \"$1\" | \"$2\" {kind} | od -An -tx1 -j4 -N2)\" = ' 00 00'"),
        ),
        script(&both, format!("{plain} \"$1\"; {hash}")),
        script(plain, format!("{plain} \"$1\"")),
        script("sha512", hash.to_owned()),
    ];
    let bytes = std::fs::metadata(&file).because("cannot see an artifact")?;
    let table = Table {
        title: format!("Inspection: {}, {} bytes", artifact.title, bytes.len()),
        unit: "ms",
        repetitions: rounds,
        rows: in_turns(&contestants, Input::Bytes(&[]), rounds)?,
        goals: Vec::new(),
    };
    Ok(match artifact.file {
        "large.pkg.tar.zst" => table.at_most(&both, GOAL).at_most(&both, BOUND),
        _ => table,
    })
}
