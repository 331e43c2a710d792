//! `cert …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::key::{AtNetHsm, OnNetHsm};

#[derive(Debug, Subcommand)]
pub(crate) enum CertVerb {
    /// Make a certificate for the key on a device, and its revocation
    ///
    /// By itself the key on the device becomes the certificate's primary key, and signs for itself.
    /// With `--primary` it becomes a subkey that signs data, bound by a primary key that is kept
    /// offline; the certificate has the user IDs of that one.
    ///
    /// Writes the certificate that the configuration names, and beside it `NAME.revocation.asc`,
    /// which ends the life of the device's key when it is published. Keep that one in a safe and not
    /// on this machine.
    Create(Create),
    /// Show what the certificate says, and whether it is valid now
    Show(Show),
    /// Have the NetHSM keep the certificate beside its key
    ///
    /// It is what `cert show` and `cert export` read with --from-device. Do it again after every change.
    /// Each device of the configuration gets it. An earlier state of the same certificate is replaced;
    /// anything else stays, unless --replace-stored says so.
    Store(Store),
    /// Let a key expire at another time
    ///
    /// If the device's key is the certificate's primary key, it signs that itself. If it is a subkey,
    /// the offline primary key signs it, and extends its own life too if that would end before. Also
    /// what has expired already can be extended. Then publish the certificate again.
    Extend(Extend),
    /// Give up a certificate, or one of its subkeys, for good
    ///
    /// Either with a reason, signed now by the primary key (the device's own, or `--primary`); or
    /// with `--revocation`, which takes one that was made before. `superseded` and `retired` leave
    /// signatures from before good; `compromised` and `unspecified` do not. GnuPG warns of all.
    ///
    /// Asks before it does so. The login shell signs nothing any more with what is revoked; others
    /// have to be told: publish the certificate again.
    Revoke(Revoke),
    /// Have another device's key take over, with a time in which both are valid
    ///
    /// The offline primary key binds the key on the new device as another subkey, and lets the present
    /// one expire after the overlap. The certificate with both goes where the configuration of the new
    /// key (`--to`) says. Publish it, and when all verifiers have it, have the accounts sign with the new
    /// key.
    Rotate(Rotate),
    /// Write the certificate in a form for those who verify
    ///
    /// With `--key` several times, certificates go into one keyring or directory; the ones of one
    /// primary key become one. Folders are made where they are missing.
    Export(Export),
}

/// A primary key that is kept offline.
#[derive(Debug, Args)]
pub(crate) struct Offline {
    /// The secret key file of the offline primary key
    ///
    /// What `signstar-admin primary generate`, `gpg --export-secret-keys` or `sq key export` have
    /// written, owned by root, in a folder of root's, and not readable by others. Its passphrase is
    /// asked for.
    #[arg(long, value_name = "FILE")]
    pub(crate) primary: Option<PathBuf>,
    /// Take the passphrase of the primary key from here, instead of asking for it
    #[arg(long, value_name = "FILE", requires = "primary")]
    pub(crate) primary_passphrase_file: Option<PathBuf>,
}

