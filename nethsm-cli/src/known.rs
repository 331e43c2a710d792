//! What lists of a device had in them when they were last shown: for completions alone, which ask no device.
//!
//! A file below `$XDG_CACHE_HOME`, mode 0600, with ids of users, keys and namespaces by the device's
//! address. It is forgotten after some hours, and nothing that is decided depends on it: where it cannot be
//! read or written, there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A working day.
const SECONDS_MAX: u64 = 12 * 3600;
/// Larger ones are not read.
const BYTES_MAX: u64 = 8 << 20;
/// Nobody looks through more.
const IDS_MAX: usize = 5_000;

static WRITING: Mutex<()> = Mutex::new(());

/// The file's content: what is known of devices, by their addresses.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Known {
    devices: BTreeMap<String, Ids>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Ids {
    /// When it was noted, in seconds since 1970.
    noted: u64,
    #[serde(default)]
    users: BTreeSet<String>,
    #[serde(default)]
    namespaces: BTreeSet<String>,
    /// By namespace; those outside of namespaces by the empty one.
    #[serde(default)]
    keys: BTreeMap<String, BTreeSet<String>>,
}

/// A list that was shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown<'a> {
    Users,
    Namespaces,
    /// Those of a namespace, or of the empty one.
    Keys(&'a str),
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn path() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    cache.map(|folder| folder.join("nethsm-cli/known.json"))
}

impl Known {
    /// What is known and not too old.
    pub(crate) fn load() -> Self {
        let mut text = String::new();
        let file = path().and_then(|path| fs::File::open(path).ok());
        let read = file.map(|file| file.take(BYTES_MAX).read_to_string(&mut text));
        let mut known: Self = match read {
            Some(Ok(_)) => serde_json::from_str(&text).unwrap_or_default(),
            _ => Self::default(),
        };
        let (now, newest) = (now(), |ids: &Ids| ids.noted.saturating_add(SECONDS_MAX));
        known
            .devices
            .retain(|_, ids| ids.noted <= now && now < newest(ids));
        known
    }

    pub(crate) fn users(&self, url: &str) -> Vec<String> {
        let ids = self.devices.get(url).into_iter();
        ids.flat_map(|ids| ids.users.iter().cloned()).collect()
    }

    pub(crate) fn namespaces(&self, url: &str) -> Vec<String> {
        let ids = self.devices.get(url).into_iter();
        ids.flat_map(|ids| ids.namespaces.iter().cloned()).collect()
    }

    pub(crate) fn keys(&self, url: &str, namespace: &str) -> Vec<String> {
        let ids = self.devices.get(url);
        let keys = ids.and_then(|ids| ids.keys.get(namespace));
        keys.into_iter().flatten().cloned().collect()
    }

    fn save(&self) -> Option<()> {
        let path = path()?;
        let folder = path.parent()?;
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).ok()?;
        let text = serde_json::to_vec(self).ok()?;
        let draft = folder.join(format!(".known.json.{}.new", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let written = options
            .open(&draft)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written.ok()
    }
}

/// Notes a whole list of the device at `url`.
pub(crate) fn note<'a>(url: &str, shown: Shown<'_>, ids: impl Iterator<Item = &'a str>) {
    let ids: BTreeSet<String> = ids.take(IDS_MAX).map(str::to_owned).collect();
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut known = Known::load();
    let device = known.devices.entry(url.to_owned()).or_default();
    device.noted = now();
    match shown {
        Shown::Users => device.users = ids,
        Shown::Namespaces => device.namespaces = ids,
        Shown::Keys(namespace) => {
            device.keys.insert(namespace.to_owned(), ids);
        }
    }
    // Where there is no place for it, nothing is known.
    let _ = known.save();
}

/// Notes that something has come to a list that was shown.
pub(crate) fn came(url: &str, shown: Shown<'_>, id: &str) {
    change(url, shown, |ids| ids.insert(id.to_owned()));
}

/// Notes that something has gone from a list that was shown.
pub(crate) fn went(url: &str, shown: Shown<'_>, id: &str) {
    change(url, shown, |ids| ids.remove(id));
}

fn change(url: &str, shown: Shown<'_>, change: impl FnOnce(&mut BTreeSet<String>) -> bool) {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut known = Known::load();
    // Of a device whose lists nobody has seen, one id would be taken for all.
    let Some(device) = known.devices.get_mut(url) else {
        return;
    };
    let changed = match shown {
        Shown::Users => change(&mut device.users),
        Shown::Namespaces => change(&mut device.namespaces),
        Shown::Keys(namespace) => device.keys.get_mut(namespace).is_some_and(change),
    };
    if changed {
        let _ = known.save();
    }
}
