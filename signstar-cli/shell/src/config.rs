//! The configuration: `/etc/signstar/signstar.toml`, read strictly and at one fixed place.
//!
//! docs/configuration.md is its reference; a test compares the two.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeTable;

use crate::trusted_file::{self, FileError, Kind};

mod audit;
mod input;
mod key;
mod table;
mod user;

pub use audit::{Audit, SinkChoice, SyslogFormat};
pub use input::{AllowedCaller, Input, Inspected, ListFiles, Rules};
pub use key::Key;
use table::Problems;
pub use table::{Problem, Table};
pub use user::{Bounds, User};

/// The only place where the login shell looks.
pub const PATH: &str = "/etc/signstar/signstar.toml";

/// A configuration is a few KiB; this allows for some hundred users and keys.
const BYTES_MAX: u64 = 256 * 1024;

/// Why the configuration cannot be used. The operator must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read or trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is in it is wrong; every problem is named.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
}

/// A whole configuration.
pub struct Config {
    /// Where records go.
    pub audit: Audit,
    /// Who may ask, by name of the account.
    pub users: BTreeMap<String, User>,
    /// What may sign, by the name that records use.
    pub keys: BTreeMap<String, Key>,
}

impl Config {
    /// Reads the configuration at `path`.
    ///
    /// # Errors
    /// The file or its folder can be changed by others than root, or its content is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = trusted_file::read(path, Kind::Public, BYTES_MAX)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = bytes.iter().take(error.valid_up_to());
            let line = 1 + before.filter(|&&byte| byte == b'\n').count();
            ConfigError::Problems(vec![Problem {
                line,
                text: "not UTF-8".to_owned(),
            }])
        })?;
        Self::parse(text)
    }

    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// Every problem in it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let problems = Problems::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            problems.add(error.span().map_or(0, |span| span.start), error.message());
        }
        let config = read(Table::new("", 0, root.get_ref(), &problems));
        let found = problems.into_sorted();
        match config {
            Some(config) if found.is_empty() => Ok(config),
            _ => Err(ConfigError::Problems(found)),
        }
    }
}

fn read(mut root: Table<'_, '_>) -> Option<Config> {
    if root.number("version", 1..=1, 0) == 0 {
        root.problem_with("version", "must be there and be 1");
    }
    let audit = match root.table("audit") {
        Some(table) => audit::read(table),
        None => {
            root.problem("[audit] is missing");
            None
        }
    };
    let mut keys = BTreeMap::new();
    let key_tables = root.named_tables("key");
    let key_names: Vec<String> = key_tables.iter().map(|(name, _)| name.clone()).collect();
    for (name, table) in key_tables {
        if !is_name(&name) {
            table.problem("a key's name is 1 to 64 of a-z A-Z 0-9 . _ -");
        }
        if let Some(key) = key::read(table) {
            keys.insert(name, key);
        }
    }
    let mut users = BTreeMap::new();
    for (name, table) in root.named_tables("user") {
        if !is_name(&name) {
            table.problem("a user's name is 1 to 64 of a-z A-Z 0-9 . _ -");
        }
        if let Some(user) = user::read(table, &key_names, &keys) {
            users.insert(name, user);
        }
    }
    root.finish();
    Some(Config {
        audit: audit?,
        users,
        keys,
    })
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests;
