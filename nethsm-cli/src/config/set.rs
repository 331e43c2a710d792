//! `config set …`.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Map, json};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    BackupPassphraseConfig, Ipv6Config, LogLevel, LoggingConfig, NetworkConfigInput, NtpConfig,
    Switch, TimeConfig, UnattendedBootConfig, UnlockPassphraseConfig,
};

use super::section::{put_logging, put_network, put_ntp, put_unattended_boot};
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::new_passphrase::NewPassphrase;
use crate::provision::now;
use crate::report::{Report, to_value};
use crate::secret::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum SetVerb {
    /// Its address; it is found there from then on
    Network(Network),
    /// Where its log goes, by syslog over UDP
    Logging(Logging),
    /// Where its time comes from
    Ntp(Ntp),
    /// Its time
    Time(Time),
    /// Whether it needs nobody to unlock it when it starts
    UnattendedBoot(UnattendedBoot),
    /// The passphrase that protects backups
    BackupPassphrase(BackupPassphrase),
    /// The passphrase that unlocks it
    UnlockPassphrase(UnlockPassphrase),
}

#[derive(Args, Debug)]
pub(crate) struct Network {
    /// IPv4 address
    #[arg(long, value_name = "IP")]
    address: std::net::Ipv4Addr,
    /// Mask of its network
    #[arg(long, value_name = "IP")]
    netmask: std::net::Ipv4Addr,
    /// Router; 0.0.0.0 for none
    #[arg(long, value_name = "IP", default_value = "0.0.0.0")]
    gateway: std::net::Ipv4Addr,
    /// IPv6 address with the length of its prefix, 2001:db8::2/64
    #[arg(long, value_name = "CIDR")]
    ipv6: Option<String>,
    /// Router for IPv6
    #[arg(long, value_name = "IP", requires = "ipv6")]
    ipv6_gateway: Option<std::net::Ipv6Addr>,
}

