//! What devices shall be, in a file: users, namespaces, tags, keys, labels and settings.
//!
//! The file is TOML. Passphrases stand in it as sources and are used where something is made; what a device
//! does not tell, it cannot be compared with. Keys are made on the device: their material is never in a
//! file.

mod apply;
mod found;
mod plan;
mod toml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use toml_edit::DocumentMut;

use crate::device::Device;
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::report::Report;
use crate::role::Role;
use crate::screen;
use crate::tls::Out;
use plan::Change;
use toml::{json_of, written};

/// Larger ones are not what they say.
const BYTES_MAX: u64 = 4 << 20;
/// What is said of one on a terminal.
const LINE_CHARS_MAX: usize = 200;

#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// What the device shall be, as `config export` writes it
    file: PathBuf,
    /// Count as a difference what the device has and the file has not
    #[arg(long)]
    prune: bool,
}

/// A file's content.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Desired {
    version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provision: Option<Provision>,
    #[serde(default)]
    namespaces: BTreeSet<String>,
    /// Settings by section, with the device's names for what is in them.
    #[serde(default)]
    config: BTreeMap<String, Map<String, Value>>,
    #[serde(default)]
    user: BTreeMap<String, User>,
    /// By id, or NAMESPACE~ID.
    #[serde(default)]
    key: BTreeMap<String, Key>,
}

/// Sources of passphrases for a device that is not operational.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Provision {
    unlock_passphrase: String,
    admin_passphrase: String,
    backup_passphrase: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct User {
    role: Role,
    /// Not compared, and the id where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    real_name: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    tags: BTreeSet<String>,
    /// Where the passphrase of a new user comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Key {
    r#type: String,
    /// In bits, of RSA and Generic keys; not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length: Option<i32>,
    mechanisms: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    tags: BTreeSet<String>,
}

impl User {
    /// The one that provisioning makes.
    const fn first() -> Self {
        Self {
            role: Role::Administrator,
            real_name: None,
            tags: BTreeSet::new(),
            passphrase: None,
        }
    }
}

/// The namespace of `id`, and the rest of it.
fn parts(id: &str) -> (Option<&str>, &str) {
    match id.split_once('~') {
        Some((space, rest)) => (Some(space), rest),
        None => (None, id),
    }
}

impl Desired {
    fn load(path: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::with(path, &error);
        let wrong = |what: &str| Failure::usage(format!("{}: {what}", path.display()));
        if std::fs::metadata(path).map_err(failed)?.len() > BYTES_MAX {
            return Err(wrong("is too large"));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text).map_err(|text| wrong(&text))
    }

    /// Reads a file's text. What is wrong says the error, in a line, to be put behind the name of the file.
    fn parse(text: &str) -> Result<Self, String> {
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            format!("line {line} is no TOML")
        })?;
        let value = json_of(document.as_item()).ok_or("has a date in it")?;
        let desired: Self = serde_json::from_value(value).map_err(|error| line(&error))?;
        if desired.version != 1 {
            return Err("version must be 1".to_owned());
        }
        desired.check()?;
        Ok(desired)
    }

    fn check(&self) -> Result<(), String> {
        let ids = self
            .namespaces
            .iter()
            .chain(self.user.keys())
            .chain(self.key.keys());
        for id in ids {
            if !id.splitn(2, '~').all(signstar_nethsm::client::is_id) {
                return Err("there cannot be something of such a name".to_owned());
            }
        }
        for id in self.user.keys().chain(self.key.keys()) {
            match parts(id).0 {
                Some(space) if !self.namespaces.contains(space) => {
                    return Err(format!("{id}: its namespace does not stand in namespaces"));
                }
                _ => {}
            }
        }
        let sections = ["network", "logging", "ntp", "unattended-boot"];
        match self
            .config
            .keys()
            .all(|section| sections.contains(&section.as_str()))
        {
            true => Ok(()),
            false => Err(format!("[config] has {} only", sections.join(", "))),
        }
    }
}

/// What is wrong in a line of readable length: names in the file, which are in it, may be anything.
fn line(error: &serde_json::Error) -> String {
    let text: String = error.to_string().chars().take(LINE_CHARS_MAX).collect();
    text.replace(char::is_control, "\u{fffd}")
}

