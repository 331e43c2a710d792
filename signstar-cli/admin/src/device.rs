//! The device of a key, before there is a certificate for it.
//!
//! The login shell opens a device with the key that it must hold. Here a device says which key it
//! holds, and is given one. Each back end has a file that does so for its own kind; this is the list
//! of them, and the only file that knows which are compiled in.

mod asking;
mod nethsm;
mod outside;
mod pkcs11;
mod shelf;
#[cfg(feature = "smartcard")]
mod smartcard;
mod software;
#[cfg(feature = "tpm")]
mod tpm;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;
use signstar::back_ends::Device;
use signstar::config::Key;
use signstar_certificate::fingerprint;
use signstar_core::{KeyVersion, PublicKey, Signer};
use signstar_pkcs11::provision::PinState;

use crate::cli::{Generate, Import, ListDevices, StorageKey};
use crate::expiry;
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;
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

/// What a device knows of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) created: SystemTime,
    /// Unless the key can become one of either version.
    pub(crate) version: Option<KeyVersion>,
}

/// What makes the key of a device one of OpenPGP: both are part of the fingerprint, or decide its
/// form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Birth {
    pub(crate) created: SystemTime,
    pub(crate) version: KeyVersion,
}

/// A device that was looked at.
#[derive(Serialize)]
pub(crate) struct Seen {
    /// What to call it, for people.
    pub(crate) device: String,
    /// The kind of its key, if it has one that can sign here.
    pub(crate) kind: Option<String>,
    pub(crate) created: Option<String>,
    pub(crate) fingerprint: Option<String>,
    /// What else is to be seen: tries, counters.
    pub(crate) state: BTreeMap<&'static str, Value>,
}

/// A key that was made, or would be.
#[derive(Serialize)]
pub(crate) struct Made {
    pub(crate) kind: &'static str,
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
    (back_end.generate)(settings, options)
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

impl Seen {
    /// An opened device, of which nothing more is to be seen.
    pub(crate) fn of(held: &Held) -> Self {
        let public = held.signer.public_key();
        let mut seen = Self::new(held.place.clone(), Some(public));
        if let Some(stored) = held.stored {
            seen.created = Some(expiry::shown(Some(stored.created)));
            seen.fingerprint = stored
                .version
                .and_then(|version| fingerprint(public, stored.created, version));
        }
        seen
    }

    pub(crate) fn new(device: String, key: Option<&PublicKey>) -> Self {
        Self {
            device,
            kind: key.map(PublicKey::name),
            created: None,
            fingerprint: None,
            state: BTreeMap::new(),
        }
    }

    /// How many signatures its key has made, if it counts them.
    pub(crate) fn signatures(&self) -> Option<u64> {
        self.state.get("signatures")?.as_u64()
    }

    /// How often the PIN that signs may still be wrong, if it says so.
    pub(crate) fn tries(&self) -> Option<u64> {
        self.state.get("tries")?.as_u64()
    }

    /// Whether the token says that its PIN was wrong. It does not say how often.
    pub(crate) fn pin_was_wrong(&self) -> bool {
        let state = self.state.get("pin").and_then(Value::as_str);
        state == Some(PinState::CountLow.name())
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for part in [&self.kind, &self.fingerprint, &Some(self.device.clone())] {
            text.extend(part.iter().map(|part| format!(" {part}")));
        }
        for (name, value) in &self.state {
            let value = match value {
                Value::String(value) => value.clone(),
                other => other.to_string(),
            };
            text += &format!(", {} {value}", name.replace('_', " "));
        }
        text
    }
}

impl Held {
    /// When the key was created and its version: what the device knows, or what the operator says.
    /// A key below a primary one has the version of that one.
    pub(crate) fn birth(
        &self,
        created: Option<&str>,
        version: Option<KeyVersion>,
        now: SystemTime,
    ) -> Result<Birth, Failure> {
        birth(self.stored, created, version, now)
    }
}

fn birth(
    stored: Option<Stored>,
    created: Option<&str>,
    version: Option<KeyVersion>,
    now: SystemTime,
) -> Result<Birth, Failure> {
    let given = created.map(expiry::parse_created).transpose()?;
    let Some(stored) = stored else {
        return Ok(Birth {
            created: given.unwrap_or(now),
            version: version.unwrap_or(KeyVersion::V4),
        });
    };
    if given.is_some_and(|given| given != stored.created) {
        let text = format!(
            "--created: the device says that its key was created at {}: leave it out",
            humantime::format_rfc3339_seconds(stored.created)
        );
        return Err(Failure::new(Status::Usage, text));
    }
    let known = stored.version.or(version).unwrap_or(KeyVersion::V4);
    if version.is_some_and(|version| version != known) {
        let text = match known {
            KeyVersion::V4 => "the device's key is of version 4, and version 6 is wanted",
            KeyVersion::V6 => "the device's key is of version 6, and version 4 is wanted",
        };
        let text = format!("{text}: make another key (key generate, with or without --v6)");
        return Err(Failure::new(Status::Usage, text));
    }
    Ok(Birth {
        created: stored.created,
        version: known,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn takes_the_operators_word_where_the_device_knows_nothing() {
        let now = at(2_000_000_000);
        let with = |created, version| birth(None, created, version, now).unwrap();
        assert_eq!(
            with(None, None),
            Birth {
                created: now,
                version: KeyVersion::V4
            }
        );
        let given = with(Some("2024-07-03T09:46:40Z"), Some(KeyVersion::V6));
        assert_eq!(
            given,
            Birth {
                created: at(1_720_000_000),
                version: KeyVersion::V6
            }
        );
        let failure = birth(None, Some("yesterday"), None, now).unwrap_err();
        assert_eq!(failure.status, Status::Usage);
    }

    #[test]
    fn the_device_knows_better() {
        let now = at(2_000_000_000);
        for version in [KeyVersion::V4, KeyVersion::V6] {
            let created = at(1_720_000_000);
            let stored = Stored {
                created,
                version: Some(version),
            };
            let with = |created, version| birth(Some(stored), created, version, now);
            let expected = Ok(Birth { created, version });
            assert_eq!(with(None, None), expected);
            assert_eq!(with(Some("2024-07-03T09:46:40Z"), Some(version)), expected);
            let open = Stored {
                version: None,
                ..stored
            };
            assert_eq!(birth(Some(open), None, Some(version), now), expected);
            assert!(with(Some("2024-07-03T09:46:41Z"), None).is_err());
            let other = match version {
                KeyVersion::V4 => KeyVersion::V6,
                KeyVersion::V6 => KeyVersion::V4,
            };
            assert!(with(None, Some(other)).is_err());
        }
    }
}
