//! The configuration: `/etc/signstar/signstar.toml`, read strictly and at one fixed place.
//!
//! docs/configuration.md is its reference; a test compares the two.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use signstar_core::{
    Declaring, HashAlgorithm, InputPolicy, Notation, Policy, Profile, Refusal, SshIdentity,
    INPUT_BYTES_MAX_DEFAULT,
};
use toml::de::DeTable;

use crate::back_ends::{self, BackEnd, Device};
use crate::trusted_file::{self, FileError, Kind};

mod audit;
mod input;
mod table;

pub use audit::{Audit, SinkChoice, SyslogFormat};
pub use input::{AllowedCaller, Input, Inspected, ListFiles, Rules};
use table::Problems;
pub use table::{Problem, Table};

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

/// An account that may ask for signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name of its key.
    pub key: String,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The smallest artifact, in bytes.
    pub input_bytes_min: u64,
    /// The largest artifact, in bytes.
    pub input_bytes_max: u64,
    /// What its artifacts may say of themselves, beside what the key asks.
    pub rules: Rules,
    /// Whom it is for, by a name of the operator's; without any, for whomever sshd lets in.
    pub callers: BTreeMap<String, AllowedCaller>,
    /// Bounds of one session.
    pub bounds: Bounds,
    /// How many sessions may run at a time.
    pub sessions_max: u64,
}

/// What one session may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From start to end of the upload, in seconds.
    pub deadline_seconds: u64,
    /// In so many seconds …
    pub progress_seconds: u64,
    /// … at least so many bytes must arrive.
    pub progress_bytes: u64,
    /// Address space of the process, in bytes.
    pub memory_bytes_max: u64,
}

