//! What a device is, in the same shape as what it shall be.

use std::collections::BTreeSet;

use clap::ValueEnum as _;
use serde_json::{Map, Value};
use signstar_nethsm::sdk::apis::default_api;

use super::{Desired, Key, User, parts};
use crate::config::{self, Section};
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::{Failure, Status};
use crate::key::list;
use crate::role::Role;
use crate::user;

/// A list of texts in a field.
fn texts(value: &Value, name: &str) -> BTreeSet<String> {
    let items = value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Asks for everything. Keys of namespaces are listed by an administrator of theirs, whom the profile
/// or `desired` knows; where neither does, there are none.
pub(super) fn look(device: &mut Device, desired: Option<&Desired>) -> Result<Desired, Failure> {
    let mut found = Desired {
        version: 1,
        ..Desired::default()
    };
    for section in Section::value_variants() {
        let name = section.name();
        let value = match config::look(device, *section) {
            // The time is never what it was.
            Ok(_) if name == "time" => continue,
            Ok(value) => value,
            // Older devices have no NTP.
            Err(failure) if failure.status == Status::Absent => continue,
            Err(failure) => return Err(failure),
        };
        let fields: Map<String, Value> = value.as_object().cloned().unwrap_or_default();
        found.config.insert(name, fields);
    }
    let spaces = device.read(ADMINISTRATOR, "namespaces_get", default_api::namespaces_get)?;
    found.namespaces = spaces.into_iter().map(|item| item.id).collect();
    for item in device.read(ADMINISTRATOR, "users_get", default_api::users_get)? {
        let value = user::look(device, &item.user)?;
        let role = Role::of_device(&user::field(&value, "role"))
            .ok_or_else(|| Failure::failed("the device has an unknown role"))?;
        let real_name = user::field(&value, "real_name");
        let seen = User {
            role,
            real_name: Some(real_name),
            tags: texts(&value, "tags"),
            passphrase: None,
        };
        found.user.insert(item.user, seen);
    }
    keys(device, None, &mut found)?;
    for space in found.namespaces.clone() {
        match inside(device, &space, desired) {
            Ok(mut inside) => keys(&mut inside, Some(&space), &mut found)?,
            Err(failure) if failure.status == Status::Usage => {
                log::warn!(
                    "{space}: the profile has no administrator of it: its keys are not seen"
                );
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

fn keys(device: &mut Device, space: Option<&str>, found: &mut Desired) -> Result<(), Failure> {
    let ids = device.read(ADMINISTRATOR, "keys_get", |asking| {
        default_api::keys_get(asking, None, None)
    })?;
    let ids: Vec<String> = ids.into_iter().map(|item| item.id).collect();
    for value in list::details(device, &ids)? {
        let id = user::field(&value, "id");
        let id = space.map_or(id.clone(), |space| format!("{space}~{id}"));
        let kind = user::field(&value, "type");
        let key = Key {
            length: list::bits(&value),
            r#type: kind,
            mechanisms: texts(&value, "mechanisms"),
            label: user::field(&value, "label"),
            tags: texts(&value, "tags"),
        };
        found.key.insert(id, key);
    }
    Ok(())
}

/// The same device, asked by an administrator of a namespace.
pub(super) fn inside(
    device: &Device,
    space: &str,
    desired: Option<&Desired>,
) -> Result<Device, Failure> {
    let mut manner = device.manner.clone();
    (manner.user, manner.passphrase) = (None, None);
    manner.namespace = Some(space.to_owned());
    let mut inside = Device::new(&device.label, device.profile.clone(), manner);
    if inside.user(ADMINISTRATOR).is_ok() {
        return Ok(inside);
    }
    let users = desired.into_iter().flat_map(|desired| &desired.user);
    let mut known = users.filter(|(id, user)| {
        parts(id).0 == Some(space) && user.role == Role::Administrator && user.passphrase.is_some()
    });
    let (id, user) = known
        .next()
        .ok_or_else(|| Failure::usage(format!("{space}: no administrator of it is known")))?;
    let source = user.passphrase.as_deref().unwrap_or_default();
    let source = super::apply::source(source)?;
    inside.knows(
        id,
        source.get(&format!("Passphrase of {id} on {}", device.label))?,
    );
    inside.manner.user = Some(id.clone());
    Ok(inside)
}
