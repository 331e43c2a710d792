//! `config explain`: what a configuration means, and where each value comes from.
//!
//! What is in the file is shown as it stands there, so that nothing is left out; what is not in
//! it is shown with its default.

mod origin;

use std::path::Path;

use serde::Serialize;
use signstar::config::{Config, Input, Key, User};
use signstar::enclave;
use signstar_core::{Declaring, Notation};

use crate::failure::Failure;
use crate::report::Report;
use crate::settings::Settings;
use origin::Origins;

#[derive(Serialize)]
struct Explained<'a> {
    file: &'a Path,
    audit: Vec<Value>,
    users: Vec<ExplainedUser>,
    keys: Vec<ExplainedKey>,
}

#[derive(Serialize)]
struct ExplainedUser {
    name: String,
    key: String,
    /// Why nothing is signed for it, if it is switched off.
    refused: Option<String>,
    /// What it may have signed, in a sentence.
    means: String,
    values: Vec<Value>,
}

#[derive(Serialize)]
struct ExplainedKey {
    name: String,
    back_end: &'static str,
    /// Fingerprint of the key that signs, where the certificate can be read and lets one sign.
    fingerprint: Option<String>,
    /// Why that is not so.
    problem: Option<String>,
    values: Vec<Value>,
}

/// One value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Value {
    name: String,
    value: String,
    /// Line in the file; none for a default.
    line: Option<usize>,
}

/// Explains the configuration at `path`.
pub(crate) fn explain(path: &Path) -> Result<Report, Failure> {
    let settings = Settings::load(path)?;
    let text = Settings::text(path)?;
    let origins = Origins::read(&text);
    let config = &settings.config;
    let audit = [
        ("sink", None),
        (
            "timeout-milliseconds",
            Some(config.audit.timeout_milliseconds.to_string()),
        ),
    ];
    let explained = Explained {
        file: path,
        audit: origins.values(&["audit"], &audit),
        users: config
            .users
            .iter()
            .map(|(name, user)| explain_user(name, user, config, &origins))
            .collect(),
        keys: config
            .keys
            .iter()
            .map(|(name, key)| explain_key(name, key, &origins))
            .collect(),
    };
    Report::new(explained.text(), &explained)
}

fn explain_user(name: &str, user: &User, config: &Config, origins: &Origins) -> ExplainedUser {
    let bounds = &user.bounds;
    let values = [
        ("key", None),
        ("disabled", Some(user.disabled.to_string())),
        ("input-bytes-min", Some(user.input_bytes_min.to_string())),
        ("input-bytes-max", Some(user.input_bytes_max.to_string())),
        (
            "deadline-seconds",
            Some(bounds.deadline_seconds.to_string()),
        ),
        (
            "progress-seconds",
            Some(bounds.progress_seconds.to_string()),
        ),
        ("progress-bytes", Some(bounds.progress_bytes.to_string())),
        (
            "memory-bytes-max",
            Some(bounds.memory_bytes_max.to_string()),
        ),
        ("sessions-max", Some(user.sessions_max.to_string())),
    ];
    let key = config.keys.get(&user.key);
    let refused = if user.disabled {
        Some(format!("[user.{name}] is disabled"))
    } else if key.is_some_and(|key| key.disabled) {
        Some(format!("[key.{}] is disabled", user.key))
    } else {
        None
    };
    let means = match (&refused, key) {
        (None, Some(key)) => format!(
            "may have {} of up to {} bytes signed at a time{}, by [key.{}] in {}, with {}{}; the \
             upload has {} seconds, and so many sessions run at a time: {}",
            what(&key.input),
            user.input_bytes_max,
            match user.callers.len() {
                0 => "",
                _ => " for the callers that are listed",
            },
            user.key,
            key.back_end.name,
            key.profile.hash,
            match key.declaring {
                Declaring::Required => ", if size and digest are declared",
                Declaring::Optional => "",
            },
            bounds.deadline_seconds,
            user.sessions_max,
        ),
        _ => "may have nothing signed".to_owned(),
    };
    ExplainedUser {
        name: name.to_owned(),
        key: user.key.clone(),
        refused,
        means,
        values: origins.values(&["user", name], &values),
    }
}

/// What a key signs, as part of a sentence.
fn what(input: &Input) -> String {
    match input {
        Input::Any => "anything".to_owned(),
        Input::Inspected(inspected) => format!("what is inspected as {}", inspected.kind.name()),
        Input::Listed(files) => format!("what stands in {}", files.file.display()),
    }
}

fn explain_key(name: &str, key: &Key, origins: &Origins) -> ExplainedKey {
    let has_notation = key.profile.notation == Notation::DataDigest;
    let is_required = key.declaring == Declaring::Required;
    let patience = match &key.input {
        Input::Inspected(inspected) => inspected.patience_seconds.to_string(),
        Input::Any | Input::Listed(_) => "nothing is inspected".to_owned(),
    };
    let values = [
        ("back-end", None),
        ("input", None),
        ("inspection-seconds", Some(patience)),
        ("artifact-notation", Some("none".to_owned())),
        ("certificate", None),
        ("signing-key", Some("the only signing key".to_owned())),
        ("hash", Some(key.profile.hash.to_string())),
        ("data-digest-notation", Some(has_notation.to_string())),
        ("require-declared", Some(is_required.to_string())),
        ("disabled", Some(key.disabled.to_string())),
        ("device-seconds", Some(key.device_seconds.to_string())),
    ];
    let (fingerprint, problem) = match enclave::open_certificate(key) {
        Ok(signing_key) => (Some(signing_key.fingerprint()), None),
        Err(failure) => (None, Some(failure.detail)),
    };
    ExplainedKey {
        name: name.to_owned(),
        back_end: key.back_end.name,
        fingerprint,
        problem,
        values: origins.values(&["key", name], &values),
    }
}

impl Explained<'_> {
    fn text(&self) -> String {
        let mut text = format!("{}\n\n[audit]\n", self.file.display());
        text += &shown(&self.audit);
        for user in &self.users {
            text += &format!("\n[user.{}] {}", user.name, user.means);
            if let Some(refused) = &user.refused {
                text += &format!(": {refused}");
            }
            text += &format!("\n{}", shown(&user.values));
        }
        for key in &self.keys {
            text += &format!("\n[key.{}] ", key.name);
            text += &match (&key.fingerprint, &key.problem) {
                (Some(fingerprint), _) => format!("signs with {fingerprint}\n"),
                (None, problem) => {
                    format!(
                        "does not sign: {}\n",
                        problem.as_deref().unwrap_or_default()
                    )
                }
            };
            text += &shown(&key.values);
        }
        text
    }
}

fn shown(values: &[Value]) -> String {
    let line = |value: &Value| {
        let origin = match value.line {
            Some(line) => format!("line {line}"),
            None => "default".to_owned(),
        };
        format!("  {} = {} ({origin})\n", value.name, value.value)
    };
    values.iter().map(line).collect()
}
