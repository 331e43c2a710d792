//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::report::Output;
use crate::screen::Colour;
use crate::secret::{FORMS, Source};
use crate::{
    backup, certificates, cluster, config, cred, doctor, health, key, metrics, namespace, openpgp,
    profiles, provision, run, schema, system, tls, update, user,
};

/// Manage NetHSMs, use their keys, and keep an eye on them
///
/// Devices stand in a profile (`nethsm-cli device add`), with the users that ask them (`nethsm-cli cred
/// add`); or everything is said on the command line. A command asks with the user of the profile that
/// has the role that it takes.
///
/// Every option has a variable of the environment, but for those by which somebody agrees to one thing: the
/// options of one command have NETHSM_, the command and the option, as NETHSM_KEY_GENERATE_LENGTH. What stands on
/// the command line counts more.
#[derive(Debug, Parser)]
#[command(
    name = "nethsm-cli",
    version,
    max_term_width = 100,
    subcommand_required = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every command takes.
#[derive(Args, Debug)]
pub(crate) struct Globals {
    /// A device of the profile, or @GROUP; several times for several devices at once
    #[arg(
        short,
        long = "device",
        global = true,
        value_name = "LABEL",
        env = "NETHSM_DEVICE",
        value_delimiter = ',',
        help_heading = "Devices"
    )]
    pub(crate) devices: Vec<String>,
    /// All devices of the profile
    #[arg(long, global = true, env = "NETHSM_ALL", help_heading = "Devices")]
    pub(crate) all: bool,
    /// A device that is in no profile: HOST, HOST:PORT or a whole address
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        env = "NETHSM_URL",
        help_heading = "Devices"
    )]
    pub(crate) url: Option<String>,
    /// The SHA-256 of its TLS certificate, instead of that of the profile
    #[arg(
        long,
        global = true,
        value_name = "SHA256",
        env = "NETHSM_PIN",
        conflicts_with = "ca",
        help_heading = "Devices"
    )]
    pub(crate) pin: Option<String>,
    /// The file with the authority that has signed its TLS certificate
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "NETHSM_CA",
        help_heading = "Devices"
    )]
    pub(crate) ca: Option<PathBuf>,
    /// The profile [default: nethsm-cli/config.toml below XDG_CONFIG_HOME]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "NETHSM_CONFIG",
        help_heading = "Devices"
    )]
    pub(crate) config: Option<PathBuf>,

    /// Who asks: ID, or NAMESPACE~ID
    #[arg(
        short,
        long,
        global = true,
        value_name = "ID",
        env = "NETHSM_USER",
        help_heading = "Users"
    )]
    pub(crate) user: Option<String>,
    /// Ask with the users of the profile that are in this namespace
    #[arg(
        long,
        global = true,
        value_name = "NAMESPACE",
        env = "NETHSM_AS_NAMESPACE",
        help_heading = "Users"
    )]
    pub(crate) as_namespace: Option<String>,
    #[arg(long, global = true, value_name = "SOURCE", env = "NETHSM_PASSPHRASE_FROM", hide_env_values = true, help_heading = "Users", help = format!("Where the passphrase comes from: {FORMS}"))]
    pub(crate) passphrase_from: Option<Source>,
    /// The file with the passphrase
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "NETHSM_PASSPHRASE_FILE",
        conflicts_with = "passphrase_from",
        help_heading = "Users"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// How to say what there is to say
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        value_enum,
        default_value = "text",
        env = "NETHSM_OUTPUT",
        help_heading = "Manners"
    )]
    pub(crate) output: Output,
    /// Stop before the first change, and say which it is
    #[arg(long, global = true, env = "NETHSM_DRY_RUN", help_heading = "Manners")]
    pub(crate) dry_run: bool,
    /// Agree to what cannot be undone
    #[arg(long, global = true, env = "NETHSM_YES", help_heading = "Manners")]
    pub(crate) yes: bool,
    /// How long an operation may take, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u16).range(1..=3600), env = "NETHSM_TIMEOUT", help_heading = "Manners")]
    pub(crate) timeout: u16,
    /// How long connecting may take, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u16).range(1..=3600), env = "NETHSM_CONNECT_TIMEOUT", help_heading = "Manners")]
    pub(crate) connect_timeout: u16,
    /// How often to ask again where a failed login holds up the user
    #[arg(long, global = true, value_name = "COUNT", default_value = "3", value_parser = clap::value_parser!(u32).range(0..=60), env = "NETHSM_RETRIES", help_heading = "Manners")]
    pub(crate) retries: u32,
    /// How many devices or keys to ask at the same time
    #[arg(long, global = true, value_name = "COUNT", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=64), env = "NETHSM_PARALLEL", help_heading = "Manners")]
    pub(crate) parallel: u16,
    /// Whether to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        env = "NETHSM_COLOR",
        help_heading = "Manners"
    )]
    pub(crate) color: Colour,
    /// Say on standard error what is asked and how long it takes, never with what is secret
    #[arg(long, global = true, env = "NETHSM_TRACE", help_heading = "Manners")]
    pub(crate) trace: bool,
}

