//! The store as the real device keeps it: paths and sealed values.
//!
//! Users, keys and namespaces are sealed with keys of the domain key, each for its path; settings of
//! the device with a key of its own, below `/local/` and its number. What is global of the settings is
//! sealed with a key of the domain key too. Settings for NTP are not kept: no recording shows how.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::backup_file::Entries;
use crate::base64;
use crate::configuration::{logging_json, read_logging};
use crate::crypto::private_key::PrivateKey;
use crate::crypto::sealed::{self, Key};
use crate::crypto::{CryptoError, import};
use crate::device::Device;
use crate::json::schema::Record;
use crate::json::writer::{number, object, string, strings};
use crate::json::{self, Json};
use crate::key_requests;
use crate::keys::restrictions;
use crate::store::{
    BackupKey, Configuration, KeyPlace, Network, Role, Stamped, Store, StoredKey, User,
};

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
    let mut entries = Entries::new();
    if let Some(store) = &device.store {
        entries.insert("/.initialized".to_owned(), Vec::new());
        match &store.domain_key {
            Some(domain_key) => seal_stores(device, store, domain_key, &mut entries)?,
            None => entries.extend(store.sealed.clone()),
        }
    }
    seal_local(device, &mut entries)?;
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
    Ok(())
}

fn seal_local(device: &Device, entries: &mut Entries) -> Result<(), CryptoError> {
    let configuration = &device.configuration;
    let mut values: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut chain = Vec::new();
    for der in &configuration.tls.chain {
        let length = u32::try_from(der.len()).unwrap_or(u32::MAX);
        chain.extend(length.to_be_bytes());
        chain.extend_from_slice(der);
    }
    values.push(("certificate", chain));
    let key = configuration.tls.key.to_pkcs8_pem();
    values.push(("private-key", key.unwrap_or_default().into_bytes()));
    if let Some(network) = &configuration.network {
        values.push(("ip-config", network_json(&network.value)));
    }
    if let Some(logging) = &configuration.logging {
        values.push(("log-config", logging_json(&logging.value)));
    }
    values.push(("time-offset", number(device.clock.offset_s)));
    if let Some(setting) = &configuration.unattended_boot {
        values.push(("unattended-boot", number(u8::from(setting.value))));
    }
    let local = format!("/local/{}", device.device_id);
    if let Some(store) = &device.store {
        values.push(("unlock-salt", configuration.unlock_salt.clone()));
        let mut keep = |name: &str, key: &[u8]| -> Result<(), CryptoError> {
            let path = format!("{local}/domain-key/{name}");
            let sealed = sealed::seal(&device.device_key, path.as_bytes(), key)?;
            entries.insert(path, sealed);
            Ok(())
        };
        keep("attended", &store.locked_domain_key)?;
        let unattended = configuration.unattended_boot.as_ref();
        if let (Some(key), true) = (&store.domain_key, unattended.is_some_and(|on| on.value)) {
            keep("unattended", key)?;
        }
    }
    for (name, value) in values {
        let path = format!("{local}/config/{name}");
        let sealed = sealed::seal(&device.config_store_key, path.as_bytes(), &value)?;
        entries.insert(path, sealed);
    }
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
        let stamp = sealed::sha256(sealed);
        let parsed = |value: &[u8]| json::parse(value).map_err(|error| wrong(&error));
        match (*store, name) {
            ("auth_store", _) => {
                let value = read_user(&parsed(&value)?).map_err(|error| wrong(&error))?;
                opened
                    .users
                    .insert(name.to_owned(), Stamped { value, stamp });
            }
            ("key_store", _) => {
                let value = read_key(&parsed(&value)?).map_err(|error| wrong(&error))?;
                let place = match name.strip_prefix('.').and_then(|rest| rest.split_once('/')) {
                    Some((namespace, id)) => (Some(namespace.to_owned()), id.to_owned()),
                    None => (None, name.to_owned()),
                };
                opened.keys.insert(place, Stamped { value, stamp });
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

/// The settings of a device, opened with the key of its settings; plain without one, as in backups of
/// version 0. What is absent stays as it is.
pub(crate) fn open_local(
    entries: &Entries,
    origin: Option<(&str, &Key)>,
    device_time_offset: &mut i64,
    configuration: &mut Configuration,
) -> Result<(), CryptoError> {
    let value = |name: &str| -> Option<(Vec<u8>, [u8; 32])> {
        let (path, key) = match origin {
            Some((id, key)) => (format!("/local/{id}/config/{name}"), Some(key)),
            None => (format!("/config/{name}"), None),
        };
        let sealed = entries.get(&path)?;
        let opened = match key {
            Some(key) => sealed::open(key, path.as_bytes(), sealed)?,
            None => sealed.clone(),
        };
        Some((opened, sealed::sha256(sealed)))
    };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    if let Some((pem, stamp)) = value("private-key") {
        configuration.tls.key = Arc::new(import::private_key(&text(&pem))?);
        configuration.tls.key_stamp = stamp;
    }
    if let Some((chain, stamp)) = value("certificate") {
        configuration.tls.chain = read_chain(&chain);
        configuration.tls.chain_stamp = stamp;
    }
    if let Some((octets, stamp)) = value("ip-config") {
        if let Some(value) = read_network(&octets) {
            configuration.network = Some(Stamped { value, stamp });
        }
    }
    if let Some((octets, stamp)) = value("log-config") {
        let read = json::parse(&octets).and_then(|json| read_logging(&json));
        if let Ok(value) = read {
            configuration.logging = Some(Stamped { value, stamp });
        }
    }
    if let Some((octets, stamp)) = value("unattended-boot") {
        let value = octets == b"1";
        configuration.unattended_boot = Some(Stamped { value, stamp });
    }
    if let Some((octets, _)) = value("time-offset") {
        *device_time_offset = text(&octets).parse().unwrap_or_default();
    }
    if let Some((salt, _)) = value("unlock-salt") {
        configuration.unlock_salt = salt;
    }
    Ok(())
}

fn read_chain(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut chain = Vec::new();
    while let Some((length, rest)) = octets.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((der, rest)) = rest.split_at_checked(length) else {
            break;
        };
        chain.push(der.to_vec());
        octets = rest;
    }
    chain
}

fn network_json(network: &Network) -> Vec<u8> {
    let prefix = u32::from(network.netmask).count_ones();
    let gateway = match network.gateway {
        Ipv4Addr::UNSPECIFIED => b"null".to_vec(),
        gateway => string(gateway.to_string()),
    };
    let mut fields = vec![(
        "ipv4",
        object([
            ("cidr", string(format!("{}/{prefix}", network.address))),
            ("gateway", gateway),
        ]),
    )];
    if let Some((prefix, gateway)) = &network.ipv6 {
        let gateway = match gateway {
            None => b"null".to_vec(),
            Some(gateway) => string(gateway),
        };
        fields.push((
            "ipv6",
            object([("cidr", string(prefix)), ("gateway", gateway)]),
        ));
    }
    object(fields)
}

fn read_network(octets: &[u8]) -> Option<Network> {
    let json = json::parse(octets).ok()?;
    let record = Record::of(&json, "ip-config", &["ipv4", "ipv6"]).ok()?;
    let names = ["cidr", "gateway"];
    let ipv4 = Record::of(record.need("ipv4").ok()?, "ipv4", &names).ok()?;
    let text = ipv4.text("cidr").ok()?;
    let (address, bits) = text.split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    let ones = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
    let gateway = ipv4.text("gateway").ok();
    let ipv6 = record
        .get("ipv6")
        .and_then(|json| Record::of(json, "ipv6", &names).ok())
        .and_then(|ipv6| Some((ipv6.text("cidr").ok()?, ipv6.text("gateway").ok())));
    Some(Network {
        address: address.parse().ok()?,
        netmask: Ipv4Addr::from(ones),
        gateway: match gateway {
            None => Ipv4Addr::UNSPECIFIED,
            Some(gateway) => gateway.parse().ok()?,
        },
        ipv6,
    })
}
