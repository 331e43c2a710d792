//! `policy`: what keys sign.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use signstar_core::ArtifactKind;

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Say what the number of a refused artifact means
    ///
    /// Without a number, lists all of them.
    Explain(Explain),
    /// Have a file judged as if it had been sent
    ///
    /// Starts the same inspector as the login shell, with the rules of a key or none. Nothing is signed
    /// or recorded. Ends with 65 if the artifact is refused.
    Try(TryArtifact),
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The number
    pub(crate) number: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct TryArtifact {
    /// What it must be, without further rules
    #[arg(
        long,
        value_name = "KIND",
        value_enum,
        required_unless_present = "key",
        conflicts_with = "key"
    )]
    pub(crate) kind: Option<Kind>,

    /// The key that would sign it, with its rules
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<String>,

    /// The account that would send it, with its rules
    #[arg(long, value_name = "NAME", requires = "key")]
    pub(crate) user: Option<String>,

    /// The artifact
    pub(crate) file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A package for pacman
    PacmanPackage,
    /// A repository's database
    PacmanDatabase,
    /// An image with an ISO 9660 file system
    Iso,
}

impl From<Kind> for ArtifactKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::PacmanPackage => Self::PacmanPackage,
            Kind::PacmanDatabase => Self::PacmanDatabase,
            Kind::Iso => Self::Iso,
        }
    }
}
