//! Device profiles: a TOML file, written by the commands `device` and `cred` and by hand.
//!
//! Comments and order in it stay when a command changes it. It holds no secret, only where they come
//! from.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use clap::ValueEnum as _;
use signstar_nethsm::client::{Address, Authorities, Fingerprint, SYSTEM_AUTHORITIES, Trust};
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::failure::Failure;
use crate::new_file;
use crate::role::Role;
use crate::secret::Source;

/// Larger ones are not profiles.
const BYTES_MAX: u64 = 1 << 20;

/// A user of a device.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) role: Role,
    pub(crate) passphrase: Source,
}

/// What a device's certificate must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    Pin(String),
    Authority(PathBuf),
    System,
}

/// One device.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) url: String,
    pub(crate) trusted: Trusted,
    /// The name in its certificate, where that is not the address.
    pub(crate) tls_name: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) users: BTreeMap<String, User>,
}

impl Profile {
    /// A device that stands in no file.
    pub(crate) fn new(url: &str, trusted: Trusted) -> Self {
        Self {
            url: url.to_owned(),
            trusted,
            tls_name: None,
            groups: Vec::new(),
            users: BTreeMap::new(),
        }
    }

    /// Its address.
    pub(crate) fn address(&self) -> Result<Address, Failure> {
        self.url
            .parse()
            .map_err(|error| Failure::usage(format!("the address of the device {error}")))
    }

    /// What its certificate must be, with what stands in files.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let path = match &self.trusted {
            Trusted::Pin(pin) => {
                return Fingerprint::from_str(pin)
                    .map(Trust::Pin)
                    .map_err(|error| Failure::usage(format!("pin: {error}")));
            }
            Trusted::Authority(path) => path.as_path(),
            Trusted::System => SYSTEM_AUTHORITIES
                .iter()
                .map(Path::new)
                .find(|path| path.exists())
                .ok_or_else(|| {
                    Failure::usage("the system has no authorities: give --pin or --ca")
                })?,
        };
        let pem = fs::read(path).map_err(|error| Failure::with(path, &error))?;
        Authorities::from_pem(&pem)
            .map(Trust::Authorities)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
    }
}

/// The file.
#[derive(Debug)]
pub(crate) struct Profiles {
    path: PathBuf,
    document: DocumentMut,
    pub(crate) devices: BTreeMap<String, Profile>,
    pub(crate) default: Option<String>,
}

