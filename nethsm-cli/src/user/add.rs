//! `user add` and `user passphrase`.

use clap::Args;
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{UserPassphrasePostData, UserPostData};

use super::{checked, role};
use crate::device::{ADMINISTRATOR, Device, EITHER};
use crate::failure::Failure;
use crate::known::{self, Shown};
use crate::new_passphrase::NewPassphrase;
use crate::report::Report;
use crate::role::Role;

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// The user: ID, NAMESPACE~ID, or NAMESPACE~ for an id that the device chooses; nothing for one
    /// outside of namespaces
    id: Option<String>,
    /// What the user may do
    #[arg(long, ignore_case = true)]
    role: Role,
    /// The user's name for people [default: the id]
    #[arg(long, value_name = "NAME")]
    real_name: Option<String>,
    #[command(flatten)]
    new: NewPassphrase,
    /// A tag of an operator; several times for several
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Make the namespace, too, whose first administrator this is
    #[arg(long)]
    create_namespace: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Passphrase {
    /// The user [default: who is asking]
    id: Option<String>,
    #[command(flatten)]
    new: NewPassphrase,
}

/// The namespace that an administrator is the first of, if that is asked for.
fn first_of(options: &Add) -> Result<Option<&str>, Failure> {
    if !options.create_namespace {
        return Ok(None);
    }
    let space = options.id.as_deref().and_then(|id| id.split_once('~'));
    match space {
        Some((space, _)) if options.role == Role::Administrator => Ok(Some(checked(space)?)),
        _ => Err(Failure::usage(
            "--create-namespace is for its first administrator: NAMESPACE~ID --role Administrator",
        )),
    }
}

pub(super) fn add(device: &mut Device, options: &Add) -> Result<Report, Failure> {
    if !options.tags.is_empty() && options.role != Role::Operator {
        return Err(Failure::usage("only operators have tags"));
    }
    for tag in &options.tags {
        checked(tag)?;
    }
    let space = first_of(options)?;
    let id = options.id.as_deref().unwrap_or_default();
    if !id.is_empty() {
        checked(id.strip_suffix('~').unwrap_or(id))?;
    }
    device.rehearse("users_user_id_put")?;
    let name = if id.is_empty() { "the new user" } else { id };
    let role_name = options.role.name();
    let what = format!("Passphrase of {name} ({role_name}) on {}", device.label);
    let real_name = options.real_name.as_deref().unwrap_or(name);
    let (id, kept) = options.new.set(device, &what, |device, passphrase| {
        let data = UserPostData::new(
            real_name.to_owned(),
            role(options.role),
            passphrase.to_owned(),
        );
        made(device, id, &data)
    })?;
    for tag in &options.tags {
        device.change(ADMINISTRATOR, "users_user_id_tags_tag_put", |asking| {
            default_api::users_user_id_tags_tag_put(asking, &id, tag)
        })?;
    }
    known::came(&device.profile.url, Shown::Users, &id);
    let mut text = format!("added {id} ({role_name})");
    if let Some(space) = space {
        device.change(ADMINISTRATOR, "namespaces_namespace_id_put", |asking| {
            default_api::namespaces_namespace_id_put(asking, space)
        })?;
        known::came(&device.profile.url, Shown::Namespaces, space);
        text.push_str(&format!(" and the namespace {space}"));
    }
    let value = json!({ "id": id, "role": role_name, "tags": options.tags });
    Ok(kept.said(text, value))
}

/// Makes the user, and says which id it has.
fn made(device: &mut Device, id: &str, data: &UserPostData) -> Result<String, Failure> {
    if id.is_empty() {
        let made = device.change(ADMINISTRATOR, "users_post", |asking| {
            default_api::users_post(asking, data.clone())
        })?;
        return Ok(made.value.id);
    }
    let Some(space) = id.strip_suffix('~') else {
        device.change(ADMINISTRATOR, "users_user_id_put", |asking| {
            default_api::users_user_id_put(asking, id, data.clone())
        })?;
        return Ok(id.to_owned());
    };
    let made = device.change(ADMINISTRATOR, "users_user_id_post", |asking| {
        default_api::users_user_id_post(asking, id, data.clone())
    })?;
    Ok(match made.value.id.contains('~') {
        true => made.value.id,
        false => format!("{space}~{}", made.value.id),
    })
}

pub(super) fn passphrase(device: &mut Device, options: &Passphrase) -> Result<Report, Failure> {
    let own = device.user(EITHER)?;
    let id = checked(options.id.as_deref().unwrap_or(&own))?.to_owned();
    device.rehearse("users_user_id_passphrase_post")?;
    let what = format!("Passphrase of {id} on {}", device.label);
    let ((), kept) = options.new.set(device, &what, |device, passphrase| {
        device.change(EITHER, "users_user_id_passphrase_post", |asking| {
            let request = UserPassphrasePostData::new(passphrase.to_owned());
            default_api::users_user_id_passphrase_post(asking, &id, request)
        })?;
        Ok(())
    })?;
    let text = format!("{id} has another passphrase");
    Ok(kept.said(text, json!({ "id": id, "changed": true })))
}
