//! `device …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Where the kernel's resource manager is.
const TPM: &str = "/dev/tpmrm0";

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceVerb {
    /// List the cards, the TPM and the PKCS#11 tokens of this machine, and what is in them
    ///
    /// Needs no configuration: it shows what a configuration has to name. Tokens are those of the modules of
    /// the configuration, if there is one, and of `--module`; shown is what can be seen without a PIN. Ends
    /// with status 69 if one kind of device cannot be looked at.
    List(ListDevices),
    /// Make the storage key of a TPM, and say what to write into the configuration
    ///
    /// Do this once, at the console of a machine that you trust: the Name that it shows is how the
    /// TPM is known from then on. A key that is at the handle already is left as it is, and shown.
    StorageKey(StorageKey),
}

#[derive(Debug, Args)]
pub(crate) struct ListDevices {
    /// The TPM
    #[arg(long, value_name = "DEVICE", default_value = TPM)]
    pub(crate) tpm: PathBuf,
    /// A PKCS#11 module whose tokens to list, too
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,
    /// A variable that this module is configured by
    #[arg(long, value_name = "NAME=VALUE", requires = "module")]
    pub(crate) module_environment: Vec<String>,
    /// A file or folder that this module may read
    #[arg(long, value_name = "PATH", requires = "module")]
    pub(crate) module_read: Vec<PathBuf>,
    /// A file or folder that this module may change as well
    #[arg(long, value_name = "PATH", requires = "module")]
    pub(crate) module_write: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StorageKey {
    /// The TPM
    #[arg(long, value_name = "DEVICE", default_value = TPM)]
    pub(crate) tpm: PathBuf,
    /// Where to keep the key
    #[arg(long, default_value = "0x81000001")]
    pub(crate) handle: String,
    /// The file with the auth value of the TPM's owner, if it has one
    #[arg(long, value_name = "FILE")]
    pub(crate) owner_auth_file: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
