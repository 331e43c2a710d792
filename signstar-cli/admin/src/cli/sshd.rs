//! `sshd …` and `try`

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum SshdVerb {
    /// Name every rule of a sound deployment that does not hold
    ///
    /// Asks sshd what holds for each account of the configuration, and looks at accounts, files of
    /// keys, and who can change them. Each finding says how to mend it. Run it as root, after every
    /// change.
    Check(SshdCheck),
}

#[derive(Debug, Args)]
pub(crate) struct SshdCheck {
    /// The configuration of sshd
    #[arg(long, value_name = "FILE", default_value = "/etc/ssh/sshd_config")]
    pub(crate) sshd_config: PathBuf,
    /// The address to come from, for Match blocks that ask
    #[arg(long, default_value = "192.0.2.1")]
    pub(crate) address: std::net::IpAddr,
    /// The host name to come from, for Match blocks that ask
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// The port of sshd, for Match blocks that ask
    #[arg(long, default_value = "22")]
    pub(crate) port: u16,
    /// The unit that sshd runs in and its drop-ins, in their order, for keys in NetHSMs [default: the
    /// packaged one, where it is installed]
    #[arg(long, value_name = "FILE")]
    pub(crate) unit: Vec<PathBuf>,
    /// The rules of nftables, for keys in NetHSMs [default: /etc/nftables.conf, where it is
    /// about accounts]
    #[arg(long, value_name = "FILE")]
    pub(crate) nftables: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// The account that signs
    pub(crate) user: String,
    /// What to sign
    pub(crate) file: PathBuf,
    /// Keep the signature, in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) keep: Option<PathBuf>,
    /// Declare size and digest, as a key can require
    #[arg(long)]
    pub(crate) declare: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Become {
    pub(crate) user: String,
}
