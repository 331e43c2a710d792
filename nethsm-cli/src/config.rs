//! `config …`: settings of the device.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    BackupPassphraseConfig, Ipv6Config, LogLevel, LoggingConfig, NetworkConfigInput, NtpConfig,
    Switch, TimeConfig, UnattendedBootConfig, UnlockPassphraseConfig,
};

use crate::desired::{self, Compare};
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::{Failure, Status};
use crate::provision::now;
use crate::report::{Report, to_value};
use crate::secret::{FORMS, Source};
use crate::tls::Out;
use crate::user::field;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Show settings (Administrator)
    Get(Get),
    /// Change a setting (Administrator)
    #[command(subcommand)]
    Set(SetVerb),
    /// Write settings, namespaces, users and keys as a file for `config apply` (Administrator)
    ///
    /// There is nothing secret in it. Keys of a namespace are in it if the profile has an administrator of
    /// the namespace.
    Export(Out),
    /// Say what differs from such a file: status 10 if something does (Administrator)
    Diff(Compare),
    /// Say what `config apply` would do (Administrator)
    Plan(Compare),
    /// Make the device what the file says, and say what was done (Administrator)
    ///
    /// A second time there is nothing to do. What is on the device and not in the file stays, unless there is
    /// --prune. With [provision] in the file a fresh device is provisioned, and a locked one unlocked.
    Apply(Compare),
}

#[derive(Args, Debug)]
pub(crate) struct Get {
    /// Which [default: all]
    #[arg(value_enum)]
    sections: Vec<Section>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    Network,
    Logging,
    Ntp,
    Time,
    UnattendedBoot,
}

impl Section {
    /// As on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or(String::new(), |value| value.get_name().to_owned())
    }
}

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
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the new passphrase comes from: {FORMS}"))]
    new_passphrase_from: Source,
    /// Where the passphrase comes from that it has now; without, it has none
    #[arg(long, value_name = "SOURCE")]
    current_passphrase_from: Option<Source>,
}

#[derive(Args, Debug)]
pub(crate) struct UnlockPassphrase {
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the new passphrase comes from: {FORMS}"))]
    new_passphrase_from: Source,
    /// Where the passphrase comes from that it has now
    #[arg(long, value_name = "SOURCE", default_value = "prompt")]
    current_passphrase_from: Source,
}

pub(crate) fn config(device: &mut Device, verb: &ConfigVerb) -> Result<Report, Failure> {
    match verb {
        ConfigVerb::Get(options) => get(device, options),
        ConfigVerb::Set(verb) => set(device, verb),
        ConfigVerb::Export(out) => desired::export(device, out),
        ConfigVerb::Diff(options) => desired::diff(device, options),
        ConfigVerb::Plan(options) => desired::plan(device, options),
        ConfigVerb::Apply(options) => desired::apply(device, options),
    }
}

fn get(device: &mut Device, options: &Get) -> Result<Report, Failure> {
    let all = options.sections.is_empty();
    let sections = if all {
        Section::value_variants()
    } else {
        &options.sections
    };
    let mut found = Map::new();
    let mut text = String::new();
    for section in sections {
        let name = section.name();
        let value = match look(device, *section) {
            Ok(value) => value,
            // Older devices have no NTP.
            Err(failure) if all && *section == Section::Ntp && failure.status == Status::Absent => {
                continue;
            }
            Err(failure) => return Err(failure),
        };
        for (key, item) in value.as_object().into_iter().flatten() {
            let shown = match item {
                Value::Object(inner) => inner
                    .keys()
                    .map(|key| format!("{key}={}", field(item, key)))
                    .collect::<Vec<_>>()
                    .join(" "),
                _ => field(&value, key),
            };
            text.push_str(&format!("{name}.{key}: {shown}\n"));
        }
        found.insert(name.replace('-', "_"), value);
    }
    Report::new(text, &found)
}

/// What a section is.
pub(crate) fn look(device: &mut Device, section: Section) -> Result<Value, Failure> {
    let admin = ADMINISTRATOR;
    match section {
        Section::Network => {
            to_value(&device.read(admin, "config_network_get", default_api::config_network_get)?)
        }
        Section::Logging => {
            to_value(&device.read(admin, "config_logging_get", default_api::config_logging_get)?)
        }
        Section::Ntp => {
            to_value(&device.read(admin, "config_ntp_get", default_api::config_ntp_get)?)
        }
        Section::Time => {
            to_value(&device.read(admin, "config_time_get", default_api::config_time_get)?)
        }
        Section::UnattendedBoot => to_value(&device.read(
            admin,
            "config_unattended_boot_get",
            default_api::config_unattended_boot_get,
        )?),
    }
}

