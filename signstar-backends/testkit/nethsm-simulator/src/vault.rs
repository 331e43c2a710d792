//! The store as the real device keeps it: paths and sealed values.
//!
//! Users, keys, namespaces and what is global of the settings are sealed with keys of the domain key,
//! each value for its path. What is of the one device is in [`crate::vault_local`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::backup_file::Entries;
use crate::base64;
use crate::crypto::private_key::PrivateKey;
use crate::crypto::sealed::{self, Key};
use crate::crypto::{CryptoError, import};
use crate::device::Device;
use crate::json::schema::Record;
use crate::json::writer::{number, object, string, strings};
use crate::json::{self, Json};
use crate::key_requests;
use crate::keys::restrictions;
use crate::store::{BackupKey, KeyPlace, Role, Stamped, Store, StoredKey, User};

/// The stores below the domain key: what their key is called, and where they are.
const STORES: [(&str, &str); 4] = [
    ("auth_store", "/authentication/"),
    ("key_store", "/key/"),
    ("namespace_store", "/namespace/"),
    ("config_store", "/config/"),
];
/// What stands in `/config/version`.
const VERSION: &[u8] = b"1";

/// What the stores hold, opened.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) users: BTreeMap<String, Stamped<User>>,
    pub(crate) keys: BTreeMap<KeyPlace, Stamped<StoredKey>>,
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) backup: Option<BackupKey>,
    pub(crate) cluster_ca: Option<Vec<u8>>,
}

/// Whether a path is of a store below the domain key.
pub(crate) fn is_global(path: &str) -> bool {
    STORES.iter().any(|(_, folder)| path.starts_with(folder))
}

fn store_key(domain_key: &Key, name: &str) -> Key {
    let mut seed = domain_key.to_vec();
    seed.extend_from_slice(name.as_bytes());
    sealed::sha256(seed)
}

/// Everything that the device keeps.
pub(crate) fn seal(device: &Device) -> Result<Entries, CryptoError> {
    let mut entries = seal_shared(device)?;
    if device.store.is_some() {
        entries.insert("/.initialized".to_owned(), Vec::new());
    }
    crate::vault_local::seal(device, &mut entries)?;
    Ok(entries)
}

/// What is below the domain key.
pub(crate) fn seal_shared(device: &Device) -> Result<Entries, CryptoError> {
    let mut entries = Entries::new();
    if let Some(store) = &device.store {
        match &store.domain_key {
            Some(domain_key) => seal_stores(device, store, domain_key, &mut entries)?,
            None => entries.extend(store.sealed.clone()),
        }
    }
    Ok(entries)
}

fn seal_stores(
    device: &Device,
    store: &Store,
    domain_key: &Key,
    entries: &mut Entries,
) -> Result<(), CryptoError> {
    let [auth, keys, namespaces, config] = STORES.map(|(name, _)| store_key(domain_key, name));
    let mut add = |key: &Key, path: String, value: &[u8]| -> Result<(), CryptoError> {
        let sealed = sealed::seal(key, path.as_bytes(), value)?;
        entries.insert(path, sealed);
        Ok(())
    };
    for (key, folder) in [
        (&auth, "authentication"),
        (&keys, "key"),
        (&namespaces, "namespace"),
    ] {
        add(key, format!("/{folder}/.version"), b"0")?;
    }
    for (name, user) in &store.users {
        add(
            &auth,
            format!("/authentication/{name}"),
            &user_json(&user.value),
        )?;
    }
    for ((namespace, id), stored) in &store.keys {
        let path = match namespace {
            Some(namespace) => format!("/key/.{namespace}/{id}"),
            None => format!("/key/{id}"),
        };
        add(&keys, path, &key_json(&stored.value))?;
    }
    for name in &store.namespaces {
        add(&namespaces, format!("/namespace/{name}"), &string(name))?;
    }
    if let Some(backup) = &device.configuration.backup {
        add(&config, "/config/backup-key".to_owned(), &backup.key)?;
        add(&config, "/config/backup-salt".to_owned(), &backup.salt)?;
    }
    if let Some(ca) = &device.configuration.cluster_ca {
        add(&config, "/config/cluster-ca".to_owned(), ca)?;
    }
    entries.insert("/config/version".to_owned(), VERSION.to_vec());
    for (name, user) in &store.users {
        entries.insert(user_path(name), user.sealed.clone());
    }
    for (place, key) in &store.keys {
        entries.insert(key_path(place), key.sealed.clone());
    }
    Ok(())
}

pub(crate) fn user_path(name: &str) -> String {
    format!("/authentication/{name}")
}

pub(crate) fn key_path((namespace, id): &KeyPlace) -> String {
    match namespace {
        Some(namespace) => format!("/key/.{namespace}/{id}"),
        None => format!("/key/{id}"),
    }
}

/// Writes a user: what was changed is sealed, and has another stamp.
pub(crate) fn write_user(store: &mut Store, name: &str) -> Result<(), CryptoError> {
    let (Some(domain_key), Some(user)) = (&store.domain_key, store.users.get_mut(name)) else {
        return Ok(());
    };
    let [key, ..] = STORES.map(|(name, _)| store_key(domain_key, name));
    let path = user_path(name);
    user.sealed = sealed::seal(&key, path.as_bytes(), &user_json(&user.value))?;
    user.stamp = sealed::sha256(&user.sealed);
    Ok(())
}

