//! `key list` and `key show`.

use std::sync::{Mutex, PoisonError};
use std::thread;

use base64ct::{Base64, Encoding as _};
use clap::Args;
use serde_json::{Value, json};
use signstar_nethsm::client::{Client, ClientError};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::PublicKey;

use crate::device::{Device, EITHER};
use crate::failure::Failure;
use crate::known::{self, Shown};
use crate::progress::Count;
use crate::report::Report;
use crate::table::table;
use crate::user::{checked, field};

#[derive(Args, Debug)]
pub(crate) struct List {
    /// With type, label, tags and use of each, which asks for each key
    #[arg(short, long)]
    long: bool,
    /// Only those that who asks can use (Operator)
    #[arg(long, conflicts_with = "prefix")]
    usable: bool,
    /// Only those whose ids begin like this
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// Only those with this label; an empty one for those without
    #[arg(long)]
    label: Option<String>,
    /// Only those with this tag, which asks for each key
    #[arg(long)]
    tag: Option<String>,
}

pub(crate) fn list(device: &mut Device, options: &List) -> Result<Report, Failure> {
    let label = options.label.as_deref();
    let found = match &options.prefix {
        None => {
            let filter = options.usable.then_some("yes");
            device.read(EITHER, "keys_get", |asking| {
                default_api::keys_get(asking, filter, label)
            })?
        }
        Some(prefix) => {
            let prefix = checked(prefix)?;
            device.read(EITHER, "keys_key_prefix_get", |asking| {
                default_api::keys_key_prefix_get(asking, prefix, None, label)
            })?
        }
    };
    let ids: Vec<String> = found.into_iter().map(|item| item.id).collect();
    if options.prefix.is_none() && !options.usable && label.is_none() {
        let user = device.user(EITHER)?;
        let space = user.split_once('~').map_or("", |(space, _)| space);
        let ids = ids.iter().map(String::as_str);
        known::note(&device.profile.url, Shown::Keys(space), ids);
    }
    if !options.long && options.tag.is_none() {
        let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let keys: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        return Report::new(text, &json!({ "keys": keys }));
    }
    let mut keys = details(device, &ids)?;
    if let Some(tag) = &options.tag {
        keys.retain(|key| field(key, "tags").split(',').any(|known| known == tag));
    }
    let rows: Vec<[String; 5]> = keys
        .iter()
        .map(|key| ["id", "type", "label", "tags", "operations"].map(|name| field(key, name)))
        .collect();
    let text = table(["KEY", "TYPE", "LABEL", "TAGS", "USED"], &rows);
    Report::new(text, &json!({ "keys": keys }))
}

pub(crate) fn show(device: &mut Device, id: &str) -> Result<Report, Failure> {
    let key = device.read(EITHER, "keys_key_id_get", |asking| {
        default_api::keys_key_id_get(asking, id)
    })?;
    let value = value(id, &key);
    let lines = ["id", "type", "label", "tags", "mechanisms", "operations"];
    let text = lines.map(|name| format!("{name}: {}\n", field(&value, name)));
    let text: String = text
        .iter()
        .map(|line| line.replace(": \n", ":\n"))
        .collect();
    Report::new(text, &value)
}

/// What is known of a key.
pub(crate) fn value(id: &str, key: &PublicKey) -> Value {
    let mechanisms: Vec<String> = key.mechanisms.iter().map(ToString::to_string).collect();
    json!({
        "id": id,
        "type": key.r#type,
        "label": key.label.as_deref().unwrap_or_default(),
        "tags": key.restrictions.tags.clone().unwrap_or_default(),
        "mechanisms": mechanisms,
        "operations": key.operations,
        "public": key.public,
    })
}

/// The length of an RSA key, in bits. That of Generic keys no device tells.
pub(crate) fn bits(key: &Value) -> Option<i32> {
    let modulus = key.get("public")?.get("modulus")?.as_str()?;
    let modulus = Base64::decode_vec(modulus).ok()?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    i32::try_from((modulus.len() - zeros) * 8).ok()
}

/// Each key, some at a time over connections of their own, in order.
pub(crate) fn details(device: &mut Device, ids: &[String]) -> Result<Vec<Value>, Failure> {
    let mut clients = Vec::new();
    for _ in 0..device.manner.parallel.min(ids.len()) {
        clients.push(device.another(EITHER)?);
    }
    let count = &Count::of(&format!("{} shows its keys", device.label), ids.len());
    let waiting = Mutex::new(ids.iter().enumerate());
    let done = Mutex::new(Ok(Vec::with_capacity(ids.len())));
    let (waiting, collected) = (&waiting, &done);
    thread::scope(|scope| {
        for mut client in clients {
            scope.spawn(move || {
                loop {
                    let next = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .next();
                    let Some((place, id)) = next else { return };
                    let found = ask(&mut client, id);
                    count.one_more();
                    let mut done = collected.lock().unwrap_or_else(PoisonError::into_inner);
                    match (found, done.as_mut()) {
                        (_, Err(_)) => return,
                        // Somebody has deleted it meanwhile.
                        (Err(ClientError::Absent(_)), Ok(_)) => {}
                        (Ok(value), Ok(values)) => values.push((place, value)),
                        (Err(error), Ok(_)) => *done = Err(error),
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut found: Vec<(usize, Value)> = done.map_err(|error| {
        let user = device.user(EITHER).unwrap_or_default();
        device.failure(&error, EITHER, &user, "keys_key_id_get")
    })?;
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, value)| value).collect())
}

fn ask(client: &mut Client, id: &str) -> Result<Value, ClientError> {
    let answer = client.call(|asking| default_api::keys_key_id_get(asking, id))?;
    Ok(value(id, &answer.value))
}
