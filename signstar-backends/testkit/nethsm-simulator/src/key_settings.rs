//! What can be changed of a key: its certificate, name, label and tags, below `/keys/:`.

use crate::access::Access;
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::identity::valid_id;
use crate::json::schema::{Record, decode};
use crate::json::writer::{object, string};
use crate::key_requests;
use crate::keys::{find, key_etag, key_exists, need, place};
use crate::resource::{Call, Media, Resource, Takes};
use crate::store::StoredKey;
use crate::vault;

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "keys/:/cert",
        &[
            ("PUT", "keys_key_id_cert_put"),
            ("GET", "keys_key_id_cert_get"),
            ("DELETE", "keys_key_id_cert_delete"),
        ],
        Access::OperatorMayRead,
        certificate,
    )
    .media(Media::Octets)
    .takes(Takes::OctetsOnly)
    .cacheable()
    .exists(key_exists)
    .etag(key_etag),
    Resource::new(
        "keys/:/move",
        &[("POST", "keys_key_id_move_post")],
        Access::Administrator,
        rename,
    )
    .exists(key_exists),
    Resource::new(
        "keys/:/label",
        &[
            ("PUT", "keys_key_id_label_put"),
            ("DELETE", "keys_key_id_label_delete"),
        ],
        Access::Administrator,
        label,
    )
    .takes(Takes::Json)
    .exists(key_exists),
    Resource::new(
        "keys/:/restrictions/tags/:",
        &[
            ("PUT", "keys_key_id_restrictions_tags_tag_put"),
            ("DELETE", "keys_key_id_restrictions_tags_tag_delete"),
        ],
        Access::Administrator,
        tag,
    )
    .takes(Takes::JsonOrOctets)
    .exists(tag_exists),
];

/// Changes the key that the path names, which writes it.
fn change(
    device: &mut Device,
    call: &Call<'_>,
    how: impl FnOnce(&mut StoredKey),
) -> Result<Answer, Refusal> {
    let place = place(call);
    let absent = || Refusal::new(404, "key not found");
    let store = device.store.as_mut().ok_or_else(absent)?;
    how(&mut store.keys.get_mut(&place).ok_or_else(absent)?.value);
    vault::write_key(store, &place)?;
    Ok(Answer::Done)
}

fn tag_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    valid_id(call.parameter(0))?;
    let tag = call.parameter(1);
    valid_id(tag)?;
    Ok(find(device, call).is_some_and(|key| key.value.tags.contains(tag)))
}

fn certificate(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let present = need(device, call)?.certificate.clone();
    match (call.method(), present) {
        ("GET", Some((_, content))) => Ok(Answer::Body(content)),
        ("GET", None) => Ok(Answer::Absent),
        ("DELETE", None) => {
            let message = "There is no certificate for this KeyID.";
            Err(Refusal::new(404, message))
        }
        ("DELETE", Some(_)) => change(device, call, |key| key.certificate = None),
        (_, Some(_)) => {
            let message = "Key already contains a certificate";
            Err(Refusal::new(409, message))
        }
        (_, None) => {
            let media = Media::Octets.name().to_owned();
            let certificate = Some((media, call.body().to_vec()));
            change(device, call, |key| key.certificate = certificate)?;
            Ok(Answer::Stored)
        }
    }
}

fn rename(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let new = decode(call.body(), |json| {
        let record = Record::of(json, "Json.move_key_req", &["newId"])?;
        record.text("newId")
    })?;
    valid_id(&new)?;
    let to = (call.namespace(), new.clone());
    if let Some(store) = &mut device.store {
        if store.keys.contains_key(&to) {
            return Err(Refusal::new(409, format!("Key '{new}' already exists")));
        }
        if let Some(key) = store.keys.remove(&place(call)) {
            store.keys.insert(to.clone(), key);
            vault::write_key(store, &to)?;
        }
    }
    Ok(Answer::Body(object([("id", string(&new))])))
}

fn label(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "DELETE" {
        return change(device, call, |key| key.label.clear());
    }
    let label = decode(call.body(), |json| {
        let record = Record::of(json, "Json.label_req", &["label"])?;
        record.text("label")
    })?;
    key_requests::valid_label(&label)?;
    if need(device, call)?.label == label {
        return Ok(Answer::Unchanged);
    }
    change(device, call, |key| key.label = label)
}

fn tag(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let tag = call.parameter(1).to_owned();
    let has = need(device, call)?.tags.contains(&tag);
    match (call.method(), has) {
        ("PUT", true) => Ok(Answer::Unchanged),
        ("PUT", false) => change(device, call, |key| {
            key.tags.insert(tag);
        }),
        _ => change(device, call, |key| {
            key.tags.remove(&tag);
        }),
    }
}
