//! `user …`: users of the device.

mod add;
mod tag;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::UserRole;

use crate::device::{ADMINISTRATOR, ANYBODY, Device, EITHER};
use crate::failure::Failure;
use crate::known::{self, Shown};
use crate::report::Report;
use crate::role::Role;
use crate::table::table;

#[derive(Debug, Subcommand)]
pub(crate) enum UserVerb {
    /// List the users (Administrator)
    List(List),
    /// Show a user (Administrator; operators themselves)
    Show(Named),
    /// Make a user (Administrator)
    ///
    /// The first administrator of a namespace is made before the namespace, or brings it by --create-namespace.
    Add(add::Add),
    /// Delete a user (Administrator)
    Remove(Named),
    /// Give a user another passphrase (Administrator; operators themselves)
    Passphrase(add::Passphrase),
    /// Show who is asking
    Whoami,
    /// Tags of operators: keys with tags are for operators with one of them
    #[command(subcommand)]
    Tag(tag::TagVerb),
}

#[derive(Args, Debug)]
pub(crate) struct List {
    /// With names, roles and tags, which asks for each user
    #[arg(short, long)]
    long: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Named {
    /// The user: ID, or NAMESPACE~ID
    id: String,
}

/// Whether an id leads where it should: nothing else is put into an address.
pub(crate) fn checked(id: &str) -> Result<&str, Failure> {
    match id.splitn(2, '~').all(signstar_nethsm::client::is_id) {
        true => Ok(id),
        false => Err(Failure::usage(
            "an id has 1 to 128 letters, digits, dots, dashes and lines, and begins with a letter or digit",
        )),
    }
}

/// A role as devices take it.
pub(crate) const fn role(role: Role) -> UserRole {
    match role {
        Role::Administrator => UserRole::Administrator,
        Role::Operator => UserRole::Operator,
        Role::Metrics => UserRole::Metrics,
        Role::Backup => UserRole::Backup,
    }
}

pub(crate) fn user(device: &mut Device, verb: &UserVerb) -> Result<Report, Failure> {
    match verb {
        UserVerb::List(options) => list(device, options),
        UserVerb::Show(Named { id }) => show(device, checked(id)?),
        UserVerb::Add(options) => add::add(device, options),
        UserVerb::Remove(Named { id }) => {
            let id = checked(id)?;
            device.confirm(&format!("user {id} will be gone"), "yes")?;
            device.change(ADMINISTRATOR, "users_user_id_delete", |asking| {
                default_api::users_user_id_delete(asking, id)
            })?;
            known::went(&device.profile.url, Shown::Users, id);
            Ok(Report::done(
                format!("removed {id}"),
                json!({ "removed": id }),
            ))
        }
        UserVerb::Passphrase(options) => add::passphrase(device, options),
        UserVerb::Whoami => {
            let id = device.user(ANYBODY)?;
            show(device, &id)
        }
        UserVerb::Tag(verb) => tag::tag(device, verb),
    }
}

/// What is known of a user; only operators have tags.
pub(crate) fn look(device: &mut Device, id: &str) -> Result<Value, Failure> {
    let found = device.read(ANYBODY, "users_user_id_get", |asking| {
        default_api::users_user_id_get(asking, id)
    })?;
    let operator = found.role == UserRole::Operator;
    let value = json!({ "id": id, "real_name": found.real_name, "role": found.role });
    if !operator {
        return Ok(value);
    }
    let tags = device.read(EITHER, "users_user_id_tags_get", |asking| {
        default_api::users_user_id_tags_get(asking, id)
    })?;
    let mut fields = value.as_object().cloned().unwrap_or_default();
    fields.insert("tags".to_owned(), tags.into());
    Ok(fields.into())
}

/// A field of a value as text: lists with commas.
pub(crate) fn field(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items = items.iter().filter_map(Value::as_str);
            items.collect::<Vec<_>>().join(",")
        }
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn show(device: &mut Device, id: &str) -> Result<Report, Failure> {
    let value = look(device, id)?;
    let of = |name| field(&value, name);
    let mut text = format!("{}: {} ({})\n", id, of("role"), of("real_name"));
    if value.get("tags").is_some() {
        text.push_str(&format!("{}\n", format!("tags: {}", of("tags")).trim_end()));
    }
    Report::new(text, &value)
}

fn list(device: &mut Device, options: &List) -> Result<Report, Failure> {
    let users = device.read(ADMINISTRATOR, "users_get", default_api::users_get)?;
    // An administrator of a namespace sees no others.
    if !device.user(ADMINISTRATOR)?.contains('~') {
        let ids = users.iter().map(|item| item.user.as_str());
        known::note(&device.profile.url, Shown::Users, ids);
    }
    if !options.long {
        let text: String = users
            .iter()
            .map(|item| format!("{}\n", item.user))
            .collect();
        let ids: Vec<Value> = users
            .iter()
            .map(|item| json!({ "id": item.user }))
            .collect();
        return Report::new(text, &json!({ "users": ids }));
    }
    let users: Vec<Value> = users
        .iter()
        .map(|item| look(device, &item.user))
        .collect::<Result<_, _>>()?;
    let rows: Vec<[String; 4]> = users
        .iter()
        .map(|user| ["id", "role", "real_name", "tags"].map(|name| field(user, name)))
        .collect();
    Report::new(
        table(["USER", "ROLE", "NAME", "TAGS"], &rows),
        &json!({ "users": users }),
    )
}
