//! `key …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use signstar_software::Kind;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Make a secret key for the back end `software`
    ///
    /// Writes the secret key file that the configuration names, mode 0440, owned by root and the
    /// group of the account that signs with it. If the configuration names a passphrase file, its
    /// passphrase protects the key.
    Generate(Generate),
    /// List the keys of the configuration, and what their devices hold
    ///
    /// Opens each device. Ends with status 69 if one of them cannot be opened.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// ed25519, p256, p384, p521, rsa2048, rsa3072 or rsa4096
    #[arg(long, default_value = Kind::Ed25519.name())]
    pub(crate) kind: Kind,
    /// Make a key of version 6 (RFC 9580), which GnuPG and pacman do not read
    #[arg(long)]
    pub(crate) v6: bool,
    /// Take the passphrase from here, if the file of the configuration is not there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The group that may read the file, by name or number
    ///
    /// Needed if accounts of several groups sign with the key, or none does.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Replace a key that is there, which is lost then
    #[arg(long)]
    pub(crate) force: bool,
}