fn set(device: &mut Device, verb: &SetVerb) -> Result<Report, Failure> {
    match verb {
        SetVerb::Network(options) => {
            let address = options.address.to_string();
            let mut wanted = NetworkConfigInput::new(address.clone(), options.netmask.to_string());
            wanted.gateway = Some(options.gateway.to_string());
            wanted.ipv6 = options.ipv6.clone().map(|cidr| {
                let gateway = options.ipv6_gateway.map(|ip| ip.to_string());
                Box::new(Ipv6Config::new(cidr, gateway))
            });
            device.confirm(
                &format!("will be found at {address}, and nowhere else"),
                "yes",
            )?;
            device.change(ADMINISTRATOR, "config_network_put", |asking| {
                default_api::config_network_put(asking, wanted.clone())
            })?;
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
            device.change(ADMINISTRATOR, "config_logging_put", |asking| {
                default_api::config_logging_put(asking, wanted.clone())
            })?;
            done("logging", &wanted)
        }
        SetVerb::Ntp(options) => {
            let mut wanted = NtpConfig::new();
            wanted.ntp_ip = options.address.map(|ip| ip.to_string());
            wanted.nts_name.clone_from(&options.nts_name);
            device.change(ADMINISTRATOR, "config_ntp_put", |asking| {
                default_api::config_ntp_put(asking, wanted.clone())
            })?;
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
            device.change(ADMINISTRATOR, "config_unattended_boot_put", |asking| {
                default_api::config_unattended_boot_put(asking, wanted.clone())
            })?;
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
    let new = options.new_passphrase_from.get_new(&what)?;
    device.change(ADMINISTRATOR, "config_backup_passphrase_put", |asking| {
        let request = BackupPassphraseConfig::new(new.to_string(), current.to_string());
        default_api::config_backup_passphrase_put(asking, request)
    })?;
    Ok(Report::done(
        "backups have that passphrase from now on",
        json!({ "changed": true }),
    ))
}

fn unlock_passphrase(device: &mut Device, options: &UnlockPassphrase) -> Result<Report, Failure> {
    device.rehearse("config_unlock_passphrase_put")?;
    let what = format!("Unlock passphrase of {}", device.label);
    let current = options.current_passphrase_from.get(&what)?;
    let new = options.new_passphrase_from.get_new(&what)?;
    device.change(ADMINISTRATOR, "config_unlock_passphrase_put", |asking| {
        let request = UnlockPassphraseConfig::new(new.to_string(), current.to_string());
        default_api::config_unlock_passphrase_put(asking, request)
    })?;
    Ok(Report::done(
        "is unlocked by that passphrase from now on",
        json!({ "changed": true }),
    ))
}

/// Changes a whole section, by the device's names.
pub(crate) fn put(
    device: &mut Device,
    section: &str,
    whole: &Map<String, Value>,
) -> Result<(), Failure> {
    let wrong = |_| Failure::usage(format!("[config.{section}]: has not what a device takes"));
    let whole = Value::Object(whole.clone());
    let admin = ADMINISTRATOR;
    match section {
        "network" => {
            let wanted: NetworkConfigInput = serde_json::from_value(whole).map_err(wrong)?;
            device.confirm(
                &format!("will be found at {} only", wanted.ip_address),
                "yes",
            )?;
            device.change(admin, "config_network_put", |asking| {
                default_api::config_network_put(asking, wanted.clone())
            })?;
        }
        "logging" => {
            let wanted: LoggingConfig = serde_json::from_value(whole).map_err(wrong)?;
            device.change(admin, "config_logging_put", |asking| {
                default_api::config_logging_put(asking, wanted.clone())
            })?;
        }
        "ntp" => {
            let wanted: NtpConfig = serde_json::from_value(whole).map_err(wrong)?;
            device.change(admin, "config_ntp_put", |asking| {
                default_api::config_ntp_put(asking, wanted.clone())
            })?;
        }
        "unattended-boot" => {
            let wanted: UnattendedBootConfig = serde_json::from_value(whole).map_err(wrong)?;
            device.change(admin, "config_unattended_boot_put", |asking| {
                default_api::config_unattended_boot_put(asking, wanted.clone())
            })?;
        }
        other => {
            return Err(Failure::usage(format!(
                "[config.{other}]: there is no such section"
            )));
        }
    }
    Ok(())
}
