//! The configuration, and what operators need of it beyond the login shell.

use std::path::{Path, PathBuf};

use signstar::config::{Config, ConfigError, Key};
use signstar::trusted_file::{self, Kind};
use signstar_console::profile::{Profile, Profiles};

use crate::cli::AtNetHsm;
use crate::failure::{Failure, Status};

/// The same bound as the login shell's.
const BYTES_MAX: u64 = 256 * 1024;

/// A configuration that the login shell would take.
pub(crate) struct Settings {
    path: PathBuf,
    pub(crate) config: Config,
    /// The NetHSM to ask instead of those of the configuration.
    pub(crate) profiled: Option<Profiled>,
}

/// A NetHSM of the operator's device profiles.
pub(crate) struct Profiled {
    pub(crate) label: String,
    pub(crate) profile: Profile,
}

impl Settings {
    /// Reads the file at `path`.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let config = Self::read(path)?.map_err(|error| {
            let problems = match error {
                ConfigError::File(error) => return error.into(),
                ConfigError::Problems(problems) => problems,
            };
            let shown = path.display();
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            let text = match problems.len() {
                0 | 1 => format!("{shown}: {first}"),
                count => {
                    format!("{shown}: {first} (`signstar-admin config check` names all {count} problems)")
                }
            };
            Failure::new(Status::Configuration, text)
        })?;
        Ok(Self {
            path: path.to_owned(),
            config,
            profiled: None,
        })
    }

    /// The same, with the device that the command line names.
    pub(crate) fn at(self, asked: &AtNetHsm) -> Result<Self, Failure> {
        let Some(label) = &asked.profile else {
            return Ok(self);
        };
        let path = asked.profiles.clone();
        let profiles = Profiles::load(path.map_or_else(Profiles::default_path, Ok)?)?;
        let profiled = Profiled {
            label: label.clone(),
            profile: profiles.device(label)?.clone(),
        };
        Ok(Self {
            profiled: Some(profiled),
            ..self
        })
    }

    /// The text of the file at `path`.
    pub(crate) fn text(path: &Path) -> Result<String, Failure> {
        let bytes = trusted_file::read(path, Kind::Public, BYTES_MAX)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What the login shell makes of the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Result<Config, ConfigError>, Failure> {
        log::debug!("reading {}", path.display());
        let bytes = trusted_file::read(path, Kind::Public, BYTES_MAX)?;
        // What is not UTF-8 is refused there, with its line.
        Ok(match std::str::from_utf8(&bytes) {
            Ok(text) => Config::parse(text),
            Err(_) => Config::load(path),
        })
    }

    /// The key `name`.
    pub(crate) fn key(&self, name: &str) -> Result<&Key, Failure> {
        self.config.keys.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.config.keys.keys().map(String::as_str).collect();
            let known = match known.is_empty() {
                true => "there is none".to_owned(),
                false => format!("there are: {}", known.join(", ")),
            };
            let text = format!("{}: no [key.{name}]; {known}", self.path.display());
            Failure::new(Status::Usage, text)
        })
    }

    /// Names of the accounts that sign with the key `name`.
    pub(crate) fn accounts_of(&self, name: &str) -> Vec<&str> {
        let users = self.config.users.iter();
        users
            .filter(|(_, user)| user.key == name)
            .map(|(account, _)| account.as_str())
            .collect()
    }
}