impl Profiles {
    /// Where it is unless somebody says so.
    pub(crate) fn default_path() -> Result<PathBuf, Failure> {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        absolute("XDG_CONFIG_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".config")))
            .map(|folder| folder.join("nethsm-cli/config.toml"))
            .ok_or_else(|| Failure::usage("HOME is not set: give --config"))
    }

    /// Reads it; there is nothing in one that is not there.
    pub(crate) fn load(path: PathBuf) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::with(&path, &error);
        let text = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
            Ok(about) if about.mode() & 0o022 != 0 => {
                let text = format!("{}: others may write to it: chmod 0600 it", path.display());
                return Err(Failure::usage(text));
            }
            Ok(about) if about.len() > BYTES_MAX => {
                let text = format!("{}: is too large for a profile", path.display());
                return Err(Failure::usage(text));
            }
            Ok(_) => fs::read_to_string(&path).map_err(failed)?,
        };
        let wrong = |what: String| Failure::usage(format!("{}: {what}", path.display()));
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            wrong(format!("line {line} is no TOML"))
        })?;
        let mut profiles = Self {
            path: path.clone(),
            document,
            devices: BTreeMap::new(),
            default: None,
        };
        profiles.read().map_err(wrong)?;
        Ok(profiles)
    }

    fn read(&mut self) -> Result<(), String> {
        for (name, item) in self.document.iter() {
            match (name, item) {
                ("version", item) if item.as_integer() == Some(1) => {}
                ("version", _) => return Err("version must be 1".to_owned()),
                ("default", item) => self.default = Some(text(item, name)?),
                ("device", Item::Table(devices)) => {
                    for (label, item) in devices {
                        let table = item
                            .as_table()
                            .ok_or_else(|| format!("[device.{label}] must be a table"))?;
                        let profile =
                            profile(table).map_err(|error| format!("[device.{label}] {error}"))?;
                        self.devices.insert(label.to_owned(), profile);
                    }
                }
                _ => return Err("there may be version, default and [device.LABEL] only".to_owned()),
            }
        }
        Ok(())
    }

    /// One device.
    pub(crate) fn device(&self, label: &str) -> Result<&Profile, Failure> {
        self.devices.get(label).ok_or_else(|| {
            let known: Vec<&str> = self.devices.keys().map(String::as_str).collect();
            Failure::usage(match known.is_empty() {
                true => "there is no device of that name: nethsm-cli device add".to_owned(),
                false => format!("there is no device of that name, but {}", known.join(", ")),
            })
        })
    }

    /// Writes a device's table, or changes it, and leaves its users.
    pub(crate) fn put(&mut self, label: &str, profile: &Profile) {
        let table = self.table(label);
        table["url"] = value(profile.url.as_str());
        if let Some(table) = table.as_table_mut() {
            table.remove("pin");
            table.remove("ca");
        }
        match &profile.trusted {
            Trusted::Pin(pin) => table["pin"] = value(pin.as_str()),
            Trusted::Authority(path) => table["ca"] = value(path.display().to_string()),
            Trusted::System => {}
        }
        if let Some(name) = &profile.tls_name {
            table["tls-name"] = value(name.as_str());
        }
        if !profile.groups.is_empty() {
            let groups: Array = profile.groups.iter().map(String::as_str).collect();
            table["groups"] = value(groups);
        }
        self.devices.insert(label.to_owned(), profile.clone());
    }

    /// Takes a device out.
    pub(crate) fn remove(&mut self, label: &str) -> Result<Profile, Failure> {
        self.device(label)?;
        if let Some(devices) = self.document.get_mut("device").and_then(Item::as_table_mut) {
            devices.remove(label);
        }
        if self.default.as_deref() == Some(label) {
            self.default = None;
            self.document.remove("default");
        }
        self.devices
            .remove(label)
            .ok_or_else(|| Failure::usage("there is no device of that name"))
    }

    /// Gives a device another name.
    pub(crate) fn rename(&mut self, old: &str, new: &str) -> Result<(), Failure> {
        if self.devices.contains_key(new) {
            return Err(Failure::usage("there is a device of that name already"));
        }
        let was_default = self.default.as_deref() == Some(old);
        let item = self
            .document
            .get("device")
            .and_then(|all| all.get(old))
            .cloned();
        let profile = self.remove(old)?;
        let _ = self.table(new);
        if let (Some(item), Some(all)) = (item, self.document.get_mut("device")) {
            all[new] = item;
        }
        self.devices.insert(new.to_owned(), profile);
        if was_default {
            self.set_default(new);
        }
        Ok(())
    }

    /// The device that is meant where none is named.
    pub(crate) fn set_default(&mut self, label: &str) {
        self.document.insert("default", value(label));
        self.default = Some(label.to_owned());
    }

    /// Writes a user of a device.
    pub(crate) fn put_user(&mut self, label: &str, id: &str, user: &User) {
        let device = self.table(label);
        if device.get("user").is_none() {
            device["user"] = Item::Table(implicit());
        }
        let users = &mut device["user"];
        let mut table = Table::new();
        table.insert("role", value(user.role.name()));
        table.insert("passphrase", value(user.passphrase.to_string()));
        users[id] = Item::Table(table);
        if let Some(profile) = self.devices.get_mut(label) {
            profile.users.insert(id.to_owned(), user.clone());
        }
    }

    /// Takes a user of a device out.
    pub(crate) fn remove_user(&mut self, label: &str, id: &str) -> Result<(), Failure> {
        let users = self
            .table(label)
            .get_mut("user")
            .and_then(Item::as_table_mut);
        users
            .and_then(|users| users.remove(id))
            .map(|_| ())
            .ok_or_else(|| Failure::usage("the profile has no such user"))
    }

    /// To the disk, as a whole, for its owner only.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| Failure::with(folder, &error))?;
        }
        new_file::write(
            &self.path,
            self.document.to_string().as_bytes(),
            new_file::SECRET,
        )
    }

    fn table(&mut self, label: &str) -> &mut Item {
        if self.document.get("version").is_none() {
            self.document.insert("version", value(1));
        }
        let devices = self
            .document
            .entry("device")
            .or_insert_with(|| Item::Table(implicit()));
        if devices.get(label).is_none() {
            devices[label] = Item::Table(Table::new());
        }
        &mut devices[label]
    }
}

/// A table that is there for those inside it, without a header of its own.
fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

fn text(item: &Item, name: &str) -> Result<String, String> {
    item.as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("{name} must be a text"))
}

fn profile(table: &Table) -> Result<Profile, String> {
    let url = table.get("url").ok_or("url is missing")?;
    let mut profile = Profile::new(&text(url, "url")?, Trusted::System);
    Address::from_str(&profile.url).map_err(|error| format!("url {error}"))?;
    for (name, item) in table {
        match name {
            "url" => {}
            "pin" => {
                let pin = text(item, name)?;
                Fingerprint::from_str(&pin).map_err(|error| format!("pin {error}"))?;
                profile.trusted = Trusted::Pin(pin);
            }
            "ca" if table.contains_key("pin") => return Err("pin and ca exclude each other".into()),
            "ca" => profile.trusted = Trusted::Authority(text(item, name)?.into()),
            "tls-name" => profile.tls_name = Some(text(item, name)?),
            "groups" => {
                let groups = item.as_array().ok_or("groups must be a list of texts")?;
                for group in groups {
                    let group = group.as_str().ok_or("groups must be a list of texts")?;
                    profile.groups.push(group.to_owned());
                }
            }
            "user" => {
                let users = item.as_table().ok_or("user must be tables")?;
                for (id, item) in users {
                    let table = item.as_table().ok_or("user must be tables")?;
                    let user = user(table).map_err(|error| format!("user {error}"))?;
                    profile.users.insert(id.to_owned(), user);
                }
            }
            _ => return Err("may have url, pin, ca, tls-name, groups and user only".into()),
        }
    }
    Ok(profile)
}

fn user(table: &Table) -> Result<User, String> {
    let role = table.get("role").ok_or("role is missing")?;
    let role = Role::from_str(&text(role, "role")?, true)
        .map_err(|_| "role must be Administrator, Operator, Metrics or Backup")?;
    let passphrase = match table.get("passphrase") {
        Some(item) => Source::from_str(&text(item, "passphrase")?)
            .map_err(|error| format!("passphrase {error}"))?,
        None => Source::Prompt,
    };
    match table
        .iter()
        .all(|(name, _)| ["role", "passphrase"].contains(&name))
    {
        true => Ok(User { role, passphrase }),
        false => Err("may have role and passphrase only".into()),
    }
}
