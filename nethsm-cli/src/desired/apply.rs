//! Doing what is to be done.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    BackupPassphraseConfig, KeyGenerateRequestData, KeyRestrictions, KeySetLabel,
    ProvisionRequestData, UnlockRequestData, UserPostData,
};

use super::plan::{self, Change};
use super::{Desired, Key, Provision, User, found, parts};
use crate::config;
use crate::device::{ADMINISTRATOR, As, Device};
use crate::failure::{Failure, Status};
use crate::health::state_of;
use crate::key::mechanism::{kind, mechanism};
use crate::provision::now;
use crate::secret::{FORMS, Source};
use crate::user::role;

/// A source that stands in the file.
pub(super) fn source(text: &str) -> Result<Source, Failure> {
    Source::from_str(text)
        .map_err(|_| Failure::usage(format!("a passphrase in the file must be {FORMS}")))
}

/// What differs. Of a device that is not operational, only that is known.
pub(super) fn changes(
    device: &mut Device,
    desired: &Desired,
    prune: bool,
) -> Result<Vec<Change>, Failure> {
    match (state_of(device)?.as_str(), &desired.provision) {
        ("Operational", _) => plan::changes(&found::look(device, Some(desired))?, desired, prune),
        ("Unprovisioned", Some(_)) => {
            let mut changes = vec![Change::Provision];
            let mut fresh = Desired::default();
            fresh.user.insert("admin".to_owned(), User::first());
            changes.extend(plan::changes(&fresh, desired, false)?);
            Ok(changes)
        }
        ("Locked", Some(_)) => Ok(vec![Change::Unlock]),
        (state, _) => {
            let text = format!(
                "{}: is {state}, and the file has no [provision]",
                device.label
            );
            Err(Failure::new(Status::State, text))
        }
    }
}

/// Makes the device what the file says, and returns what was done.
pub(super) fn apply(
    device: &mut Device,
    desired: &Desired,
    prune: bool,
) -> Result<Vec<Change>, Failure> {
    let mut done = Vec::new();
    if let Some(how) = &desired.provision {
        match state_of(device)?.as_str() {
            "Unprovisioned" => {
                provision(device, how)?;
                done.push(Change::Provision);
            }
            "Locked" => {
                unlock(device, how)?;
                done.push(Change::Unlock);
            }
            _ => {}
        }
        if device.manner.user.is_none() && device.user(ADMINISTRATOR).is_err() {
            let admin = source(&how.admin_passphrase)?;
            let what = format!("Passphrase of admin on {}", device.label);
            device.knows("admin", admin.get(&what)?);
            device.manner.user = Some("admin".to_owned());
        }
    }
    let changes = changes(device, desired, prune)?;
    let gone: Vec<String> = changes
        .iter()
        .filter(|change| {
            matches!(
                change,
                Change::RemoveKey(_) | Change::RemoveNamespace(_) | Change::RemoveUser(_)
            )
        })
        .map(ToString::to_string)
        .collect();
    if !gone.is_empty() {
        device.confirm(&format!("will be gone:\n{}", gone.join("\n")), "yes")?;
    }
    let mut insides = BTreeMap::new();
    for change in changes {
        step(device, &mut insides, desired, &change)?;
        done.push(change);
    }
    Ok(done)
}

fn provision(device: &mut Device, how: &Provision) -> Result<(), Failure> {
    device.rehearse("provision_post")?;
    let label = device.label.clone();
    let unlock =
        source(&how.unlock_passphrase)?.get_new(&format!("Unlock passphrase of {label}"))?;
    let admin =
        source(&how.admin_passphrase)?.get_new(&format!("Passphrase of admin on {label}"))?;
    device.change(As::Nobody, "provision_post", |asking| {
        let request = ProvisionRequestData::new(unlock.to_string(), admin.to_string(), now());
        default_api::provision_post(asking, request)
    })?;
    if let Some(backup) = &how.backup_passphrase {
        let backup = source(backup)?.get_new(&format!("Backup passphrase of {label}"))?;
        let mut manner = device.manner.clone();
        manner.user = Some("admin".to_owned());
        let mut first = Device::new(&label, device.profile.clone(), manner);
        first.knows("admin", admin);
        first.change(ADMINISTRATOR, "config_backup_passphrase_put", |asking| {
            let request = BackupPassphraseConfig::new(backup.to_string(), String::new());
            default_api::config_backup_passphrase_put(asking, request)
        })?;
    }
    Ok(())
}

fn unlock(device: &mut Device, how: &Provision) -> Result<(), Failure> {
    device.rehearse("unlock_post")?;
    let what = format!("Unlock passphrase of {}", device.label);
    let passphrase = source(&how.unlock_passphrase)?.get(&what)?;
    device.change(As::Nobody, "unlock_post", |asking| {
        default_api::unlock_post(asking, UnlockRequestData::new(passphrase.to_string()))
    })?;
    Ok(())
}

/// Who does something in a namespace: an administrator of it, where it is there.
fn asked<'a>(
    device: &'a mut Device,
    insides: &'a mut BTreeMap<String, Device>,
    desired: &Desired,
    id: &str,
) -> Result<&'a mut Device, Failure> {
    let Some(space) = parts(id).0 else {
        return Ok(device);
    };
    if !insides.contains_key(space) {
        let known = device.read(ADMINISTRATOR, "namespaces_get", default_api::namespaces_get)?;
        if !known.iter().any(|item| item.id == space) {
            return Ok(device);
        }
        insides.insert(
            space.to_owned(),
            found::inside(device, space, Some(desired))?,
        );
    }
    insides
        .get_mut(space)
        .ok_or_else(|| Failure::failed("there is no such namespace"))
}

