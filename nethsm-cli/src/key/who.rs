//! `key who-can` and `key access`: who can use what. A key without tags is for every operator of its
//! namespace; one with tags for those who have one of them.

use serde_json::{Value, json};
use signstar_nethsm::sdk::apis::default_api;

use super::list::{details, value};
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::report::Report;
use crate::table::table;
use crate::user::{field, look};

/// The operators of the namespace of who asks.
fn operators(device: &mut Device) -> Result<Vec<Value>, Failure> {
    let own = device.user(ADMINISTRATOR)?;
    let space = own.split_once('~').map(|(space, _)| space.to_owned());
    let users = device.read(ADMINISTRATOR, "users_get", default_api::users_get)?;
    let mut operators = Vec::new();
    for item in users {
        let inside = item.user.split_once('~').map(|(space, _)| space.to_owned()) == space;
        if inside {
            let user = look(device, &item.user)?;
            if field(&user, "role") == "Operator" {
                operators.push(user);
            }
        }
    }
    Ok(operators)
}

/// Whether an operator's tags are enough for a key's.
pub(crate) fn fits(operator: &Value, key: &Value) -> bool {
    let tags = |value: &Value| -> Vec<String> {
        let text = field(value, "tags");
        text.split(',')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let wanted = tags(key);
    wanted.is_empty() || tags(operator).iter().any(|tag| wanted.contains(tag))
}

pub(crate) fn who_can(device: &mut Device, id: &str) -> Result<Report, Failure> {
    let key = device.read(ADMINISTRATOR, "keys_key_id_get", |asking| {
        default_api::keys_key_id_get(asking, id)
    })?;
    let key = value(id, &key);
    let operators = operators(device)?;
    let who: Vec<String> = operators
        .iter()
        .filter(|operator| fits(operator, &key))
        .map(|operator| field(operator, "id"))
        .collect();
    let text: String = who.iter().map(|user| format!("{user}\n")).collect();
    Report::new(text, &json!({ "id": id, "operators": who }))
}

pub(crate) fn access(device: &mut Device) -> Result<Report, Failure> {
    let ids = device.read(ADMINISTRATOR, "keys_get", |asking| {
        default_api::keys_get(asking, None, None)
    })?;
    let ids: Vec<String> = ids.into_iter().map(|item| item.id).collect();
    let keys = details(device, &ids)?;
    let operators = operators(device)?;
    let found: Vec<(String, Vec<String>)> = operators
        .iter()
        .map(|operator| {
            let keys = keys.iter().filter(|key| fits(operator, key));
            (
                field(operator, "id"),
                keys.map(|key| field(key, "id")).collect(),
            )
        })
        .collect();
    let rows: Vec<[String; 2]> = found
        .iter()
        .map(|(user, keys)| [user.clone(), keys.join(" ")])
        .collect();
    let users: Vec<Value> = found
        .iter()
        .map(|(user, keys)| json!({ "user": user, "keys": keys }))
        .collect();
    Report::new(
        table(["OPERATOR", "KEYS"], &rows),
        &json!({ "operators": users }),
    )
}
