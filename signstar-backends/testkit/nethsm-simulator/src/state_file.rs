//! The device's memory in a file, between two runs: its keys and everything that a backup has, not
//! protected.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::backup::restore_everything;
use crate::backup_file::{Backup, Entries};
use crate::base64;
use crate::crypto::sealed::Key;
use crate::device::Device;
use crate::json::schema::Record;
use crate::json::writer::{object, string};
use crate::json::{self, Json};
use crate::node::replica::Replica;
use crate::vault;

/// Writes the memory, in one step: there is always a whole file.
pub(crate) fn save(path: &Path, device: &Device) -> Result<(), String> {
    let encoded = |octets: &[u8]| string(base64::encode(octets));
    let entries = vault::seal(device).map_err(|error| error.0)?;
    let entries = entries.iter();
    let entries = object(entries.map(|(path, value)| (path.as_str(), encoded(value))));
    let store = device.store.as_ref();
    let locked = store.map(|store| store.locked_domain_key.clone());
    let (major, minor) = device.software;
    let text = object([
        ("software", string(format!("{major}.{minor}"))),
        ("deviceKey", encoded(&device.device_key)),
        ("configStoreKey", encoded(&device.config_store_key)),
        ("lockedDomainKey", encoded(&locked.unwrap_or_default())),
        ("entries", entries),
        ("replica", device.node.replica().to_json()),
    ]);
    let new = path.with_extension("new");
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .map_err(failed)?;
    file.write_all(&text).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)
}

/// Reads the memory, if there is a file, as a device does that is switched on.
pub(crate) fn load(path: &Path, device: &mut Device) -> Result<(), String> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let wrong = |what: String| format!("{}: not a state file: {what}", path.display());
    let json = json::parse(&text).map_err(wrong)?;
    read(&json, device).map_err(wrong)
}

fn read(json: &Json, device: &mut Device) -> Result<(), String> {
    let names = [
        "software",
        "deviceKey",
        "configStoreKey",
        "lockedDomainKey",
        "entries",
        "replica",
    ];
    let record = Record::of(json, "state", &names)?;
    let octets =
        |name: &str| -> Result<Vec<u8>, String> { Ok(base64::decode(&record.text(name)?)?) };
    let key = |name: &str| -> Result<Key, String> {
        Key::try_from(octets(name)?).map_err(|_| record.misfit(name))
    };
    let software = record.text("software")?;
    let number = software
        .split_once('.')
        .map(|(major, minor)| (major.parse(), minor.parse()));
    let Some((Ok(major), Ok(minor))) = number else {
        return Err(record.misfit("software"));
    };
    // An update makes it newer than what the simulator was started with.
    device.software = device.software.max((major, minor));
    device.device_key = key("deviceKey")?;
    device.config_store_key = key("configStoreKey")?;
    let Json::Object(fields) = record.need("entries")? else {
        return Err(record.misfit("entries"));
    };
    let mut entries = Entries::new();
    for (path, value) in fields {
        let Json::String(value) = value else {
            return Err(record.misfit("entries"));
        };
        let value = base64::decode(&String::from_utf8_lossy(value))?;
        entries.insert(path.clone(), value);
    }
    let locked_domain_key = octets("lockedDomainKey")?;
    let provisioned = !locked_domain_key.is_empty();
    let backup = Backup {
        locked_domain_key,
        origin: Some((device.device_id.clone(), device.config_store_key)),
        entries,
        truncated: false,
    };
    restore_everything(device, backup).map_err(|refusal| refusal.message)?;
    if let Some(replica) = record.get("replica") {
        let replica = Replica::read(replica)?;
        device.members.clone_from(&replica.members);
        device.standing = replica.standing();
        device.node.set_replica(replica);
        device.set_never_connected();
    }
    if !provisioned {
        device.store = None;
        device.boot();
    }
    Ok(())
}
