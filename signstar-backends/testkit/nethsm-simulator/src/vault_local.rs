//! The settings of one device as it keeps them: below `/local/` and its number, sealed with a key of
//! its own, and the domain key, sealed with the key of the device.
//!
//! Settings for NTP are not kept: no recording shows how.

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::backup_file::Entries;
use crate::configuration::{logging_json, read_logging};
use crate::crypto::sealed::{self, Key};
use crate::crypto::{CryptoError, import};
use crate::device::Device;
use crate::json;
use crate::json::schema::Record;
use crate::json::writer::{number, object, string};
use crate::store::{BackupKey, Configuration, Network, Stamped};

/// Seals everything that is of the device alone.
pub(crate) fn seal(device: &Device, entries: &mut Entries) -> Result<(), CryptoError> {
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

/// The settings of a device, opened with the key of its settings; plain without one, as in backups of
/// version 0. What is absent stays as it is.
pub(crate) fn open(
    entries: &Entries,
    origin: Option<(&str, &Key)>,
    device_time_offset: &mut i64,
    configuration: &mut Configuration,
) -> Result<(), CryptoError> {
    let value = |name: &str| -> Option<(Vec<u8>, &[u8])> {
        let (path, key) = match origin {
            Some((id, key)) => (format!("/local/{id}/config/{name}"), Some(key)),
            None => (format!("/config/{name}"), None),
        };
        let sealed = entries.get(&path)?;
        let opened = match key {
            Some(key) => sealed::open(key, path.as_bytes(), sealed)?,
            None => sealed.clone(),
        };
        Some((opened, sealed))
    };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    if let Some((pem, sealed)) = value("private-key") {
        configuration.tls.key = Arc::new(import::private_key(&text(&pem))?);
        configuration.tls.key_stamp = sealed::sha256(sealed);
    }
    if let Some((chain, sealed)) = value("certificate") {
        configuration.tls.chain = read_chain(&chain);
        configuration.tls.chain_stamp = sealed::sha256(sealed);
    }
    if let Some((octets, sealed)) = value("ip-config")
        && let Some(value) = read_network(&octets)
    {
        configuration.network = Some(Stamped::opened(value, sealed));
    }
    if let Some((octets, sealed)) = value("log-config") {
        let read = json::parse(&octets).and_then(|json| read_logging(&json));
        if let Ok(value) = read {
            configuration.logging = Some(Stamped::opened(value, sealed));
        }
    }
    if let Some((octets, sealed)) = value("unattended-boot") {
        let value = octets == b"1";
        configuration.unattended_boot = Some(Stamped::opened(value, sealed));
    }
    if let Some((octets, _)) = value("time-offset") {
        *device_time_offset = text(&octets).parse().unwrap_or_default();
    }
    // In version 0 it is a setting like others.
    if let (None, Some((key, _)), Some((salt, _))) =
        (origin, value("backup-key"), value("backup-salt"))
        && let Ok(key) = Key::try_from(key)
    {
        configuration.backup = Some(BackupKey { key, salt });
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
