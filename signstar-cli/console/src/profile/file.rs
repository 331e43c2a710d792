//! The file of the device profiles, written by `nethsm-cli` and by hand.
//!
//! Comments and order in it stay when a command changes it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::{Profile, Trusted, User, profile, text};
use crate::{ConsoleError, new_file};

/// Larger ones are not profiles.
const BYTES_MAX: u64 = 1 << 20;

/// The file.
#[derive(Debug)]
pub struct Profiles {
    path: PathBuf,
    document: DocumentMut,
    /// The devices by their names.
    pub devices: BTreeMap<String, Profile>,
    /// The device that is meant where none is named.
    pub default: Option<String>,
}

impl Profiles {
    /// Where it is unless somebody says so.
    ///
    /// # Errors
    /// [`ConsoleError::Usage`] if there is no home folder.
    pub fn default_path() -> Result<PathBuf, ConsoleError> {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        absolute("XDG_CONFIG_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".config")))
            .map(|folder| folder.join("nethsm-cli/config.toml"))
            .ok_or_else(|| ConsoleError::usage("HOME is not set: say where the profiles are"))
    }

    /// Reads it; there is nothing in one that is not there.
    ///
    /// # Errors
    /// [`ConsoleError`] if it cannot be read, others may write to it, or it is no profile.
    pub fn load(path: PathBuf) -> Result<Self, ConsoleError> {
        let failed = |error: std::io::Error| ConsoleError::with(&path, error);
        let text = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
            Ok(about) if about.mode() & 0o022 != 0 => {
                let text = format!("{}: others may write to it: chmod 0600 it", path.display());
                return Err(ConsoleError::usage(text));
            }
            Ok(about) if about.len() > BYTES_MAX => {
                let text = format!("{}: is too large for a profile", path.display());
                return Err(ConsoleError::usage(text));
            }
            Ok(_) => fs::read_to_string(&path).map_err(failed)?,
        };
        let wrong = |what: String| ConsoleError::usage(format!("{}: {what}", path.display()));
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
    ///
    /// # Errors
    /// [`ConsoleError::Usage`] if there is none of that name.
    pub fn device(&self, label: &str) -> Result<&Profile, ConsoleError> {
        self.devices.get(label).ok_or_else(|| {
            let known: Vec<&str> = self.devices.keys().map(String::as_str).collect();
            ConsoleError::usage(match known.is_empty() {
                true => "there is no device of that name: nethsm-cli device add".to_owned(),
                false => format!("there is no device of that name, but {}", known.join(", ")),
            })
        })
    }

    /// Writes a device's table, or changes it, and leaves its users.
    pub fn put(&mut self, label: &str, profile: &Profile) {
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
    ///
    /// # Errors
    /// [`ConsoleError::Usage`] if there is none of that name.
    pub fn remove(&mut self, label: &str) -> Result<Profile, ConsoleError> {
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
            .ok_or_else(|| ConsoleError::usage("there is no device of that name"))
    }

    /// Gives a device another name.
    ///
    /// # Errors
    /// [`ConsoleError::Usage`] if there is none of the old name or one of the new.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<(), ConsoleError> {
        if self.devices.contains_key(new) {
            return Err(ConsoleError::usage(
                "there is a device of that name already",
            ));
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
    pub fn set_default(&mut self, label: &str) {
        self.document.insert("default", value(label));
        self.default = Some(label.to_owned());
    }

    /// Writes a user of a device.
    pub fn put_user(&mut self, label: &str, id: &str, user: &User) {
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
    ///
    /// # Errors
    /// [`ConsoleError::Usage`] if there is none of that name.
    pub fn remove_user(&mut self, label: &str, id: &str) -> Result<(), ConsoleError> {
        let users = self
            .table(label)
            .get_mut("user")
            .and_then(Item::as_table_mut);
        users
            .and_then(|users| users.remove(id))
            .map(|_| ())
            .ok_or_else(|| ConsoleError::usage("the profile has no such user"))
    }

    /// To the disk, as a whole, for its owner only.
    ///
    /// # Errors
    /// [`ConsoleError::File`] if that fails.
    pub fn save(&self) -> Result<(), ConsoleError> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| ConsoleError::with(folder, error))?;
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
