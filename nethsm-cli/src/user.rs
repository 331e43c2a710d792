//! `user …`: users of the device.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signstar_nethsm::client::{Answer, Outcome};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{UserPassphrasePostData, UserPostData, UserRole};

use crate::device::{ADMINISTRATOR, ANYBODY, Device, EITHER};
use crate::failure::Failure;
use crate::known::{self, Shown};
use crate::report::Report;
use crate::role::Role;
use crate::secret::{FORMS, Source};
use crate::table::table;

#[derive(Debug, Subcommand)]
pub(crate) enum UserVerb {
    /// List the users (Administrator)
    List(List),
    /// Show a user (Administrator; operators themselves)
    Show(Named),
    /// Make a user (Administrator)
    ///
    /// The first administrator of a namespace is made before the namespace.
    Add(Add),
    /// Delete a user (Administrator)
    Remove(Named),
    /// Give a user another passphrase (Administrator; operators themselves)
    Passphrase(Passphrase),
    /// Show who is asking
    Whoami,
    /// Tags of operators: keys with tags are for operators with one of them
    #[command(subcommand)]
    Tag(TagVerb),
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

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// The user: ID, NAMESPACE~ID, or NAMESPACE~ for an id that the device chooses; nothing for one
    /// outside of namespaces
    id: Option<String>,
    /// What the user may do
    #[arg(long)]
    role: Role,
    /// The user's name for people [default: the id]
    #[arg(long, value_name = "NAME")]
    real_name: Option<String>,
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the new user's passphrase comes from: {FORMS}"))]
    new_passphrase_from: Source,
    /// A tag of an operator; several times for several
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Passphrase {
    /// The user [default: who is asking]
    id: Option<String>,
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the new passphrase comes from: {FORMS}"))]
    new_passphrase_from: Source,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TagVerb {
    /// List the tags of an operator (Administrator; operators themselves)
    List(Named),
    /// Give an operator a tag (Administrator)
    Add(Tag),
    /// Take a tag from an operator (Administrator)
    Remove(Tag),
}

#[derive(Args, Debug)]
pub(crate) struct Tag {
    /// The user: ID, or NAMESPACE~ID
    id: String,
    /// The tag
    tag: String,
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

/// What a change of a setting did.
pub(crate) fn changed<T>(answer: &Answer<T>, text: &str, mut value: Value) -> Report {
    let unchanged = answer.outcome == Outcome::Unchanged;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("changed".to_owned(), (!unchanged).into());
    }
    match unchanged {
        true => Report::done(format!("unchanged: {text}"), value),
        false => Report::done(text, value),
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
        UserVerb::Add(options) => add(device, options),
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
        UserVerb::Passphrase(options) => passphrase(device, options),
        UserVerb::Whoami => {
            let id = device.user(ANYBODY)?;
            show(device, &id)
        }
        UserVerb::Tag(verb) => tag(device, verb),
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

fn add(device: &mut Device, options: &Add) -> Result<Report, Failure> {
    if !options.tags.is_empty() && options.role != Role::Operator {
        return Err(Failure::usage("only operators have tags"));
    }
    device.rehearse("users_user_id_put")?;
    let id = options.id.as_deref().unwrap_or_default();
    let name = if id.is_empty() { "the new user" } else { id };
    let role_name = options.role.name();
    let what = format!("Passphrase of {name} ({role_name}) on {}", device.label);
    let passphrase = options.new_passphrase_from.get_new(&what)?;
    let real_name = options.real_name.clone().unwrap_or_else(|| name.to_owned());
    let request = || {
        UserPostData::new(
            real_name.clone(),
            role(options.role),
            passphrase.to_string(),
        )
    };
    let id = if id.is_empty() {
        let made = device.change(ADMINISTRATOR, "users_post", |asking| {
            default_api::users_post(asking, request())
        })?;
        made.value.id
    } else if let Some(space) = id.strip_suffix('~') {
        checked(space)?;
        let made = device.change(ADMINISTRATOR, "users_user_id_post", |asking| {
            default_api::users_user_id_post(asking, id, request())
        })?;
        match made.value.id.contains('~') {
            true => made.value.id,
            false => format!("{space}~{}", made.value.id),
        }
    } else {
        checked(id)?;
        device.change(ADMINISTRATOR, "users_user_id_put", |asking| {
            default_api::users_user_id_put(asking, id, request())
        })?;
        id.to_owned()
    };
    for tag in &options.tags {
        let tag = checked(tag)?;
        device.change(ADMINISTRATOR, "users_user_id_tags_tag_put", |asking| {
            default_api::users_user_id_tags_tag_put(asking, &id, tag)
        })?;
    }
    known::came(&device.profile.url, Shown::Users, &id);
    let value = json!({ "id": id, "role": role_name, "tags": options.tags });
    Ok(Report::done(format!("added {id} ({role_name})"), value))
}

fn passphrase(device: &mut Device, options: &Passphrase) -> Result<Report, Failure> {
    let own = device.user(EITHER)?;
    let id = checked(options.id.as_deref().unwrap_or(&own))?.to_owned();
    device.rehearse("users_user_id_passphrase_post")?;
    let what = format!("Passphrase of {id} on {}", device.label);
    let passphrase = options.new_passphrase_from.get_new(&what)?;
    device.change(EITHER, "users_user_id_passphrase_post", |asking| {
        let request = UserPassphrasePostData::new(passphrase.to_string());
        default_api::users_user_id_passphrase_post(asking, &id, request)
    })?;
    let text = format!("{id} has another passphrase");
    Ok(Report::done(text, json!({ "id": id, "changed": true })))
}

fn tag(device: &mut Device, verb: &TagVerb) -> Result<Report, Failure> {
    match verb {
        TagVerb::List(Named { id }) => {
            let id = checked(id)?;
            let tags = device.read(EITHER, "users_user_id_tags_get", |asking| {
                default_api::users_user_id_tags_get(asking, id)
            })?;
            let text: String = tags.iter().map(|tag| format!("{tag}\n")).collect();
            Report::new(text, &json!({ "id": id, "tags": tags }))
        }
        TagVerb::Add(Tag { id, tag }) => {
            let (id, tag) = (checked(id)?, checked(tag)?);
            let answer = device.change(ADMINISTRATOR, "users_user_id_tags_tag_put", |asking| {
                default_api::users_user_id_tags_tag_put(asking, id, tag)
            })?;
            let value = json!({ "id": id, "tag": tag });
            Ok(changed(&answer, &format!("{id} has the tag {tag}"), value))
        }
        TagVerb::Remove(Tag { id, tag }) => {
            let (id, tag) = (checked(id)?, checked(tag)?);
            device.change(ADMINISTRATOR, "users_user_id_tags_tag_delete", |asking| {
                default_api::users_user_id_tags_tag_delete(asking, id, tag)
            })?;
            let value = json!({ "id": id, "tag": tag, "changed": true });
            Ok(Report::done(
                format!("{id} has not the tag {tag} any more"),
                value,
            ))
        }
    }
}