/// Reads what devices shall be, and writes it as `config export` does.
///
/// # Errors
/// What is wrong, in a line.
pub fn desired(text: &str) -> Result<String, String> {
    let desired = Desired::parse(text)?;
    let value = serde_json::to_value(desired).map_err(|error| error.to_string())?;
    Ok(written(&value))
}

/// Writes what a device is.
pub(crate) fn export(device: &mut Device, out: &Out) -> Result<Report, Failure> {
    let found = found::look(device, None)?;
    let value = crate::report::to_value(&found)?;
    let text = written(&value);
    let mut report = Report::bytes(text.into_bytes(), out.out.as_deref(), new_file::PUBLIC)?;
    if out.out.is_none() {
        report.value = value;
    }
    Ok(report)
}

fn lines(changes: &[Change]) -> (String, Value) {
    let text = changes
        .iter()
        .map(|change| format!("{}\n", screen::change(&change.to_string())))
        .collect();
    let list: Vec<String> = changes.iter().map(ToString::to_string).collect();
    (text, json!({ "changes": list }))
}

/// Says what would be changed.
pub(crate) fn plan(device: &mut Device, options: &Compare) -> Result<Report, Failure> {
    let desired = Desired::load(&options.file)?;
    let (text, value) = lines(&apply::changes(device, &desired, options.prune)?);
    Report::new(or_unchanged(text), &value)
}

fn or_unchanged(text: String) -> String {
    match text.is_empty() {
        true => "unchanged\n".to_owned(),
        false => text,
    }
}

/// Says what differs, with a status of its own.
pub(crate) fn diff(device: &mut Device, options: &Compare) -> Result<Report, Failure> {
    let desired = Desired::load(&options.file)?;
    let changes = apply::changes(device, &desired, options.prune)?;
    let (text, value) = lines(&changes);
    let status = if changes.is_empty() {
        Status::Done
    } else {
        Status::Drift
    };
    Ok(Report::new(text, &value)?.ending_with(status))
}

/// Makes the device what the file says.
pub(crate) fn apply(device: &mut Device, options: &Compare) -> Result<Report, Failure> {
    if device.manner.dry_run {
        return Ok(plan(device, options)?.rehearsed());
    }
    let desired = Desired::load(&options.file)?;
    let changes = apply::apply(device, &desired, options.prune)?;
    let (text, mut value) = lines(&changes);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("changed".to_owned(), (!changes.is_empty()).into());
    }
    Report::new(or_unchanged(text), &value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_one_line_whatever_stands_in_the_file() {
        let name = "\\u001b[2J\\n".repeat(1000);
        for text in [
            format!("version = 1\n\"{name}\" = 1\n"),
            format!("version = 1\n[user.a]\nrole = \"{name}\"\n"),
        ] {
            let problem = Desired::parse(&text).err().unwrap();
            assert!(problem.chars().count() <= LINE_CHARS_MAX, "{problem}");
            assert!(!problem.contains(char::is_control), "{problem:?}");
        }
    }

    #[test]
    fn the_files_in_the_documentation_read() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/nethsm-cli.md");
        let page = std::fs::read_to_string(page).unwrap();
        let blocks: Vec<&str> = page
            .split("```toml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap())
            .collect();
        let [profile, desired] = blocks.as_slice() else {
            panic!("two files are shown")
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.toml");
        new_file::write(&path, profile.as_bytes(), new_file::SECRET).unwrap();
        let profiles = crate::profile::Profiles::load(path.clone()).unwrap();
        assert_eq!(profiles.device("one").unwrap().users.len(), 2);
        new_file::write(&path, desired.as_bytes(), new_file::SECRET).unwrap();
        let desired = Desired::load(&path).unwrap();
        assert_eq!(desired.key.len(), 2);
        // Nothing that was read is lost when it is written.
        let value = crate::report::to_value(&desired).unwrap();
        let text = written(&value);
        new_file::write(&path, text.as_bytes(), new_file::SECRET).unwrap();
        let again = crate::report::to_value(&Desired::load(&path).unwrap()).unwrap();
        assert_eq!(again, value);
    }
}
