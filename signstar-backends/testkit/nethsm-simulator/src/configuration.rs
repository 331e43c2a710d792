//! Settings but those of TLS: `/config`.

use std::net::Ipv4Addr;

use crate::access::Access;
use crate::clock::{self, Moment};
use crate::crypto::random;
use crate::device::{DEFAULT_ADDRESS, Device};
use crate::exchange::{Answer, Refusal};
use crate::identity::valid_passphrase;
use crate::json::Json;
use crate::json::schema::{Misfit, Record, decode};
use crate::json::writer::{number, object, string};
use crate::provisioning::set_unlock_passphrase;
use crate::resource::{Call, Resource, Takes};
use crate::store::{BackupKey, Logging, Network, Ntp, Stamped, etag};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "config/unlock-passphrase",
        &[("PUT", "config_unlock_passphrase_put")],
        Access::RootAdministrator,
        unlock_passphrase,
    )
    .takes(Takes::Json),
    Resource::new(
        "config/backup-passphrase",
        &[("PUT", "config_backup_passphrase_put")],
        Access::RootAdministrator,
        backup_passphrase,
    )
    .takes(Takes::Json),
    Resource::new(
        "config/unattended-boot",
        &[
            ("GET", "config_unattended_boot_get"),
            ("PUT", "config_unattended_boot_put"),
        ],
        Access::RootAdministrator,
        unattended_boot,
    )
    .takes(Takes::Json)
    .cacheable()
    .etag(|device, _| Some(etag(&device.configuration.unattended_boot.as_ref()?.stamp))),
    Resource::new(
        "config/network",
        &[("GET", "config_network_get"), ("PUT", "config_network_put")],
        Access::RootAdministrator,
        network,
    )
    .takes(Takes::Json)
    .cacheable()
    .etag(|device, _| Some(etag(&stored_network(device).ok()?.stamp))),
    Resource::new(
        "config/logging",
        &[("GET", "config_logging_get"), ("PUT", "config_logging_put")],
        Access::RootAdministrator,
        logging,
    )
    .takes(Takes::Json)
    .cacheable()
    .etag(|device, _| Some(etag(&device.configuration.logging.as_ref()?.stamp))),
    Resource::new(
        "config/ntp",
        &[("GET", "config_ntp_get"), ("PUT", "config_ntp_put")],
        Access::RootAdministrator,
        ntp,
    )
    .takes(Takes::Json)
    .cacheable(),
    Resource::new(
        "config/time",
        &[("GET", "config_time_get"), ("PUT", "config_time_put")],
        Access::RootAdministrator,
        time,
    )
    .takes(Takes::Json),
];

/// A new passphrase of good length, and the current one.
fn passphrases(body: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    let (new, current) = decode(body, |json| {
        let names = ["newPassphrase", "currentPassphrase"];
        let record = Record::of(json, "Json.change_passphrase_req", &names)?;
        let current = record.octets("currentPassphrase")?.to_vec();
        Ok((record.octets("newPassphrase")?.to_vec(), current))
    })?;
    valid_passphrase("passphrase", &new)?;
    Ok((new, current))
}

fn unlock_passphrase(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (new, current) = passphrases(call.body())?;
    if !device.opens_domain_key(&current) {
        return Err(Refusal::new(403, "unlock passphrase is incorrect."));
    }
    set_unlock_passphrase(device, &new)?;
    Ok(Answer::Done)
}

fn backup_passphrase(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (new, current) = passphrases(call.body())?;
    let scrypt = device.options.scrypt;
    let right = match &device.configuration.backup {
        None => current.is_empty(),
        Some(backup) => scrypt.derive(&current, &backup.salt)? == backup.key,
    };
    if !right {
        return Err(Refusal::new(403, "backup passphrase is incorrect."));
    }
    let salt = random::<16>()?.to_vec();
    let key = scrypt.derive(&new, &salt)?;
    device.configuration.backup = Some(BackupKey { key, salt });
    Ok(Answer::Done)
}

fn unattended_boot(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "GET" {
        let setting = device.configuration.unattended_boot.as_ref();
        let on = setting.is_some_and(|setting| setting.value);
        let status = string(if on { "on" } else { "off" });
        return Ok(Answer::Body(object([("status", status)])));
    }
    let on = decode(call.body(), |json| match json {
        Json::Object(fields) => match fields.as_slice() {
            [(name, Json::String(status))] if name == "status" => match status.as_slice() {
                b"on" => Ok(true),
                b"off" => Ok(false),
                _ => Err("Invalid status data, expected 'on' or 'off'.".to_owned()),
            },
            _ => Err(NO_STATUS.to_owned()),
        },
        _ => Err(NO_STATUS.to_owned()),
    })?;
    device.configuration.unattended_boot = Some(Stamped::new(on)?);
    Ok(Answer::Done)
}

const NO_STATUS: &str = "Invalid status data, expected a dictionary with one entry 'status'.";

/// The network, which is written when it is first asked for.
fn stored_network(device: &mut Device) -> Result<&Stamped<Network>, Refusal> {
    if device.configuration.network.is_none() {
        device.configuration.network = Some(Stamped::new(Network {
            address: DEFAULT_ADDRESS,
            netmask: Ipv4Addr::new(255, 255, 255, 0),
            gateway: Ipv4Addr::UNSPECIFIED,
            ipv6: None,
        })?);
    }
    let network = device.configuration.network.as_ref();
    network.ok_or_else(|| Refusal::new(500, "Could not read from database. Check logs."))
}

