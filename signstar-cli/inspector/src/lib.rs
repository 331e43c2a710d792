//! Looks at an artifact before it is signed: is it a well-formed package, database or image, of the
//! kind and identity that the key may sign?
//!
//! The whole artifact streams through [`inspect`], which answers with what the artifact says it is,
//! or with a [`Finding`]. The login shell runs this in a process of its own that has nothing but the
//! bytes; whoever takes that process over can have something signed that is not well-formed, and
//! nothing more: the bytes that are signed are hashed elsewhere.
//!
//! docs/inspection.md is the specification of the formats' subset, and says what inspection cannot
//! prove.
//!
//! # What is deliberately absent
//! Repair, tolerance, and guessing: what two programs could read differently is refused. Plain
//! archives, bzip2, lz4 and whatever else pacman could read. Writing anything.

mod archive;
mod container;
mod database;
mod fields;
mod finding;
mod image;
mod mtree;
mod package;
mod rules;
mod source;

use std::io::Read;

pub use finding::{Code, Finding};
pub use rules::Rules;

/// What an artifact can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArtifactKind {
    /// A package for pacman, `*.pkg.tar.zst` say.
    #[default]
    PacmanPackage,
    /// A repository's database, `*.db` or `*.files`.
    PacmanDatabase,
    /// A bootable or other image with an ISO 9660 file system.
    Iso,
}

impl ArtifactKind {
    /// All of them, with the names that the configuration has for them.
    pub const ALL: [(&str, Self); 3] = [
        ("pacman-package", Self::PacmanPackage),
        ("pacman-database", Self::PacmanDatabase),
        ("iso", Self::Iso),
    ];
}

/// What an artifact says it is. What a kind does not have is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: ArtifactKind,
    /// The package's name, or the image's volume identifier.
    pub name: String,
    /// The name of what the package was built with others from.
    pub base: String,
    /// `[EPOCH:]VERSION-RELEASE`.
    pub version: String,
    /// What it runs on.
    pub architecture: String,
    /// Who built it, as they say.
    pub packager: String,
    /// The program that built it, as it says.
    pub build_tool: String,
    /// When it was built, in seconds since 1970, as it says.
    pub build_date: Option<u64>,
    /// Entries of a package, packages of a database.
    pub entries: u64,
    /// How many bytes it unpacks to.
    pub unpacked_bytes: u64,
}

/// Reads `input` to its end as an artifact of this kind.
///
/// # Errors
/// The first thing that is wrong with it, or that `rules` do not allow.
pub fn inspect<R: Read>(kind: ArtifactKind, rules: &Rules, input: R) -> Result<Identity, Finding> {
    match kind {
        ArtifactKind::PacmanPackage => package::inspect(input, rules),
        ArtifactKind::PacmanDatabase => database::inspect(input, rules),
        ArtifactKind::Iso => image::inspect(input, rules),
    }
}
