//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use signstar_software::Kind;

/// Keys, certificates and checks of a Signstar enclave
///
/// Keys are named as in the configuration: `--key packages` means `[key.packages]`.
///
/// Ends with a status from sysexits(3): 0 if all is well, 64 if the command line is wrong, 65 if a
/// file is, 69 if a device cannot be reached, 70 if something inside went wrong, 73 if a file
/// cannot be created or exists already, 74 if it cannot be read or written, 77 if the permission is
/// missing, 78 if the configuration is wrong. Diagnostics are shown with RUST_LOG=debug.
#[derive(Debug, Parser)]
#[command(
    name = "signstar-admin",
    version,
    max_term_width = 100,
    subcommand_required = true
)]
pub(crate) struct Cli {
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", default_value = signstar::config::PATH)]
    pub(crate) config: PathBuf,

    /// How to say what there is to say
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        value_enum,
        default_value = "text"
    )]
    pub(crate) output: Output,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs: one object
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Secret keys
    Key {
        #[command(subcommand)]
        verb: KeyVerb,
    },
    /// Certificates: what verifiers have of a key
    Cert {
        #[command(subcommand)]
        verb: CertVerb,
    },
    /// The configuration
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// What keeps a taken-over login shell from doing harm
    Sandbox {
        #[command(subcommand)]
        verb: SandboxVerb,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Make a secret key for the back end `software`
    ///
    /// Writes the secret key file that the configuration names, mode 0440, owned by root and the
    /// group of the account that signs with it. If the configuration names a passphrase file, its
    /// passphrase protects the key.
    Generate(Generate),
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

#[derive(Debug, Subcommand)]
pub(crate) enum CertVerb {
    /// Make a certificate, signed by the key itself, and its revocation
    ///
    /// Writes the certificate that the configuration names, and beside it `NAME.revocation.asc`:
    /// a signature that ends the life of the key when it is published. Keep that one in a safe and
    /// not on this machine.
    Create(Create),
    /// Show what the certificate says, and whether it is valid now
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// Whose key it is, customarily `Name <address@example.org>`
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: String,
    /// From when on the key is no longer valid: a date (2030-12-31) or a time from now (2years)
    ///
    /// Without it the key does not expire.
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// Where the revocation goes, instead of beside the certificate
    #[arg(long, value_name = "FILE")]
    pub(crate) revocation: Option<PathBuf>,
    /// Replace a certificate and a revocation that are there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// Print the certificate itself, ASCII-armored, to be given to those who verify
    #[arg(long)]
    pub(crate) armor: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Name everything that is wrong with the configuration and with what it names
    ///
    /// Reads it as the login shell does, then opens each certificate and device and compares their
    /// keys, the audit sink, and the accounts. Run it as root, after every change.
    Check(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Check this file, instead of the one of --config
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxVerb {
    /// Try to break out of the sandbox of the login shell, on this machine
    ///
    /// Each attempt is made by a process of its own: without defence, where it shows that it would
    /// work, then under the system call filter of the login shell, which must kill it, and under
    /// Landlock alone where that sees it. Nothing outside of these processes is changed.
    Selftest,
    /// Make one attempt
    #[command(hide = true)]
    Attempt(Attempt),
}

#[derive(Debug, Args)]
pub(crate) struct Attempt {
    pub(crate) name: String,
    #[arg(value_enum)]
    pub(crate) defence: Defence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Defence {
    None,
    Landlock,
    Filter,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
