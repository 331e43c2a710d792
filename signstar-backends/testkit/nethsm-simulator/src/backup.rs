//! Making and restoring backups: `/system/backup`, `/system/restore`.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Access;
use crate::backup_file::{self, Backup, Entries};
use crate::clock;
use crate::crypto::sealed::{self, Key};
use crate::device::{Device, State};
use crate::exchange::{Answer, Refusal};
use crate::json::Json;
use crate::json::schema::{Record, decode};
use crate::multipart;
use crate::resource::{Call, Limit, Media, Resource, Takes};
use crate::store::Store;
use crate::{vault, vault_local};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "system/backup",
        &[("POST", "system_backup_post")],
        Access::Backup,
        backup,
    )
    .media(Media::Octets),
    Resource::new(
        "system/restore",
        &[("POST", "system_restore_post")],
        Access::PublicUnlessOperational,
        restore,
    )
    .states(&[State::Unprovisioned, State::Operational])
    .takes(Takes::FormOnly)
    .limit(Limit::None),
];

fn backup(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let message = "Please configure backup key before doing a backup.";
    let unset = || Refusal::new(412, message);
    let key = device.configuration.backup.as_ref().ok_or_else(unset)?;
    let store = device.store.as_ref().ok_or_else(unset)?;
    let entries = vault::seal(device)?;
    let file = backup_file::write(
        &key.key,
        &key.salt,
        &store.locked_domain_key,
        (&device.device_id, &device.config_store_key),
        &entries,
    )?;
    Ok(Answer::Stream(file))
}

fn restore(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let content_type = call.request.header("content-type").unwrap_or_default();
    let parts = multipart::parts(content_type, call.body()).unwrap_or_default();
    let part = |wanted: &str| {
        let mut parts = parts.iter();
        let found = parts.find(|(name, _)| name == wanted);
        found.map(|(_, content)| content.as_slice())
    };
    let arguments =
        part("arguments").ok_or_else(|| Refusal::bad("Request is missing arguments."))?;
    let (passphrase, time) = decode(arguments, |json| {
        let names = ["backupPassphrase", "systemTime"];
        let record = Record::of(json, "Json.restore_req", &names)?;
        let time = match record.get("systemTime") {
            None | Some(Json::Null) => None,
            Some(_) => Some(record.text("systemTime")?),
        };
        match record.get("backupPassphrase") {
            None | Some(Json::Null) => Ok((None, time)),
            Some(_) => Ok((Some(record.octets("backupPassphrase")?.to_vec()), time)),
        }
    })?;
    let time = time.map(|time| clock::parse(&time)).transpose();
    let time = time.map_err(Refusal::bad)?;
    let file = part("backup_file").unwrap_or_default();
    if file.is_empty() {
        return Err(Refusal::bad("Backup data cannot be empty."));
    }
    let opened = backup_file::read(file, |salt| key(device, passphrase.as_deref(), salt))?;
    let truncated = opened.truncated;
    if device.state() == State::Operational {
        restore_stores(device, opened)?;
    } else {
        restore_everything(device, opened)?;
    }
    if let Some(time) = time {
        device.clock.set(time);
    }
    if truncated {
        let message = "The backup file was truncated. Present keys were still restored.";
        return Err(Refusal::bad(message));
    }
    Ok(Answer::Done)
}

/// The key of a backup: that of its passphrase, or the device's own if it has the same salt.
fn key(device: &Device, passphrase: Option<&[u8]>, salt: &[u8]) -> Result<Key, Refusal> {
    if let Some(passphrase) = passphrase {
        return Ok(device.options.scrypt.derive(passphrase, salt)?);
    }
    let own = device.configuration.backup.as_ref();
    let own = own.filter(|own| own.salt == salt && device.state() == State::Operational);
    let own = own.ok_or_else(|| Refusal::bad("No backupPassphrase provided"))?;
    Ok(own.key)
}

/// What is below the domain key. In version 0 settings are not.
fn global(entries: Entries, is_version_0: bool) -> Entries {
    let global = |(path, _): &(String, Vec<u8>)| {
        vault::is_global(path) && !(is_version_0 && path.starts_with("/config/"))
    };
    entries.into_iter().filter(global).collect()
}

