//! The command line.

mod audit;
mod cert;
mod device;
mod health;
pub(crate) mod key;
mod policy;
mod primary;
mod sshd;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use audit::{AuditVerb, CheckAudit, ListAudit, Which};
pub(crate) use cert::{
    CertVerb, Create, Export, Extend, Form, Offline, Reason, Revoke, Rotate, Show, Store, Storing,
};
pub(crate) use device::{DeviceVerb, ListDevices, StorageKey};
pub(crate) use health::Health;
pub(crate) use key::{AtNetHsm, Generate, Import, KeyVerb};
pub(crate) use policy::{Explain, PolicyVerb, TryArtifact};
pub(crate) use primary::{GeneratePrimary, PrimaryVerb};
pub(crate) use sshd::{Become, SshdCheck, SshdVerb, Try};

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
    /// Devices that hold keys, as long as no configuration names them
    Device {
        #[command(subcommand)]
        verb: DeviceVerb,
    },
    /// Secret keys
    Key {
        #[command(subcommand)]
        verb: KeyVerb,
    },
    /// Primary keys that are kept offline and certify keys of devices
    Primary {
        #[command(subcommand)]
        verb: PrimaryVerb,
    },
    /// Certificates: what verifiers have of a key
    Cert {
        #[command(subcommand)]
        verb: CertVerb,
    },
    /// What keys sign: refused artifacts, and whether one would be
    Policy {
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// The records of what was signed
    Audit {
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// Say in one line whether all is well, for a monitoring system
    ///
    /// Looks at the certificate of each key, at who can read its credential, at its device, at the sink
    /// of the records, and for intents without an outcome in them. No PIN is sent, nothing is signed or
    /// recorded. Run it as root.
    ///
    /// Ends as plugins for Nagios do: 0 if all is well, 1 with a warning, 2 if something is critical, 3
    /// if that cannot be said.
    Health(Health),
    /// The configuration
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// The sshd in front of the login shell
    Sshd {
        #[command(subcommand)]
        verb: SshdVerb,
    },
    /// Sign a file as sshd would have it signed, as a rehearsal
    ///
    /// Becomes USER and starts the installed login shell, with its sandbox and its records. These
    /// name an SSH key that nobody can have: they show that it was a rehearsal. The signature is
    /// verified and thrown away. Ends with status 69 if there is none. Run it as root.
    Try(Try),
    /// Become an account, then the login shell
    #[command(hide = true)]
    Become(Become),
    /// What keeps a taken-over login shell from doing harm
    Sandbox {
        #[command(subcommand)]
        verb: SandboxVerb,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Name everything that is wrong with the configuration and with what it names
    ///
    /// Reads it as the login shell does, then opens each certificate and device and compares their
    /// keys, the audit sink, and the accounts. What would be refused is a problem, what is unwise is
    /// advice. Run it as root, after every change.
    Check(Check),
    /// Say what each account may have signed, by which key, within which limits
    ///
    /// Shows where each value comes from: a line of the file, or the default.
    Explain(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Look at this file, instead of the one of --config
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
