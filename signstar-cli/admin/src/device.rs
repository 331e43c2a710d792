//! The device of a key, before there is a certificate for it.
//!
//! The login shell opens a device with the key that it must hold. Here a device says which key it
//! holds, and is given one. Each back end has a file that does so for its own kind; this is the list
//! of them, and the only file that knows which are compiled in.

mod asking;
mod birth;
mod nethsm;
mod outside;
mod pkcs11;
mod seen;
mod shelf;
#[cfg(feature = "smartcard")]
mod smartcard;
mod software;
#[cfg(feature = "tpm")]
mod tpm;

use std::path::PathBuf;

use serde::Serialize;
use signstar::back_ends::Device;
use signstar::config::Key;
use signstar_core::{KeyKind, Signer};

use crate::cli::{Generate, Import, ListDevices, StorageKey};
use crate::failure::{Failure, Status};
use crate::report::{self, Report};
use crate::settings::Settings;
pub(crate) use birth::{Birth, Stored};
pub(crate) use seen::Seen;
use shelf::Shelf;
pub(crate) use shelf::{Kept, Loaded, check_store, load, store};

/// What can be done with the keys of a back end. Its name is that of the login shell's.
pub(crate) struct BackEnd {
    name: &'static str,
    /// Opens the device of a key, whatever key it holds.
    open: fn(&Settings, &Key) -> Result<Held, Failure>,
    /// Looks at the device of a key, without anything that costs a try.
    look: fn(&Settings, &Key) -> Result<Seen, Failure>,
    /// Makes a key, or says with whose tools to.
    generate: Fill<Generate>,
    /// The kinds of keys that it may be able to make.
    kinds: &'static [KeyKind],
    /// Options of `key generate` and `key import` that mean something here, of those that do not everywhere.
    options: &'static [&'static str],
    /// Puts a key that exists already into the device, where it can.
    import: Option<Fill<Import>>,
    /// Looks for devices, where there is a way to.
    search: Option<Search>,
    /// Makes the key above keys, where there is one.
    storage_key: Option<Prepare>,
    /// Keeps a certificate beside its key, where devices have room for one.
    shelf: Option<Shelf>,
}

type Fill<O> = fn(&Settings, &O) -> Result<Made, Failure>;
type Search = fn(&ListDevices, Option<&Settings>) -> Result<Vec<Seen>, Failure>;
type Prepare = fn(&StorageKey) -> Result<Report, Failure>;

/// What this program was built with.
const COMPILED: &[BackEnd] = &[
    nethsm::BACK_END,
    pkcs11::BACK_END,
    #[cfg(feature = "smartcard")]
    smartcard::BACK_END,
    software::BACK_END,
    #[cfg(feature = "tpm")]
    tpm::BACK_END,
];

/// A key on an opened device.
pub(crate) struct Held {
    pub(crate) signer: Box<dyn Signer>,
    /// What the device knows of the key as one of OpenPGP, if it does.
    pub(crate) stored: Option<Stored>,
    /// What to call the device, for people: kind and place.
    pub(crate) place: String,
}

/// A key that was made, or would be.
#[derive(Serialize)]
pub(crate) struct Made {
    #[serde(serialize_with = "report::in_words")]
    pub(crate) kind: KeyKind,
    /// What to call the device, for people.
    pub(crate) device: String,
    /// Where the device knows when the key was made.
    pub(crate) fingerprint: Option<String>,
    /// When the key was made, where the device does not keep that.
    pub(crate) created: Option<String>,
    pub(crate) secret_key: Option<PathBuf>,
    /// Whether its use takes a passphrase, a PIN or an auth value.
    pub(crate) protected: bool,
    pub(crate) dry_run: bool,
}

/// Opens the device of the key `name`, whatever key it holds.
pub(crate) fn open(settings: &Settings, name: &str) -> Result<Held, Failure> {
    let key = settings.key(name)?;
    (asked(settings, name, key)?.open)(settings, key)
}

/// Looks at the device of the key `name`.
pub(crate) fn look(settings: &Settings, name: &str) -> Result<Seen, Failure> {
    let key = settings.key(name)?;
    (asked(settings, name, key)?.look)(settings, key)
}

