//! Names of users, keys, namespaces and tags, and passphrases.

use std::fmt;

use crate::exchange::Refusal;

/// A user, of a namespace or of none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UserName {
    pub(crate) namespace: Option<String>,
    pub(crate) id: String,
}

impl UserName {
    /// What stands before and after the first `~`, unchecked.
    pub(crate) fn split(text: &str) -> Self {
        match text.split_once('~') {
            Some((namespace, id)) => Self {
                namespace: Some(namespace.to_owned()),
                id: id.to_owned(),
            },
            None => Self {
                namespace: None,
                id: text.to_owned(),
            },
        }
    }

    /// The same, when both parts are names.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let name = Self::split(text);
        if let Some(namespace) = &name.namespace {
            valid_id(namespace)?;
        }
        valid_id(&name.id)?;
        Ok(name)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}~")?;
        }
        f.write_str(&self.id)
    }
}

/// Checks the name of a key, tag, namespace or user.
pub(crate) fn valid_id(id: &str) -> Result<(), Refusal> {
    let inner = |char: char| char.is_ascii_alphanumeric() || "_-.".contains(char);
    let message = if id.is_empty() {
        "ID cannot be shorter than 1 character."
    } else if id.len() > 128 {
        "ID cannot be longer than 128 characters."
    } else if !id.chars().all(inner) {
        "ID may only contain alphanumeric characters, underscores, dashes, and dots."
    } else if id.starts_with(['_', '-', '.']) {
        "ID cannot start with underscore, dash, or dot."
    } else {
        return Ok(());
    };
    Err(Refusal::bad(message))
}

/// Checks the length of a passphrase that is called `name`, in bytes.
pub(crate) fn valid_passphrase(name: &str, passphrase: &[u8]) -> Result<(), Refusal> {
    if (10..=200).contains(&passphrase.len()) {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "passphrase {name} is not >= 10 and <= 200 characters"
    )))
}

/// A name that the device chooses: 10 random bytes in hexadecimal.
pub(crate) fn generated() -> Result<String, Refusal> {
    let bytes = crate::crypto::random::<10>()?;
    Ok(crate::crypto::sealed::hex(bytes))
}