fn step(
    device: &mut Device,
    insides: &mut BTreeMap<String, Device>,
    desired: &Desired,
    change: &Change,
) -> Result<(), Failure> {
    let admin = ADMINISTRATOR;
    match change {
        Change::Provision | Change::Unlock => {}
        Change::Config { section, whole, .. } => config::put(device, section, whole)?,
        Change::AddUser { id, user } => {
            add_user(asked(device, insides, desired, id)?, id, user)?;
        }
        Change::AddNamespace(id) => {
            device.change(admin, "namespaces_namespace_id_put", |asking| {
                default_api::namespaces_namespace_id_put(asking, id)
            })?;
        }
        Change::TagUser { id, tag } => {
            asked(device, insides, desired, id)?.change(
                admin,
                "users_user_id_tags_tag_put",
                |asking| default_api::users_user_id_tags_tag_put(asking, id, tag),
            )?;
        }
        Change::UntagUser { id, tag } => {
            asked(device, insides, desired, id)?.change(
                admin,
                "users_user_id_tags_tag_delete",
                |asking| default_api::users_user_id_tags_tag_delete(asking, id, tag),
            )?;
        }
        Change::AddKey { id, key } => {
            add_key(asked(device, insides, desired, id)?, parts(id).1, key)?;
        }
        Change::LabelKey { id, label } => {
            let device = asked(device, insides, desired, id)?;
            let id = parts(id).1;
            if label.is_empty() {
                device.change(admin, "keys_key_id_label_delete", |asking| {
                    default_api::keys_key_id_label_delete(asking, id)
                })?;
            } else {
                device.change(admin, "keys_key_id_label_put", |asking| {
                    let request = KeySetLabel::new(label.clone());
                    default_api::keys_key_id_label_put(asking, id, request)
                })?;
            }
        }
        Change::TagKey { id, tag } => {
            let operation = "keys_key_id_restrictions_tags_tag_put";
            let (device, id) = (asked(device, insides, desired, id)?, parts(id).1);
            device.change(admin, operation, |asking| {
                default_api::keys_key_id_restrictions_tags_tag_put(asking, tag, id)
            })?;
        }
        Change::UntagKey { id, tag } => {
            let operation = "keys_key_id_restrictions_tags_tag_delete";
            let (device, id) = (asked(device, insides, desired, id)?, parts(id).1);
            device.change(admin, operation, |asking| {
                default_api::keys_key_id_restrictions_tags_tag_delete(asking, tag, id)
            })?;
        }
        Change::RemoveKey(id) => {
            let (device, id) = (asked(device, insides, desired, id)?, parts(id).1);
            device.change(admin, "keys_key_id_delete", |asking| {
                default_api::keys_key_id_delete(asking, id)
            })?;
        }
        Change::RemoveNamespace(id) => {
            device.change(admin, "namespaces_namespace_id_delete", |asking| {
                default_api::namespaces_namespace_id_delete(asking, id)
            })?;
        }
        Change::RemoveUser(id) => {
            asked(device, insides, desired, id)?.change(
                admin,
                "users_user_id_delete",
                |asking| default_api::users_user_id_delete(asking, id),
            )?;
        }
    }
    Ok(())
}

fn add_user(device: &mut Device, id: &str, user: &User) -> Result<(), Failure> {
    device.rehearse("users_user_id_put")?;
    let from = user
        .passphrase
        .as_deref()
        .map_or(Ok(Source::Prompt), source)?;
    let what = format!(
        "Passphrase of {id} ({}) on {}",
        user.role.name(),
        device.label
    );
    let passphrase = from.get_new(&what)?;
    let real_name = user.real_name.clone().unwrap_or_else(|| id.to_owned());
    device.change(ADMINISTRATOR, "users_user_id_put", |asking| {
        let request = UserPostData::new(real_name.clone(), role(user.role), passphrase.to_string());
        default_api::users_user_id_put(asking, id, request)
    })?;
    Ok(())
}

fn add_key(device: &mut Device, id: &str, key: &Key) -> Result<(), Failure> {
    let mechanisms: Result<Vec<_>, String> =
        key.mechanisms.iter().map(|name| mechanism(name)).collect();
    let mechanisms =
        mechanisms.map_err(|text| Failure::usage(format!("{id}: mechanism {text}")))?;
    let kind = kind(&key.r#type).ok_or_else(|| Failure::usage(format!("{id}: no such type")))?;
    let mut request = KeyGenerateRequestData::new(mechanisms, kind.into());
    request.id = Some(id.to_owned());
    request.length = key.length;
    request.label = (!key.label.is_empty()).then(|| key.label.clone());
    if !key.tags.is_empty() {
        let mut restrictions = KeyRestrictions::new();
        restrictions.tags = Some(key.tags.iter().cloned().collect());
        request.restrictions = Some(Box::new(restrictions));
    }
    device.change(ADMINISTRATOR, "keys_generate_post", |asking| {
        default_api::keys_generate_post(asking, request.clone())
    })?;
    Ok(())
}
