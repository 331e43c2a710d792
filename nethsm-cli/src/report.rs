//! What a command has to say, for people and for programs.

use std::io::{self, Write as _};
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};
use signstar_nethsm::client::{Answer, Outcome};

use crate::failure::{Failure, Status};
use crate::new_file;
use crate::yaml;

/// How to say what there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs: one object
    Json,
    /// For programs and people
    Yaml,
}

/// What a command has done or found.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) text: Vec<u8>,
    pub(crate) value: Value,
    pub(crate) status: Status,
}

impl Report {
    /// All is well.
    pub(crate) fn new(text: impl Into<String>, value: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            text: text.into().into_bytes(),
            value: to_value(value)?,
            status: Status::Done,
        })
    }

    /// Something was done to a thing.
    pub(crate) fn done(text: impl Into<String>, value: Value) -> Self {
        let mut text = text.into();
        text.push('\n');
        Self {
            text: text.into_bytes(),
            value,
            status: Status::Done,
        }
    }

    /// A setting was changed, or was so before: the device's answer says which.
    pub(crate) fn changed<T>(answer: &Answer<T>, text: &str, mut value: Value) -> Self {
        let unchanged = answer.outcome == Outcome::Unchanged;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("changed".to_owned(), (!unchanged).into());
        }
        match unchanged {
            true => Self::done(format!("unchanged: {text}"), value),
            false => Self::done(text, value),
        }
    }

    /// Bytes for a file, or for standard output where there is none.
    pub(crate) fn bytes(bytes: Vec<u8>, out: Option<&Path>, mode: u32) -> Result<Self, Failure> {
        let Some(path) = out else {
            let value = match std::str::from_utf8(&bytes) {
                Ok(text) if text.starts_with("-----BEGIN ") => json!({ "pem": text }),
                _ => json!({ "base64": Base64::encode_string(&bytes) }),
            };
            return Ok(Self {
                text: bytes,
                value,
                status: Status::Done,
            });
        };
        new_file::write(path, &bytes, mode)?;
        let (count, name) = (bytes.len(), path.display().to_string());
        Ok(Self::done(
            format!("wrote {name}: {count} bytes"),
            json!({ "file": name, "bytes": count }),
        ))
    }

    /// Everything was said already.
    pub(crate) const fn nothing(status: Status) -> Self {
        Self {
            text: Vec::new(),
            value: Value::Null,
            status,
        }
    }

    /// A rehearsal: nothing of that was done.
    pub(crate) fn rehearsed(mut self) -> Self {
        self.text.splice(0..0, *b"dry run: ");
        if let Some(fields) = self.value.as_object_mut() {
            fields.insert("dry_run".to_owned(), true.into());
        }
        self
    }

    /// Ends with `status` instead.
    pub(crate) fn ending_with(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// What stands on standard output.
    pub(crate) fn written(&self, output: Output) -> Vec<u8> {
        match output {
            Output::Text => self.text.clone(),
            _ if self.value.is_null() => Vec::new(),
            Output::Json => format!("{:#}\n", self.value).into_bytes(),
            Output::Yaml => yaml::document(&self.value).into_bytes(),
        }
    }

    /// Writes it to standard output and returns what to end with.
    pub(crate) fn print(&self, output: Output) -> Result<Status, Failure> {
        io::stdout()
            .write_all(&self.written(output))
            .and_then(|()| io::stdout().flush())
            .map_err(|error| Failure::with("standard output".as_ref(), &error))?;
        Ok(self.status)
    }
}

/// `1 key`, `2 keys`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// `value` as JSON.
pub(crate) fn to_value(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(Failure::failed)
}