/// Writes a key, and with it how often it was used.
pub(crate) fn write_key(store: &mut Store, place: &KeyPlace) -> Result<(), CryptoError> {
    let (Some(domain_key), Some(stored)) = (&store.domain_key, store.keys.get_mut(place)) else {
        return Ok(());
    };
    let [_, key, ..] = STORES.map(|(name, _)| store_key(domain_key, name));
    let path = key_path(place);
    stored.value.operations_written = stored.value.operations;
    stored.sealed = sealed::seal(&key, path.as_bytes(), &key_json(&stored.value))?;
    stored.stamp = sealed::sha256(&stored.sealed);
    Ok(())
}

fn user_json(user: &User) -> Vec<u8> {
    object([
        ("name", string(&user.real_name)),
        ("salt", string(&user.salt)),
        ("digest", string(&user.digest)),
        ("role", string(user.role.name())),
        ("tags", strings(&user.tags)),
    ])
}

fn read_user(json: &Json) -> Result<User, String> {
    let names = ["name", "salt", "digest", "role", "tags"];
    let record = Record::of(json, "User_info", &names)?;
    let role = Role::from_name(record.octets("role")?).ok_or("User_info.role")?;
    Ok(User {
        real_name: record.octets("name")?.to_vec(),
        role,
        salt: record.octets("salt")?.to_vec(),
        digest: record.octets("digest")?.to_vec(),
        tags: match record.get("tags") {
            None => BTreeSet::new(),
            Some(_) => record.texts("tags")?.into_iter().collect(),
        },
    })
}

fn key_json(key: &StoredKey) -> Vec<u8> {
    let names = key.mechanisms.iter().map(|mechanism| mechanism.name());
    let private = match (key.key.as_ref(), key.key.to_pkcs8_pem()) {
        (PrivateKey::Generic(octets), _) => object([("raw", string(base64::encode(octets)))]),
        (_, pem) => object([("PEM", string(pem.unwrap_or_default()))]),
    };
    let certificate = match &key.certificate {
        None => b"null".to_vec(),
        Some((media, content)) => strings([media.as_bytes(), content]),
    };
    let mut fields = vec![
        ("mechanisms", strings(names)),
        ("priv", private),
        ("cert", certificate),
        ("operations", number(key.operations_written)),
        ("restrictions", restrictions(&key.tags)),
    ];
    if !key.label.is_empty() {
        fields.push(("label", string(&key.label)));
    }
    object(fields)
}

fn read_key(json: &Json) -> Result<StoredKey, String> {
    let names = [
        "mechanisms",
        "priv",
        "cert",
        "operations",
        "restrictions",
        "label",
    ];
    let record = Record::of(json, "Key_info", &names)?;
    let private = Record::of(record.need("priv")?, "Key_info.priv", &["PEM", "raw"])?;
    let key = match private.get("raw") {
        Some(_) => PrivateKey::Generic(base64::decode(&private.text("raw")?)?),
        None => import::private_key(&private.text("PEM")?).map_err(|error| error.0)?,
    };
    let certificate = match record.get("cert") {
        Some(Json::List(parts)) => match parts.as_slice() {
            [Json::String(media), Json::String(content)] => {
                Some((String::from_utf8_lossy(media).into_owned(), content.clone()))
            }
            _ => return Err(record.misfit("cert")),
        },
        _ => None,
    };
    let operations = u64::try_from(record.int("operations")?).unwrap_or_default();
    let about = key_requests::about(&record)?;
    Ok(StoredKey {
        key: Arc::new(key),
        mechanisms: about.mechanisms,
        certificate,
        operations,
        operations_written: operations,
        tags: about.tags,
        label: about.label,
    })
}

/// Opens everything below the domain key.
///
/// # Errors
/// A value was sealed with another key, or is not what it should be.
pub(crate) fn open(entries: &Entries, domain_key: &Key) -> Result<Opened, CryptoError> {
    let mut opened = Opened::default();
    let (mut backup_key, mut backup_salt) = (None, None);
    for (path, sealed) in entries {
        let store = STORES.iter().find(|(_, folder)| path.starts_with(folder));
        let Some((store, folder)) = store else {
            continue;
        };
        let name = path.strip_prefix(folder).unwrap_or_default();
        if name == ".version" || path == "/config/version" {
            continue;
        }
        let wrong = |what: &str| CryptoError(format!("{path}: {what}"));
        let key = store_key(domain_key, store);
        let value = sealed::open(&key, path.as_bytes(), sealed)
            .ok_or_else(|| wrong("sealed with another key"))?;
        let parsed = |value: &[u8]| json::parse(value).map_err(|error| wrong(&error));
        match (*store, name) {
            ("auth_store", _) => {
                let value = read_user(&parsed(&value)?).map_err(|error| wrong(&error))?;
                let user = Stamped::opened(value, sealed);
                opened.users.insert(name.to_owned(), user);
            }
            ("key_store", _) => {
                let value = read_key(&parsed(&value)?).map_err(|error| wrong(&error))?;
                let place = match name.strip_prefix('.').and_then(|rest| rest.split_once('/')) {
                    Some((namespace, id)) => (Some(namespace.to_owned()), id.to_owned()),
                    None => (None, name.to_owned()),
                };
                opened.keys.insert(place, Stamped::opened(value, sealed));
            }
            ("namespace_store", _) => {
                opened.namespaces.insert(name.to_owned());
            }
            (_, "backup-key") => backup_key = Key::try_from(value).ok(),
            (_, "backup-salt") => backup_salt = Some(value),
            (_, "cluster-ca") => opened.cluster_ca = Some(value),
            _ => {}
        }
    }
    opened.backup = backup_key
        .zip(backup_salt)
        .map(|(key, salt)| BackupKey { key, salt });
    Ok(opened)
}