/// An address, or the device's words for what is wrong with it.
pub(crate) fn address(record: &Record<'_>, name: &str) -> Result<Ipv4Addr, Misfit> {
    let Json::String(text) = record.need(name)? else {
        return Err("expected string for IP".to_owned());
    };
    let text = String::from_utf8_lossy(text);
    let octets: Vec<&str> = text.split('.').collect();
    for (octet, which) in octets.iter().zip(["first", "second", "third", "fourth"]) {
        if octet.parse::<u64>().is_ok_and(|octet| octet > 255) {
            return Err(format!("Ipaddr: {which} octet out of bounds"));
        }
    }
    text.parse()
        .map_err(|_| format!("Ipaddr: invalid format in {text}"))
}

fn network(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "GET" {
        let network = &stored_network(device)?.value;
        let mut fields = vec![
            ("ipAddress", string(network.address.to_string())),
            ("netmask", string(network.netmask.to_string())),
            ("gateway", string(network.gateway.to_string())),
        ];
        if let Some((prefix, gateway)) = &network.ipv6 {
            let gateway = match gateway {
                Some(gateway) => string(gateway),
                None => b"null".to_vec(),
            };
            let ipv6 = [("cidr", string(prefix)), ("gateway", gateway)];
            fields.push(("ipv6", object(ipv6)));
        }
        return Ok(Answer::Body(object(fields)));
    }
    let network = decode(call.body(), |json| {
        let names = ["ipAddress", "netmask", "gateway", "ipv6"];
        let record = Record::of(json, "Json.network", &names)?;
        let ipv6 = match record.get("ipv6") {
            None | Some(Json::Null) => None,
            Some(json) => {
                let ipv6 = Record::of(json, "Json.ipv6", &["cidr", "gateway"])?;
                let gateway = match ipv6.get("gateway") {
                    None | Some(Json::Null) => None,
                    Some(_) => Some(ipv6.text("gateway")?),
                };
                Some((ipv6.text("cidr")?, gateway))
            }
        };
        Ok(Network {
            gateway: address(&record, "gateway")?,
            netmask: address(&record, "netmask")?,
            address: address(&record, "ipAddress")?,
            ipv6,
        })
    })?;
    device.configuration.network = Some(Stamped::new(network)?);
    Ok(Answer::Done)
}

fn logging(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "GET" {
        let stored = device.configuration.logging.as_ref();
        let logging = stored.map(|logging| logging.value.clone());
        let logging = logging.unwrap_or_else(|| Logging {
            address: Ipv4Addr::UNSPECIFIED,
            port: 514,
            level: "info".to_owned(),
        });
        return Ok(Answer::Body(logging_json(&logging)));
    }
    let logging = decode(call.body(), read_logging)?;
    device.configuration.logging = Some(Stamped::new(logging)?);
    Ok(Answer::Done)
}

/// Where the log goes, as it is shown and stored.
pub(crate) fn logging_json(logging: &Logging) -> Vec<u8> {
    object([
        ("ipAddress", string(logging.address.to_string())),
        ("port", number(logging.port)),
        ("logLevel", string(&logging.level)),
    ])
}

/// The same, read.
pub(crate) fn read_logging(json: &Json) -> Result<Logging, Misfit> {
    let record = Record::of(json, "Json.log", &["ipAddress", "port", "logLevel"])?;
    let Json::String(level) = record.need("logLevel")? else {
        return Err("expected string as log level".to_owned());
    };
    let level = String::from_utf8_lossy(level).into_owned();
    if !["app", "error", "warning", "info", "debug"].contains(&level.as_str()) {
        return Err(format!("\"{level}\": unknown log level"));
    }
    Ok(Logging {
        port: record.int("port")?,
        address: address(&record, "ipAddress")?,
        level,
    })
}

/// Version 5 only. No recording has it: this follows the interface's description.
fn ntp(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if device.software.0 < 5 {
        return Ok(Answer::Absent);
    }
    if call.method() == "GET" {
        let ntp = device.configuration.ntp.clone().unwrap_or_default();
        let fields = [("ntpIP", ntp.address), ("ntsName", ntp.nts_name)];
        let present = fields
            .iter()
            .filter_map(|(name, value)| Some((*name, string(value.as_ref()?))));
        return Ok(Answer::Body(object(present)));
    }
    let ntp = decode(call.body(), |json| {
        let record = Record::of(json, "Json.ntp", &["ntpIP", "ntsName"])?;
        let text = |name| match record.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(_) => record.text(name).map(Some),
        };
        let nts_name = text("ntsName")?;
        let address = text("ntpIP")?;
        if address
            .as_ref()
            .is_some_and(|text| text.parse::<std::net::IpAddr>().is_err())
        {
            return Err("Ipaddr: invalid format".to_owned());
        }
        Ok(Ntp { address, nts_name })
    })?;
    device.configuration.ntp = Some(ntp);
    Ok(Answer::Done)
}

fn time(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "GET" {
        let now = Moment::of(device.clock.now()).rfc3339();
        return Ok(Answer::Body(object([("time", string(now))])));
    }
    let time = decode(call.body(), |json| {
        let text = Record::of(json, "Json.time_req", &["time"])?.text("time")?;
        clock::parse(&text)
    })?;
    device.clock.set(time);
    Ok(Answer::Done)
}
