//! `key …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use signstar_core::KeyKind;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// Make a key where the configuration wants it
    ///
    /// Back end `software`: writes the secret key file, mode 0440, owned by root and the group of the
    /// account that signs with it. If the configuration names a passphrase file, its passphrase
    /// protects the key.
    ///
    /// Back end `smartcard`: the card makes the key in its signing slot and notes its fingerprint.
    /// Asks for the card's administrator's PIN.
    ///
    /// Back end `tpm`: the TPM makes the key below the storage key of the configuration, with the
    /// policy of `pcrs`, and keeps it at `handle`, or it is written to `public` and `private`. If
    /// there is no file `auth` yet, it is written with 32 random hexadecimal digits. The TPM counts
    /// wrong auth values, unless this one has that form: nobody guesses it.
    ///
    /// Back end `nethsm`: the first device makes the key. Asks for an Administrator's passphrase. A key of
    /// that name that is there already stays; the other devices get the key by a backup of the first.
    ///
    /// Back end `pkcs11`: the token that `uri` names makes the key, with the label and the id that `uri` names;
    /// the key can sign, do nothing else, and not leave the token. With `uri-ed25519` it makes both halves of a
    /// composite key, ML-DSA-65 and Ed25519. Takes the user's PIN from the file `pin` of the configuration, or
    /// asks for it. An object of that name that is there already stays. The module runs as the account
    /// that signs, in a process of its own, confined like the worker of the login shell.
    Generate(Generate),
    /// Put a key that exists already on a card or a token
    ///
    /// The key can be stolen wherever else it is or has been; one that the device makes (`key generate`)
    /// cannot. Of an OpenPGP secret key file it takes the key that signs with the configured certificate, or
    /// that `--subkey` names, or the only one that can sign. A card keeps its creation time and
    /// fingerprint; a token does not, so that they must be said again to `cert create`.
    Import(Import),
    /// List the keys of the configuration, and what their devices hold
    ///
    /// Opens each device. Ends with status 69 if one of them cannot be opened. Cards say how often their
    /// PINs may still be wrong and how many signatures they have made, TPMs how many wrong auth values
    /// they have counted.
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) at: AtNetHsm,
}

/// A NetHSM of the operator's device profiles.
#[derive(Debug, Args)]
pub(crate) struct AtNetHsm {
    /// Ask this NetHSM of the device profiles, as its users there, instead of those in the configuration
    ///
    /// The profiles are those of nethsm-cli (`device add`, `cred add`), which say where the
    /// passphrases come from.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) profile: Option<String>,
    /// The file with the device profiles [default: that of nethsm-cli]
    #[arg(long, value_name = "FILE", requires = "profile")]
    pub(crate) profiles: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// ed25519, p256, p384, p521, rsa2048, rsa3072 or rsa4096 [default: ed25519, in a TPM p256]
    #[arg(long)]
    pub(crate) kind: Option<KeyKind>,
    /// Make a key of version 6 (RFC 9580), which GnuPG and pacman do not read
    ///
    /// A card makes the same key, but notes no fingerprint: it has no room for this one.
    #[arg(long)]
    pub(crate) v6: bool,
    /// Take the passphrase from here, if the file of the configuration is not there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The group that may read what is written, by name or number
    ///
    /// Needed if accounts of several groups sign with the key, or none does.
    #[arg(long)]
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) card: OnCard,
    /// The file with the auth value of the TPM's owner, if it has one
    #[arg(long, value_name = "FILE")]
    pub(crate) owner_auth_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) nethsm: OnNetHsm,
    #[command(flatten)]
    pub(crate) at: AtNetHsm,
    #[command(flatten)]
    pub(crate) token: OnToken,
    #[command(flatten)]
    pub(crate) replacing: Replacing,
}

/// Who changes something on a NetHSM.
#[derive(Debug, Args)]
pub(crate) struct OnNetHsm {
    /// The Administrator of the NetHSM [default: that of the profile, or admin]
    #[arg(long, value_name = "USER")]
    pub(crate) admin_user: Option<String>,
    /// The file with the Administrator's passphrase, instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_passphrase_file: Option<PathBuf>,
}

/// How a PKCS#11 token is used.
#[derive(Debug, Args)]
pub(crate) struct OnToken {
    /// The file with the user's PIN of the token, instead of the file `pin` of the configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
    /// A file or folder that the module of the token may change while it makes the key, beside `write`
    #[arg(long, value_name = "PATH")]
    pub(crate) module_write: Vec<PathBuf>,
    /// The account that the module of the token runs as, if several sign with the key, or none does
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The key, by its name in the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: String,
    /// The OpenPGP secret key file
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// The key in it, a subkey or the primary one [default: the one that signs with the configured
    /// certificate, or the only one that can sign]
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) subkey: Option<String>,
    /// Say that you know: this key has been outside of the device
    #[arg(long, required = true)]
    pub(crate) has_been_outside: bool,
    /// The file with its passphrase, instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) card: OnCard,
    #[command(flatten)]
    pub(crate) token: OnToken,
    #[command(flatten)]
    pub(crate) replacing: Replacing,
}

/// How a card is filled.
#[derive(Debug, Args)]
pub(crate) struct OnCard {
    /// Whether the card waits for a touch before it signs [default: off]
    #[arg(long, value_enum)]
    pub(crate) touch: Option<Touch>,
    /// The file with the administrator's PIN of the card, instead of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_pin_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Touch {
    /// It does not
    Off,
    /// It does
    On,
    /// It does, for as long as this key is on it
    Fixed,
}

/// What is there already, and what is agreed to.
#[derive(Debug, Args)]
pub(crate) struct Replacing {
    /// Replace a key that is there, which is lost then
    #[arg(long)]
    pub(crate) force: bool,
    /// Do not ask before a key in a device is lost
    #[arg(long)]
    pub(crate) yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl OnCard {
    fn special(&self) -> [(bool, &'static str); 2] {
        [
            (self.touch.is_some(), "--touch"),
            (self.admin_pin_file.is_some(), "--admin-pin-file"),
        ]
    }
}

impl OnToken {
    fn special(&self) -> [(bool, &'static str); 3] {
        [
            (self.pin_file.is_some(), "--pin-file"),
            (!self.module_write.is_empty(), "--module-write"),
            (self.account.is_some(), "--account"),
        ]
    }
}

impl Import {
    /// Options that were given and mean something to some back ends only.
    pub(crate) fn special(&self) -> Vec<&'static str> {
        let given = self.card.special().into_iter().chain(self.token.special());
        given
            .filter(|(given, _)| *given)
            .map(|(_, option)| option)
            .collect()
    }
}

impl Generate {
    /// Options that were given and mean something to some back ends only.
    pub(crate) fn special(&self) -> Vec<&'static str> {
        let given = [
            (self.v6, "--v6"),
            (self.passphrase_file.is_some(), "--passphrase-file"),
            (self.group.is_some(), "--group"),
            (self.owner_auth_file.is_some(), "--owner-auth-file"),
            (self.nethsm.admin_user.is_some(), "--admin-user"),
            (
                self.nethsm.admin_passphrase_file.is_some(),
                "--admin-passphrase-file",
            ),
        ];
        let given = given.into_iter();
        let given = given.chain(self.card.special()).chain(self.token.special());
        let given = given.filter(|(given, _)| *given);
        given.map(|(_, option)| option).collect()
    }
}
