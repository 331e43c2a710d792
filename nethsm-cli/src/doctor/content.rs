//! Users, namespaces and keys: who can do what, and who cannot do anything.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;
use signstar_nethsm::sdk::apis::default_api;

use super::{Doctor, Findings, Level, some};
use crate::certificates::of_keys;
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::key::list::details;
use crate::key::who::fits;
use crate::user::{field, look as look_at};

/// The users of a namespace, or of none, by role.
type Roles = BTreeMap<String, Vec<Value>>;

pub(super) fn look(found: &mut Findings, device: &mut Device, options: &Doctor) {
    if device.user(ADMINISTRATOR).is_err() {
        // Said already.
        return;
    }
    let Some((spaces, users)) = found.got("users", everybody(device)) else {
        return;
    };
    let none = Roles::new();
    let of = |space: &str| users.get(space).unwrap_or(&none);
    administrators(found, of(""));
    service_users(found, of(""));
    inside(found, device, options, "", of(""));
    for space in &spaces {
        let roles = of(space);
        let alone = roles.get("Administrator").is_none_or(Vec::is_empty);
        let text = format!(
            "{space} has no administrator and nobody can make one: nethsm-cli namespace remove {space}"
        );
        found.look("namespaces", alone.then_some((Level::Error, text)));
        let mut manner = device.manner.clone();
        (manner.user, manner.passphrase) = (None, None);
        manner.namespace = Some(space.clone());
        let mut within = Device::new(&device.label, device.profile.clone(), manner);
        match within.user(ADMINISTRATOR) {
            Ok(_) => inside(found, &mut within, options, space, roles),
            Err(_) => {
                let text = format!(
                    "{space}: nobody in the profile is its administrator, its keys are not looked at: \
                     nethsm-cli cred add"
                );
                found.look("namespaces", Some((Level::Note, text)));
            }
        }
    }
    let lost: Vec<String> = users
        .iter()
        .filter(|(space, _)| !space.is_empty() && !spaces.contains(space))
        .flat_map(|(_, roles)| roles.values().flatten().map(|user| field(user, "id")))
        .collect();
    let text = format!(
        "{}: cannot do anything, there is no such namespace: nethsm-cli namespace add, or user remove",
        some(&lost)
    );
    let problem = (!lost.is_empty()).then_some((Level::Warning, text));
    found.look("users", problem);
}

/// Namespaces, and users by namespace and role.
fn everybody(device: &mut Device) -> Result<(Vec<String>, BTreeMap<String, Roles>), Failure> {
    let spaces = device.read(ADMINISTRATOR, "namespaces_get", default_api::namespaces_get)?;
    let spaces = spaces.into_iter().map(|item| item.id).collect();
    let mut users: BTreeMap<String, Roles> = BTreeMap::new();
    for item in device.read(ADMINISTRATOR, "users_get", default_api::users_get)? {
        let space = item.user.split_once('~').map_or("", |(space, _)| space);
        let user = look_at(device, &item.user)?;
        users
            .entry(space.to_owned())
            .or_default()
            .entry(field(&user, "role"))
            .or_default()
            .push(user);
    }
    Ok((spaces, users))
}

fn ids(users: Option<&Vec<Value>>) -> Vec<String> {
    let users = users.into_iter().flatten();
    users.map(|user| field(user, "id")).collect()
}

/// Those outside of namespaces manage everything but what is in namespaces.
fn administrators(found: &mut Findings, roles: &Roles) {
    let names = ids(roles.get("Administrator"));
    let problem = match names.as_slice() {
        [one] => (
            Level::Warning,
            format!(
                "{one} is the only administrator outside of namespaces, and nobody can replace it: nethsm-cli \
                 user add ID --role Administrator"
            ),
        ),
        names => (
            Level::Note,
            format!(
                "{} manage settings, users, keys and namespaces: is each still to do so?",
                some(names)
            ),
        ),
    };
    found.look("administrators", Some(problem));
}

fn service_users(found: &mut Findings, roles: &Roles) {
    for (role, level, what) in [
        ("Backup", Level::Warning, "make backups"),
        ("Metrics", Level::Note, "read metrics"),
    ] {
        let nobody = ids(roles.get(role)).is_empty();
        let text = format!("nobody can {what}: nethsm-cli user add ID --role {role}");
        found.look("users", nobody.then_some((level, text)));
    }
}

/// Keys outside of namespaces or in one, and who can use them.
fn inside(found: &mut Findings, device: &mut Device, options: &Doctor, space: &str, roles: &Roles) {
    let asked = keys(device);
    let Some(keys) = found.got("keys", asked) else {
        return;
    };
    let named = |id: String| match space {
        "" => id,
        space => format!("{space}~{id}"),
    };
    let none = Vec::new();
    let operators = roles.get("Operator").unwrap_or(&none);
    let open: Vec<String> = keys
        .iter()
        .filter(|key| field(key, "tags").is_empty())
        .map(|key| named(field(key, "id")))
        .collect();
    let problem = (!open.is_empty() && !operators.is_empty()).then(|| {
        let level = match operators.len() {
            1 => Level::Note,
            _ => Level::Warning,
        };
        let all = ids(Some(operators));
        let text = format!(
            "{}: without tags, for every operator ({}): nethsm-cli key tag add",
            some(&open),
            some(&all)
        );
        (level, text)
    });
    found.look("keys", problem);
    let unused: Vec<String> = keys
        .iter()
        .filter(|key| !operators.iter().any(|operator| fits(operator, key)))
        .map(|key| named(field(key, "id")))
        .collect();
    let text = format!(
        "{}: no operator can use that: nethsm-cli user tag add",
        some(&unused)
    );
    let problem = (!unused.is_empty()).then_some((Level::Warning, text));
    found.look("keys", problem);
    let idle: Vec<String> = operators
        .iter()
        .filter(|operator| !keys.iter().any(|key| fits(operator, key)))
        .map(|operator| field(operator, "id"))
        .collect();
    let text = format!(
        "{}: cannot use any key: nethsm-cli user tag add, or user remove",
        some(&idle)
    );
    let problem = (!idle.is_empty()).then_some((Level::Warning, text));
    found.look("users", problem);
    certificates(found, device, options, &keys, &named);
}

fn keys(device: &mut Device) -> Result<Vec<Value>, Failure> {
    let ids = device.read(ADMINISTRATOR, "keys_get", |asking| {
        default_api::keys_get(asking, None, None)
    })?;
    let ids: Vec<String> = ids.into_iter().map(|item| item.id).collect();
    details(device, &ids)
}

fn certificates(
    found: &mut Findings,
    device: &mut Device,
    options: &Doctor,
    keys: &[Value],
    named: &impl Fn(String) -> String,
) {
    let now = SystemTime::now();
    let ids: Vec<String> = keys.iter().map(|key| field(key, "id")).collect();
    let Some(all) = found.got("certificates", of_keys(device, &ids)) else {
        return;
    };
    for held in all {
        let ending = held
            .ends_within(options.expires_within.into(), now)
            .then(|| {
                let id = named(held.key.clone().unwrap_or_default());
                let (until, _) = held.until(now);
                let text = match until.as_str() {
                    "over" => format!("that of {id} does not hold any more: make another one"),
                    until => format!("that of {id} ends {until}: make another one"),
                };
                (Level::Warning, text)
            });
        found.look("certificates", ending);
    }
}