/// Makes a key.
pub(crate) fn generate(settings: &Settings, options: &Generate) -> Result<Made, Failure> {
    let key = settings.key(&options.key)?;
    let back_end = asked(settings, &options.key, key)?;
    refuse_special(back_end, options.special())?;
    refuse_kind(back_end, options.kind)?;
    (back_end.generate)(settings, options)
}

/// Fails if a kind of key is asked for that the back end never makes.
fn refuse_kind(back_end: &BackEnd, asked: Option<KeyKind>) -> Result<(), Failure> {
    match asked.filter(|kind| !back_end.kinds.contains(kind)) {
        None => Ok(()),
        Some(kind) => {
            let kinds: Vec<String> = back_end.kinds.iter().map(KeyKind::to_string).collect();
            let text = format!(
                "--kind {kind}: for the back end `{}` it must be one of: {}",
                back_end.name,
                kinds.join(", ")
            );
            Err(Failure::new(Status::Usage, text))
        }
    }
}

/// Fails if an option was given that means nothing for the back end.
fn refuse_special(back_end: &BackEnd, special: Vec<&str>) -> Result<(), Failure> {
    match special
        .into_iter()
        .find(|option| !back_end.options.contains(option))
    {
        None => Ok(()),
        Some(option) => {
            let name = back_end.name;
            let text = format!("{option} means nothing for the back end `{name}`: leave it out");
            Err(Failure::new(Status::Usage, text))
        }
    }
}

/// Puts a key that exists already into a device.
pub(crate) fn import(settings: &Settings, options: &Import) -> Result<Made, Failure> {
    let key = settings.key(&options.key)?;
    let back_end = asked(settings, &options.key, key)?;
    refuse_special(back_end, options.special())?;
    let import = back_end.import.ok_or_else(|| {
        let text = format!(
            "[key.{}] is held by the back end `{}`: keys are imported on cards and tokens only",
            options.key, back_end.name
        );
        Failure::new(Status::Usage, text)
    })?;
    import(settings, options)
}

/// Whether a key of the configuration can be in the device that the command line names, if it names one.
pub(crate) fn may_be_there(settings: &Settings, key: &Key) -> bool {
    settings.profiled.is_none() || key.back_end.name == nethsm::BACK_END.name
}

fn asked(settings: &Settings, name: &str, key: &Key) -> Result<&'static BackEnd, Failure> {
    match may_be_there(settings, key) {
        true => of(name, key),
        false => {
            let text = format!(
                "--profile means nothing for the back end `{}`: leave it out",
                key.back_end.name
            );
            Err(Failure::new(Status::Usage, text))
        }
    }
}

/// What is found by each back end that can look for devices. Some look where the configuration says.
pub(crate) fn search(
    options: &ListDevices,
    settings: Option<&Settings>,
) -> impl Iterator<Item = (&'static str, Result<Vec<Seen>, Failure>)> {
    let able = COMPILED
        .iter()
        .filter_map(|back_end| Some((back_end.name, back_end.search?)));
    able.map(move |(name, search)| (name, search(options, settings)))
}

/// Makes the storage key of a TPM.
pub(crate) fn storage_key(options: &StorageKey) -> Result<Report, Failure> {
    let able = COMPILED.iter().find_map(|back_end| back_end.storage_key);
    able.ok_or_else(|| not_compiled("tpm"))?(options)
}

fn of(name: &str, key: &Key) -> Result<&'static BackEnd, Failure> {
    let wanted = key.back_end.name;
    let found = COMPILED.iter().find(|back_end| back_end.name == wanted);
    found.ok_or_else(|| {
        let failure = not_compiled(wanted);
        Failure::new(failure.status, format!("[key.{name}] {}", failure.text))
    })
}

fn not_compiled(back_end: &str) -> Failure {
    let text = format!("needs a build of signstar-admin with the feature `{back_end}`");
    Failure::new(Status::Usage, text)
}

/// What the configuration says of a key of this back end.
fn settings_of<T: Device>(key: &Key) -> Result<&T, Failure> {
    let text = "the configuration is one of another back end";
    key.device_as()
        .ok_or_else(|| Failure::new(Status::Internal, text))
}