/// Users, keys and namespaces, and what unlocks them; the device's own settings stay.
fn restore_stores(device: &mut Device, backup: Backup) -> Result<(), Refusal> {
    let mut time_offset = device.clock.offset_s;
    let mut restored = device.configuration.clone();
    let origin = backup.origin.as_ref();
    let origin = origin.map(|(id, key)| (id.as_str(), key));
    vault_local::open(&backup.entries, origin, &mut time_offset, &mut restored)?;
    let Some(store) = &mut device.store else {
        return Ok(());
    };
    let same = store.locked_domain_key == backup.locked_domain_key;
    let entries = global(backup.entries, backup.origin.is_none());
    match store.domain_key.filter(|_| same) {
        Some(domain_key) => {
            let opened = vault::open(&entries, &domain_key)?;
            if backup.truncated {
                // What was not in the part that is there stays.
                store.users.extend(opened.users);
                store.keys.extend(opened.keys);
                store.namespaces.extend(opened.namespaces);
                return Ok(());
            }
            store.users = opened.users;
            store.keys = opened.keys;
            store.namespaces = opened.namespaces;
            device.configuration.backup = opened.backup;
            device.configuration.cluster_ca = opened.cluster_ca;
        }
        None => {
            device.store = Some(sealed_store(backup.locked_domain_key, entries));
            device.configuration.unattended_boot = None;
            device.configuration.backup = None;
            device.configuration.cluster_ca = None;
            device.enter(State::Locked);
        }
    }
    device.configuration.unlock_salt = restored.unlock_salt;
    Ok(())
}

/// A store that nobody has unlocked yet.
pub(crate) fn sealed_store(locked_domain_key: Vec<u8>, sealed: Entries) -> Store {
    Store {
        locked_domain_key,
        domain_key: None,
        sealed,
        users: BTreeMap::new(),
        keys: BTreeMap::new(),
        namespaces: BTreeSet::new(),
    }
}

/// Everything, into a device that has nothing.
pub(crate) fn restore_everything(device: &mut Device, backup: Backup) -> Result<(), Refusal> {
    let mut configuration = device.configuration.clone();
    let mut time_offset = device.clock.offset_s;
    let origin = backup.origin.as_ref();
    let origin = origin.map(|(id, key)| (id.as_str(), key));
    vault_local::open(
        &backup.entries,
        origin,
        &mut time_offset,
        &mut configuration,
    )?;
    device.configuration = configuration;
    device.clock.offset_s = time_offset;
    // Only the device that made the backup opens this.
    let path = origin.map(|(id, _)| format!("/local/{id}/domain-key/unattended"));
    let unattended = path.and_then(|path| {
        let sealed = backup.entries.get(&path)?;
        let key = sealed::open(&device.device_key, path.as_bytes(), sealed)?;
        Key::try_from(key).ok()
    });
    let entries = global(backup.entries, backup.origin.is_none());
    device.store = Some(sealed_store(backup.locked_domain_key, entries));
    device.enter(State::Locked);
    let on = device.configuration.unattended_boot.as_ref();
    if let (Some(key), true) = (unattended, on.is_some_and(|on| on.value)) {
        open_sealed(device, &key)?;
        device.enter(State::Operational);
    }
    Ok(())
}

/// Opens what a restore left sealed.
pub(crate) fn open_sealed(device: &mut Device, domain_key: &Key) -> Result<(), Refusal> {
    let Some(store) = &mut device.store else {
        return Ok(());
    };
    let opened = vault::open(&store.sealed, domain_key)?;
    store.domain_key = Some(*domain_key);
    store.sealed.clear();
    store.users = opened.users;
    store.keys = opened.keys;
    store.namespaces = opened.namespaces;
    // A backup of version 0 has brought it already.
    let earlier = device.configuration.backup.take();
    device.configuration.backup = opened.backup.or(earlier);
    device.configuration.cluster_ca = opened.cluster_ca;
    Ok(())
}
