//! Device profiles: what an operator knows of a NetHSM, with its users and what it must show.
//!
//! The file holds no secret, only where secrets come from.

mod file;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use clap::ValueEnum as _;
use signstar_nethsm::client::{Address, Authorities, Fingerprint, SYSTEM_AUTHORITIES, Trust};
use toml_edit::{Item, Table};

pub use file::Profiles;

use crate::ConsoleError;
use crate::role::Role;
use crate::secret::Source;

/// A user of a device.
#[derive(Clone, Debug)]
pub struct User {
    /// What it may do.
    pub role: Role,
    /// Where its passphrase comes from.
    pub passphrase: Source,
}

/// What a device's certificate must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// The one with this SHA-256, 64 hexadecimal digits with colons or without.
    Pin(String),
    /// One that the authority in this file has signed.
    Authority(PathBuf),
    /// One that an authority of the system has signed.
    System,
}

/// One device.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Where it is: `HOST`, `HOST:PORT` or a whole address.
    pub url: String,
    /// What its certificate must be.
    pub trusted: Trusted,
    /// The name in its certificate, where that is not the address.
    pub tls_name: Option<String>,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// Its users by their names.
    pub users: BTreeMap<String, User>,
}

impl Profile {
    /// A device that stands in no file.
    pub fn new(url: &str, trusted: Trusted) -> Self {
        Self {
            url: url.to_owned(),
            trusted,
            tls_name: None,
            groups: Vec::new(),
            users: BTreeMap::new(),
        }
    }

    /// Its address.
    ///
    /// # Errors
    /// [`ConsoleError::Usage`] if it is none.
    pub fn address(&self) -> Result<Address, ConsoleError> {
        self.url
            .parse()
            .map_err(|error| ConsoleError::usage(format!("the address of the device {error}")))
    }

    /// What its certificate must be, with what stands in files.
    ///
    /// # Errors
    /// [`ConsoleError::File`] if one cannot be read, [`ConsoleError::Usage`] if it cannot be used.
    pub fn trust(&self) -> Result<Trust, ConsoleError> {
        let path = match &self.trusted {
            Trusted::Pin(pin) => {
                return Fingerprint::from_str(pin)
                    .map(Trust::Pin)
                    .map_err(|error| ConsoleError::usage(format!("pin: {error}")));
            }
            Trusted::Authority(path) => path.as_path(),
            Trusted::System => SYSTEM_AUTHORITIES
                .iter()
                .map(Path::new)
                .find(|path| path.exists())
                .ok_or_else(|| {
                    ConsoleError::usage("the system has no authorities: give --pin or --ca")
                })?,
        };
        let pem = fs::read(path).map_err(|error| ConsoleError::with(path, error))?;
        Authorities::from_pem(&pem)
            .map(Trust::Authorities)
            .map_err(|error| ConsoleError::usage(format!("{}: {error}", path.display())))
    }
}

pub(crate) fn text(item: &Item, name: &str) -> Result<String, String> {
    item.as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("{name} must be a text"))
}

pub(crate) fn profile(table: &Table) -> Result<Profile, String> {
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