/// A key that signs.
pub struct Key {
    /// What holds it.
    pub back_end: &'static BackEnd,
    /// How that is reached.
    pub device: Box<dyn Device>,
    /// How long the device may take, in seconds.
    pub device_seconds: u64,
    /// The file with its certificate.
    pub certificate: PathBuf,
    /// Which key of the certificate signs, where several could.
    pub signing_key: Option<String>,
    /// What its signatures look like.
    pub profile: Profile,
    /// Whether size and digest must be declared.
    pub declaring: Declaring,
    /// What it signs.
    pub input: Input,
    /// Whether it is switched off.
    pub disabled: bool,
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
        if let Some(key) = read_key(table) {
            keys.insert(name, key);
        }
    }
    let mut users = BTreeMap::new();
    for (name, table) in root.named_tables("user") {
        if !is_name(&name) {
            table.problem("a user's name is 1 to 64 of a-z A-Z 0-9 . _ -");
        }
        if let Some(user) = read_user(table, &key_names, &keys) {
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

fn read_user(
    mut table: Table<'_, '_>,
    key_names: &[String],
    keys: &BTreeMap<String, Key>,
) -> Option<User> {
    let key = table.text("key");
    if key.as_ref().is_some_and(|key| !key_names.contains(key)) {
        table.problem_with("key", "names no [key.NAME] table");
    }
    let disabled = table.flag("disabled");
    let largest = i64::MAX.unsigned_abs();
    let input_bytes_max = table.number("input-bytes-max", 1..=largest, INPUT_BYTES_MAX_DEFAULT);
    let input_bytes_min = table.number("input-bytes-min", 1..=largest, 1);
    if input_bytes_min > input_bytes_max {
        table.problem_with("input-bytes-min", "is more than `input-bytes-max`");
    }
    let signing = key.as_ref().and_then(|name| keys.get(name));
    let kind = signing.and_then(|key| key.input.kind());
    let rules = table
        .table("rules")
        .map(|table| input::read_rules(table, kind));
    let callers: BTreeMap<String, AllowedCaller> = table
        .named_tables("callers")
        .into_iter()
        .map(|(name, table)| (name, input::read_caller(table, kind)))
        .collect();
    let ruled = rules.is_some() || callers.values().any(|caller| !caller.rules.is_empty());
    if ruled && kind.is_none() && signing.is_some() {
        table.problem("rules need a key whose input is inspected");
    }
    let bounds = Bounds {
        deadline_seconds: table.number("deadline-seconds", 1..=86_400, 3600),
        progress_seconds: table.number("progress-seconds", 1..=3600, 30),
        progress_bytes: table.number("progress-bytes", 1..=1 << 30, 64 << 10),
        memory_bytes_max: table.number("memory-bytes-max", 16 << 20..=1 << 30, 64 << 20),
    };
    let sessions_max = table.number("sessions-max", 1..=1024, 16);
    table.finish();
    Some(User {
        key: key?,
        disabled,
        input_bytes_min,
        input_bytes_max,
        rules: rules.unwrap_or_default(),
        callers,
        bounds,
        sessions_max,
    })
}

fn read_key(mut table: Table<'_, '_>) -> Option<Key> {
    let back_end = table
        .text("back-end")
        .and_then(|name| match back_ends::named(&name) {
            Ok(back_end) => Some(back_end),
            Err(error) => {
                table.problem_with("back-end", error);
                None
            }
        });
    let certificate = table.path("certificate");
    let signing_key = table.optional_text("signing-key");
    let hashes = HashAlgorithm::ALL.map(|hash| (hash.name(), hash));
    let hash = table.choice("hash", &hashes, HashAlgorithm::Sha512);
    let notation = match table.flag("data-digest-notation") {
        true => Notation::DataDigest,
        false => Notation::None,
    };
    let declaring = match table.flag("require-declared") {
        true => Declaring::Required,
        false => Declaring::Optional,
    };
    let artifact_notation = table.optional_text("artifact-notation");
    if artifact_notation
        .as_deref()
        .is_some_and(|name| !is_notation(name))
    {
        let text = "must be NAME@DOMAIN of at most 50 of a-z 0-9 . -";
        table.problem_with("artifact-notation", text);
    }
    let input = input::read(&mut table);
    let disabled = table.flag("disabled");
    let device_seconds = table.number("device-seconds", 1..=600, 30);
    let device = back_end.and_then(|back_end| {
        let section = table.table(back_end.name);
        if section.is_none() {
            table.problem(format_args!(
                "its table for back end `{}` is missing",
                back_end.name
            ));
        }
        (back_end.read)(section?)
    });
    table.finish();
    Some(Key {
        back_end: back_end?,
        device: device?,
        device_seconds,
        certificate: certificate?,
        signing_key,
        profile: Profile {
            hash,
            notation,
            artifact_notation,
        },
        declaring,
        input: input?,
        disabled,
    })
}

/// A notation in the name space of users (RFC 9580, section 5.2.3.24).
fn is_notation(name: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    name.len() <= 50
        && name.split_once('@').is_some_and(|(name, domain)| {
            let texts = [name, domain];
            texts
                .iter()
                .all(|text| !text.is_empty() && text.bytes().all(plain))
        })
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl Key {
    /// What its back end's table says, if that is of the type `T`.
    pub fn device_as<T: Device>(&self) -> Option<&T> {
        let device: &dyn Any = self.device.as_ref();
        device.downcast_ref()
    }
}

impl User {
    /// What this account may have signed with `key`, which signs what `input` says.
    pub fn policy(&self, key: &Key, input: InputPolicy) -> Policy {
        Policy {
            input_bytes_min: self.input_bytes_min,
            input_bytes_max: self.input_bytes_max,
            declaring: key.declaring,
            input,
            hash_states: false,
        }
    }

    /// The rules for artifacts of `identity`, beside the key's.
    ///
    /// # Errors
    /// The account is for others.
    pub fn rules_for(&self, identity: &SshIdentity) -> Result<Vec<&Rules>, Refusal> {
        let matching = self.callers.values().filter(|caller| caller.is(identity));
        let theirs: Vec<&Rules> = matching.map(|caller| &caller.rules).collect();
        match theirs.is_empty() && !self.callers.is_empty() {
            true => Err(Refusal::CallerUnknown),
            false => Ok(std::iter::once(&self.rules).chain(theirs).collect()),
        }
    }
}

#[cfg(test)]
mod tests;
