//! What must be done so that a device is what it shall be, in an order in which it can be done.

use std::fmt;

use serde_json::{Map, Value};

use super::{Desired, Key, User, parts};
use crate::failure::{Failure, Status};
use crate::role::Role;

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    Provision,
    Unlock,
    /// A whole section, with what differs.
    Config {
        section: String,
        whole: Map<String, Value>,
        differs: Vec<String>,
    },
    AddUser {
        id: String,
        user: User,
    },
    AddNamespace(String),
    TagUser {
        id: String,
        tag: String,
    },
    UntagUser {
        id: String,
        tag: String,
    },
    AddKey {
        id: String,
        key: Key,
    },
    LabelKey {
        id: String,
        label: String,
    },
    TagKey {
        id: String,
        tag: String,
    },
    UntagKey {
        id: String,
        tag: String,
    },
    RemoveKey(String),
    RemoveNamespace(String),
    RemoveUser(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provision => f.write_str("+ provision"),
            Self::Unlock => f.write_str("~ unlock"),
            Self::Config {
                section, differs, ..
            } => {
                write!(f, "~ config {section}: {}", differs.join(", "))
            }
            Self::AddUser { id, user } => write!(f, "+ user {id} ({})", user.role.name()),
            Self::AddNamespace(id) => write!(f, "+ namespace {id}"),
            Self::TagUser { id, tag } => write!(f, "+ user {id} tag {tag}"),
            Self::UntagUser { id, tag } => write!(f, "- user {id} tag {tag}"),
            Self::AddKey { id, key } => write!(f, "+ key {id} ({})", key.r#type),
            Self::LabelKey { id, label } => write!(f, "~ key {id} label {label:?}"),
            Self::TagKey { id, tag } => write!(f, "+ key {id} tag {tag}"),
            Self::UntagKey { id, tag } => write!(f, "- key {id} tag {tag}"),
            Self::RemoveKey(id) => write!(f, "- key {id}"),
            Self::RemoveNamespace(id) => write!(f, "- namespace {id}"),
            Self::RemoveUser(id) => write!(f, "- user {id}"),
        }
    }
}

/// What is missing or wrong; with `prune` also what is too much.
pub(super) fn changes(
    found: &Desired,
    desired: &Desired,
    prune: bool,
) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    for (section, wanted) in &desired.config {
        config(section, found.config.get(section), wanted, &mut changes);
    }
    // The first administrators of a namespace are made before it.
    let new = |id: &str| {
        parts(id)
            .0
            .is_some_and(|space| !found.namespaces.contains(space))
    };
    let first = |(id, user): &(&String, &User)| user.role == Role::Administrator && new(id);
    for (id, user) in desired.user.iter().filter(first) {
        add_or_compare_user(id, user, found, &mut changes)?;
    }
    for space in desired.namespaces.difference(&found.namespaces) {
        changes.push(Change::AddNamespace(space.clone()));
    }
    for (id, user) in desired.user.iter().filter(|pair| !first(pair)) {
        add_or_compare_user(id, user, found, &mut changes)?;
    }
    for (id, key) in &desired.key {
        compare_key(id, key, found, &mut changes)?;
    }
    if prune {
        let keys = found.key.keys().filter(|id| !desired.key.contains_key(*id));
        // Each is named, also those of a namespace that goes.
        changes.extend(keys.cloned().map(Change::RemoveKey));
        let spaces = found.namespaces.difference(&desired.namespaces);
        changes.extend(spaces.cloned().map(Change::RemoveNamespace));
        let users = found
            .user
            .keys()
            .filter(|id| !desired.user.contains_key(*id));
        changes.extend(users.cloned().map(Change::RemoveUser));
    }
    Ok(changes)
}

/// What the file does not name stays as it is.
fn config(
    section: &str,
    found: Option<&Map<String, Value>>,
    wanted: &Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    let mut whole = found.cloned().unwrap_or_default();
    let mut differs = Vec::new();
    for (name, value) in wanted {
        if whole.get(name) != Some(value) {
            differs.push(format!("{name} = {value}"));
            whole.insert(name.clone(), value.clone());
        }
    }
    if !differs.is_empty() {
        changes.push(Change::Config {
            section: section.to_owned(),
            whole,
            differs,
        });
    }
}

fn fixed(id: &str, what: &str) -> Failure {
    let text = format!("{id}: has another {what}, which cannot be changed: remove it first");
    Failure::new(Status::Conflict, text)
}

fn add_or_compare_user(
    id: &str,
    user: &User,
    found: &Desired,
    changes: &mut Vec<Change>,
) -> Result<(), Failure> {
    let known = found.user.get(id);
    if known.is_some_and(|known| known.role != user.role) {
        return Err(fixed(id, "role"));
    }
    if known.is_none() {
        changes.push(Change::AddUser {
            id: id.to_owned(),
            user: user.clone(),
        });
    }
    let none = std::collections::BTreeSet::new();
    let tags = known.map_or(&none, |known| &known.tags);
    let to_change = |tag: &String| (id.to_owned(), tag.clone());
    for (id, tag) in user.tags.difference(tags).map(to_change) {
        changes.push(Change::TagUser { id, tag });
    }
    for (id, tag) in tags.difference(&user.tags).map(to_change) {
        changes.push(Change::UntagUser { id, tag });
    }
    Ok(())
}

fn compare_key(
    id: &str,
    key: &Key,
    found: &Desired,
    changes: &mut Vec<Change>,
) -> Result<(), Failure> {
    let Some(known) = found.key.get(id) else {
        changes.push(Change::AddKey {
            id: id.to_owned(),
            key: key.clone(),
        });
        return Ok(());
    };
    if known.r#type != key.r#type {
        return Err(fixed(id, "type"));
    }
    if known.mechanisms != key.mechanisms {
        return Err(fixed(id, "set of mechanisms"));
    }
    if known.label != key.label {
        changes.push(Change::LabelKey {
            id: id.to_owned(),
            label: key.label.clone(),
        });
    }
    for tag in key.tags.difference(&known.tags) {
        changes.push(Change::TagKey {
            id: id.to_owned(),
            tag: tag.clone(),
        });
    }
    for tag in known.tags.difference(&key.tags) {
        changes.push(Change::UntagKey {
            id: id.to_owned(),
            tag: tag.clone(),
        });
    }
    Ok(())
}
