//! `primary …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use signstar_core::KeyKind;

#[derive(Debug, Subcommand)]
pub(crate) enum PrimaryVerb {
    /// Make a primary key that certifies, and nothing else
    ///
    /// Writes an OpenPGP secret key file, which gpg and sq read too, and beside it
    /// `NAME.revocation.asc`: a signature that ends the life of the key and of all that it has
    /// certified. Do this on a machine without a network, and keep both files there or in a safe. The
    /// configuration is not needed.
    ///
    /// Asks for a passphrase, unless told where to find one.
    Generate(GeneratePrimary),
}

#[derive(Debug, Args)]
pub(crate) struct GeneratePrimary {
    /// Where the secret key goes
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Whose key it is, customarily `Name <address@example.org>`
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: String,
    /// ed25519, p256, p384, p521, rsa2048, rsa3072 or rsa4096
    #[arg(long, default_value_t = KeyKind::Ed25519)]
    pub(crate) kind: KeyKind,
    /// Make a key of version 6 (RFC 9580), which GnuPG and pacman do not read
    #[arg(long)]
    pub(crate) v6: bool,
    /// From when on the key is no longer valid: a date (2030-12-31) or a time from now (2years)
    ///
    /// Without it the key does not expire.
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// Take the passphrase from here, instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Leave the key unprotected
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) no_passphrase: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