#[derive(Args, Debug)]
pub(crate) struct Logging {
    /// The address of the log host; 0.0.0.0 for none
    #[arg(long, value_name = "IP")]
    address: std::net::Ipv4Addr,
    /// Its UDP port
    #[arg(long, default_value = "514")]
    port: u16,
    /// What is worth a line
    #[arg(long, value_enum, default_value = "info")]
    level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

#[derive(Args, Debug)]
pub(crate) struct Ntp {
    /// The address of the time server
    #[arg(long, value_name = "IP")]
    address: Option<std::net::IpAddr>,
    /// The name in its certificate, for NTS
    #[arg(long, value_name = "NAME", requires = "address")]
    nts_name: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Time {
    /// now, or as 2026-01-31T12:00:00Z
    #[arg(default_value = "now")]
    time: String,
}

#[derive(Args, Debug)]
pub(crate) struct UnattendedBoot {
    #[arg(value_enum)]
    status: OnOff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnOff {
    On,
    Off,
}

#[derive(Args, Debug)]
pub(crate) struct BackupPassphrase {
    #[command(flatten)]
    new: NewPassphrase,
    /// Where the passphrase comes from that it has now; without, it has none
    #[arg(long, value_name = "SOURCE")]
    current_passphrase_from: Option<Source>,
}

#[derive(Args, Debug)]
pub(crate) struct UnlockPassphrase {
    #[command(flatten)]
    new: NewPassphrase,
    /// Where the passphrase comes from that it has now
    #[arg(long, value_name = "SOURCE", default_value = "prompt")]
    current_passphrase_from: Source,
}

pub(super) fn set(device: &mut Device, verb: &SetVerb) -> Result<Report, Failure> {
    match verb {
        SetVerb::Network(options) => {
            let (address, mask) = (options.address.to_string(), options.netmask.to_string());
            let mut wanted = NetworkConfigInput::new(address, mask);
            wanted.gateway = Some(options.gateway.to_string());
            wanted.ipv6 = options.ipv6.clone().map(|cidr| {
                let gateway = options.ipv6_gateway.map(|ip| ip.to_string());
                Box::new(Ipv6Config::new(cidr, gateway))
            });
            put_network(device, &wanted)?;
            done("network", &wanted)
        }
        SetVerb::Logging(options) => {
            let level = match options.level {
                Level::Debug => LogLevel::Debug,
                Level::Info => LogLevel::Info,
                Level::Warning => LogLevel::Warning,
                Level::Error => LogLevel::Error,
            };
            let wanted =
                LoggingConfig::new(options.address.to_string(), options.port.into(), level);
            put_logging(device, &wanted)?;
            done("logging", &wanted)
        }
        SetVerb::Ntp(options) => {
            let mut wanted = NtpConfig::new();
            wanted.ntp_ip = options.address.map(|ip| ip.to_string());
            wanted.nts_name.clone_from(&options.nts_name);
            put_ntp(device, &wanted)?;
            done("ntp", &wanted)
        }
        SetVerb::Time(options) => {
            let time = match options.time.as_str() {
                "now" => now(),
                time if humantime::parse_rfc3339(time).is_ok() => time.to_owned(),
                _ => return Err(Failure::usage("a time is written 2026-01-31T12:00:00Z")),
            };
            let wanted = TimeConfig::new(time);
            device.change(ADMINISTRATOR, "config_time_put", |asking| {
                default_api::config_time_put(asking, wanted.clone())
            })?;
            done("time", &wanted)
        }
        SetVerb::UnattendedBoot(options) => {
            let wanted = UnattendedBootConfig::new(match options.status {
                OnOff::On => Switch::On,
                OnOff::Off => Switch::Off,
            });
            put_unattended_boot(device, &wanted)?;
            done("unattended-boot", &wanted)
        }
        SetVerb::BackupPassphrase(options) => backup_passphrase(device, options),
        SetVerb::UnlockPassphrase(options) => unlock_passphrase(device, options),
    }
}

fn done(section: &str, wanted: &impl Serialize) -> Result<Report, Failure> {
    let mut value = Map::new();
    value.insert(section.replace('-', "_"), to_value(wanted)?);
    Ok(Report::done(format!("set {section}"), value.into()))
}

fn backup_passphrase(device: &mut Device, options: &BackupPassphrase) -> Result<Report, Failure> {
    device.rehearse("config_backup_passphrase_put")?;
    let what = format!("Backup passphrase of {}", device.label);
    let current = options.current_passphrase_from.as_ref();
    let current = current
        .map(|source| source.get(&what))
        .transpose()?
        .unwrap_or_default();
    let ((), kept) = options.new.set(device, &what, |device, new| {
        device.change(ADMINISTRATOR, "config_backup_passphrase_put", |asking| {
            let request = BackupPassphraseConfig::new(new.to_owned(), current.to_string());
            default_api::config_backup_passphrase_put(asking, request)
        })?;
        Ok(())
    })?;
    let text = "backups have another passphrase from now on".to_owned();
    Ok(kept.said(text, json!({ "changed": true })))
}

fn unlock_passphrase(device: &mut Device, options: &UnlockPassphrase) -> Result<Report, Failure> {
    device.rehearse("config_unlock_passphrase_put")?;
    let what = format!("Unlock passphrase of {}", device.label);
    let current = options.current_passphrase_from.get(&what)?;
    let ((), kept) = options.new.set(device, &what, |device, new| {
        device.change(ADMINISTRATOR, "config_unlock_passphrase_put", |asking| {
            let request = UnlockPassphraseConfig::new(new.to_owned(), current.to_string());
            default_api::config_unlock_passphrase_put(asking, request)
        })?;
        Ok(())
    })?;
    let text = "is unlocked by another passphrase from now on".to_owned();
    Ok(kept.said(text, json!({ "changed": true })))
}