/// How a certificate that is there is changed.
#[derive(Debug, Args)]
pub(crate) struct Changing {
    #[command(flatten)]
    pub(crate) at: AtNetHsm,
    #[command(flatten)]
    pub(crate) offline: Offline,
    /// Say what would change, have nothing signed and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// Whose key it is, customarily `Name <address@example.org>`
    ///
    /// With `--primary` not needed; the certificate gets it in addition to those of the primary key.
    #[arg(long, value_name = "ID", required_unless_present = "primary")]
    pub(crate) user_id: Option<String>,
    /// From when on the device's key is no longer valid: a date (2030-12-31) or a time from now (2years)
    ///
    /// Without it the key does not expire.
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// When the key was created, if its device does not know: 2026-01-31T12:00:00Z, or a date
    ///
    /// It is part of the fingerprint. Without it: now.
    #[arg(long, value_name = "WHEN")]
    pub(crate) created: Option<String>,
    /// Make a certificate of version 6 (RFC 9580), which GnuPG and pacman do not read
    ///
    /// Only for devices that do not know it. With `--primary` it has the version of that key.
    #[arg(long, conflicts_with = "primary")]
    pub(crate) v6: bool,
    #[command(flatten)]
    pub(crate) offline: Offline,
    /// Where the revocation goes, instead of beside the certificate
    #[arg(long, value_name = "FILE")]
    pub(crate) revocation: Option<PathBuf>,
    /// Replace a certificate and a revocation that are there
    #[arg(long)]
    pub(crate) force: bool,
    /// Have the NetHSM keep the certificate beside its key too
    #[arg(long)]
    pub(crate) store: bool,
    #[command(flatten)]
    pub(crate) storing: Storing,
    #[command(flatten)]
    pub(crate) at: AtNetHsm,
    /// Say what would be written, have nothing signed and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Store {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) storing: Storing,
    #[command(flatten)]
    pub(crate) at: AtNetHsm,
    /// Say whether it can be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// How a NetHSM comes to keep a certificate.
#[derive(Debug, Args)]
pub(crate) struct Storing {
    /// Replace what the NetHSM keeps beside the key, whatever it is
    #[arg(long)]
    pub(crate) replace_stored: bool,
    #[command(flatten)]
    pub(crate) nethsm: OnNetHsm,
}

impl Storing {
    /// Whether any of it was given.
    pub(crate) fn says_something(&self) -> bool {
        self.replace_stored
            || self.nethsm.admin_user.is_some()
            || self.nethsm.admin_passphrase_file.is_some()
    }
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// Print the certificate itself, ASCII-armored, to be given to those who verify
    #[arg(long)]
    pub(crate) armor: bool,
    /// Read what the NetHSM keeps beside its key, instead of the file
    #[arg(long)]
    pub(crate) from_device: bool,
    #[command(flatten)]
    pub(crate) at: AtNetHsm,
}

#[derive(Debug, Args)]
pub(crate) struct Extend {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// From when on it is no longer valid: a date (2030-12-31), a time from now (2years), or `never`
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: String,
    /// The subkey, by its fingerprint, where several sign
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) subkey: Option<String>,
    #[command(flatten)]
    pub(crate) changing: Changing,
}

/// Why something is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reason {
    /// Another key has taken its place
    Superseded,
    /// It is no longer used
    Retired,
    /// Somebody else has it, or may have
    Compromised,
    /// None is given
    Unspecified,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// Why
    #[arg(long, value_enum, required_unless_present = "revocation")]
    pub(crate) reason: Option<Reason>,
    /// Why, in words that everybody will be able to read
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) text: String,
    /// Only this subkey, by its fingerprint, and not the whole certificate
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) subkey: Option<String>,
    /// Take the revocation from here: the file that was made with the certificate
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reason", "text", "subkey", "primary"])]
    pub(crate) revocation: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) changing: Changing,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The present key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// The new key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) to: String,
    /// How long the present key stays valid: a time from now (30d), or a date
    #[arg(long, value_name = "WHEN")]
    pub(crate) overlap: String,
    /// From when on the new key is no longer valid: a date (2030-12-31) or a time from now (2years)
    ///
    /// Without it the key does not expire.
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    /// When the new key was created, if its device does not know: 2026-01-31T12:00:00Z, or a date
    #[arg(long, value_name = "WHEN")]
    pub(crate) created: Option<String>,
    #[command(flatten)]
    pub(crate) changing: Changing,
    /// Where the new key's revocation goes, instead of beside the certificate
    #[arg(long, value_name = "FILE")]
    pub(crate) revocation: Option<PathBuf>,
    /// Replace a certificate of the new key and a revocation that are there
    #[arg(long)]
    pub(crate) force: bool,
}

/// A form of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A file, as OpenPGP has it
    Binary,
    /// A file of text, as people send it
    Armored,
    /// A folder with NAME.gpg, NAME-trusted and NAME-revoked, for `pacman-key --populate NAME`
    Pacman,
    /// The root of a web server: a Web Key Directory for openpgpkey.DOMAIN (advanced method)
    Wkd,
    /// The root of a web server: a Web Key Directory for DOMAIN itself (direct method)
    WkdDirect,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The keys, by their names in the configuration
    #[arg(long, value_name = "NAME", required = true)]
    pub(crate) key: Vec<String>,
    /// What to write
    #[arg(long, value_enum)]
    pub(crate) form: Form,
    /// The file or the folder to write to
    #[arg(long, value_name = "PATH")]
    pub(crate) to: PathBuf,
    /// The name of the keyring for pacman
    #[arg(long, value_name = "NAME", required_if_eq("form", "pacman"))]
    pub(crate) keyring: Option<String>,
    /// Read what NetHSMs keep beside their keys, instead of the files
    #[arg(long)]
    pub(crate) from_device: bool,
    #[command(flatten)]
    pub(crate) at: AtNetHsm,
    /// Replace files that are there
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
