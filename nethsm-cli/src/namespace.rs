//! `namespace …`: parts of a device with administrators, users and keys of their own.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signstar_nethsm::sdk::apis::default_api;

use crate::device::{ADMINISTRATOR, Device};
use crate::failure::{Failure, Status};
use crate::known::{self, Shown};
use crate::report::{Report, counted};
use crate::user::checked;

#[derive(Debug, Subcommand)]
pub(crate) enum NamespaceVerb {
    /// List the namespaces (Administrator)
    List,
    /// Make a namespace (Administrator)
    ///
    /// Make its first administrator before (`user add NAMESPACE~ID --role Administrator`), or both at once (with
    /// --create-namespace): afterwards only its own administrators manage it.
    Add(Named),
    /// Delete a namespace and its keys (Administrator)
    ///
    /// Shows who is in it, and its keys if the profile has an administrator of it, and wants its name written.
    /// Its users stay, and can be removed afterwards.
    Remove(Remove),
}

#[derive(Args, Debug)]
pub(crate) struct Named {
    /// The namespace
    namespace: String,
}

#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// The namespace
    namespace: String,
    /// Show what would go, and do nothing
    #[arg(long)]
    plan: bool,
}

pub(crate) fn namespace(device: &mut Device, verb: &NamespaceVerb) -> Result<Report, Failure> {
    match verb {
        NamespaceVerb::List => {
            let found =
                device.read(ADMINISTRATOR, "namespaces_get", default_api::namespaces_get)?;
            let ids = found.iter().map(|item| item.id.as_str());
            known::note(&device.profile.url, Shown::Namespaces, ids);
            let text: String = found.iter().map(|item| format!("{}\n", item.id)).collect();
            Report::new(text, &json!({ "namespaces": found }))
        }
        NamespaceVerb::Add(Named { namespace }) => {
            let id = checked(namespace)?;
            device.change(ADMINISTRATOR, "namespaces_namespace_id_put", |asking| {
                default_api::namespaces_namespace_id_put(asking, id)
            })?;
            Ok(Report::done(format!("added {id}"), json!({ "id": id })))
        }
        NamespaceVerb::Remove(options) => remove(device, options),
    }
}

fn remove(device: &mut Device, options: &Remove) -> Result<Report, Failure> {
    let id = checked(&options.namespace)?;
    let known = device.read(ADMINISTRATOR, "namespaces_get", default_api::namespaces_get)?;
    if !known.iter().any(|item| item.id == id) {
        let text = format!(
            "{}: has no such namespace: nethsm-cli namespace list",
            device.label
        );
        return Err(Failure::new(Status::Absent, text));
    }
    let prefix = format!("{id}~");
    let users: Vec<String> = device
        .read(ADMINISTRATOR, "users_get", default_api::users_get)?
        .into_iter()
        .map(|item| item.user)
        .filter(|user| user.starts_with(&prefix))
        .collect();
    let keys = keys(device, id)?;
    let listed = |what: &str, ids: &[String]| match ids {
        [] => format!("no {what}s"),
        ids => format!("{} ({})", counted(ids.len(), what), ids.join(", ")),
    };
    let gone = match &keys {
        Some(keys) => listed("key", keys),
        None => format!("its keys, which only an administrator of {id} can list"),
    };
    let stay = listed("user", &users);
    let found = json!({ "id": id, "keys": keys, "users": users });
    if options.plan {
        let text = format!("{id}: {gone} would go; {stay} would stay\n");
        return Report::new(text, &json!({ "removed": Value::Null, "plan": found }));
    }
    device.confirm(&format!("{gone} will be gone; {stay} will stay"), id)?;
    device.change(ADMINISTRATOR, "namespaces_namespace_id_delete", |asking| {
        default_api::namespaces_namespace_id_delete(asking, id)
    })?;
    Ok(Report::done(
        format!("removed {id}: {gone} gone; {stay} stay"),
        json!({ "removed": id, "plan": found }),
    ))
}

/// The keys of a namespace, if the profile has an administrator who may list them.
fn keys(device: &Device, id: &str) -> Result<Option<Vec<String>>, Failure> {
    let mut manner = device.manner.clone();
    manner.user = None;
    manner.passphrase = None;
    manner.namespace = Some(id.to_owned());
    let mut inside = Device::new(&device.label, device.profile.clone(), manner);
    if inside.user(ADMINISTRATOR).is_err() {
        return Ok(None);
    }
    let keys = inside.read(ADMINISTRATOR, "keys_get", |asking| {
        default_api::keys_get(asking, None, None)
    })?;
    Ok(Some(keys.into_iter().map(|item| item.id).collect()))
}