impl Globals {
    /// Where the passphrase of the user comes from, if the command line says.
    pub(crate) fn passphrase(&self) -> Option<Source> {
        let file = self.passphrase_file.clone().map(Source::File);
        file.or_else(|| self.passphrase_from.clone())
    }

    /// The time for one operation.
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Devices of the profile
    #[command(subcommand)]
    Device(profiles::DeviceVerb),
    /// Users of the profile, and where their passphrases come from
    #[command(subcommand)]
    Cred(cred::CredVerb),
    /// Vendor and product
    Info,
    /// Unprovisioned, Locked, Operational or Failed
    State,
    /// Whether the device lives, is ready, and what ails it
    #[command(subcommand)]
    Health(health::HealthVerb),
    /// State, version and age of what matters, of each device in one line
    Status(health::StatusOptions),
    /// Certificates of keys and of the device itself, and until when they are valid (Administrator, Operator)
    Certificates(certificates::Certificates),
    /// What is wrong or will be, in the profile and on its devices, and what to do
    ///
    /// Ends with status 11 if there are warnings, with 12 if there are errors. Changes nothing. Of a user who
    /// makes backups it begins one and takes nothing of it.
    Doctor(doctor::Doctor),
    /// Wait for a state
    Wait(health::Wait),
    /// Counters of the device (Metrics)
    Metrics(metrics::Metrics),
    /// Try everything out that a device does, on one that is Unprovisioned, and empty it again
    ///
    /// Makes users and keys with random passphrases, signs, decrypts, makes a backup, and resets the device
    /// to factory state whatever happens; its TLS key is another one then.
    Selftest,
    /// Make a fresh device operational
    Provision(provision::Provision),
    /// Make a locked device operational
    Unlock(provision::Unlock),
    /// Lock the device: keys cannot be used until it is unlocked (Administrator)
    Lock,
    /// Random bytes of the device (Operator)
    Random(provision::Random),
    /// The device itself: what it is, restart, end, factory reset
    #[command(subcommand)]
    System(system::SystemVerb),
    /// Software of the device
    #[command(subcommand)]
    Update(update::UpdateVerb),
    /// Backups
    #[command(subcommand)]
    Backup(backup::BackupVerb),
    /// Users of the device
    #[command(subcommand)]
    User(user::UserVerb),
    /// Namespaces: administrators with keys of their own
    #[command(subcommand)]
    Namespace(namespace::NamespaceVerb),
    /// Keys
    #[command(subcommand)]
    Key(key::KeyVerb),
    /// OpenPGP: certificates for keys of the device, and signatures
    #[command(subcommand)]
    Openpgp(openpgp::OpenpgpVerb),
    /// The key and certificate by which the device proves who it is
    #[command(subcommand)]
    Tls(tls::TlsVerb),
    /// Settings of the device
    #[command(subcommand)]
    Config(config::ConfigVerb),
    /// Several devices with the same content
    #[command(subcommand)]
    Cluster(cluster::ClusterVerb),
    /// Run a program that asks the device as one of its users
    ///
    /// It finds NETHSM_DEVICE (or NETHSM_URL), NETHSM_PIN or NETHSM_CA, and NETHSM_USER, which this program
    /// understands, NETHSM_HOST and NETHSM_USERNAME, which nitropy does, and NETHSM_PASSPHRASE_FILE: a file in
    /// memory that it and what it starts can read. With several devices, or with --output, what it says is a part
    /// of the answer.
    Run(run::Run),
    /// What a command says with --output json, as JSON Schema
    Schema(schema::Schema),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
