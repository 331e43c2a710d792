//! Keys: making, importing, listing, restricting, moving: `/keys`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::access::Access;
use crate::base64;
use crate::crypto::certificate::public_key_pem;
use crate::crypto::private_key::{KeyType, PrivateKey, PublicKey};
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::identity::{generated, valid_id};
use crate::json::schema::{Record, decode};
use crate::json::writer::{list, number, object, string, strings};
use crate::key_requests::{self, Import, Private};
use crate::metrics::KeyUse;
use crate::resource::{Call, Media, Resource, Takes};
use crate::store::{KeyPlace, Role, Stamped, StoredKey, etag, new_stamp};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "keys",
        &[("POST", "keys_post"), ("GET", "keys_get")],
        Access::OperatorMayRead,
        keys,
    )
    .takes(Takes::JsonOrForm)
    .cacheable(),
    Resource::new(
        "keys/generate",
        &[("POST", "keys_generate_post")],
        Access::Administrator,
        generate,
    )
    .takes(Takes::Json),
    Resource::new(
        "keys/*",
        &[("GET", "keys_key_prefix_get")],
        Access::OperatorMayRead,
        keys_with_prefix,
    )
    .cacheable(),
    Resource::new(
        "keys/:",
        &[
            ("PUT", "keys_key_id_put"),
            ("GET", "keys_key_id_get"),
            ("DELETE", "keys_key_id_delete"),
        ],
        Access::OperatorMayRead,
        key,
    )
    .takes(Takes::JsonOrForm)
    .cacheable()
    .exists(key_exists)
    .etag(key_etag),
    Resource::new(
        "keys/:/public.pem",
        &[("GET", "keys_key_id_public_pem_get")],
        Access::AdministratorOrOperator,
        public_pem,
    )
    .media(Media::Pem)
    .cacheable()
    .exists(key_exists)
    .etag(key_etag),
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

fn place(call: &Call<'_>) -> KeyPlace {
    (call.namespace(), call.parameter(0).to_owned())
}

/// The key that the path names.
pub(crate) fn find<'a>(device: &'a Device, call: &Call<'_>) -> Option<&'a Stamped<StoredKey>> {
    device.store.as_ref()?.keys.get(&place(call))
}

/// The same, which must be there.
pub(crate) fn need<'a>(device: &'a Device, call: &Call<'_>) -> Result<&'a StoredKey, Refusal> {
    let key = find(device, call).ok_or_else(|| Refusal::new(404, "key not found"))?;
    Ok(&key.value)
}

/// Changes the key that the path names, which writes it.
fn change(
    device: &mut Device,
    call: &Call<'_>,
    how: impl FnOnce(&mut StoredKey),
) -> Result<Answer, Refusal> {
    let place = place(call);
    let keys = device.store.as_mut().map(|store| &mut store.keys);
    let key = keys.and_then(|keys| keys.get_mut(&place));
    let key = key.ok_or_else(|| Refusal::new(404, "key not found"))?;
    how(&mut key.value);
    key.value.operations_written = key.value.operations;
    key.stamp = new_stamp()?;
    Ok(Answer::Done)
}

/// Whether the key that the path names is there.
pub(crate) fn key_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    valid_id(call.parameter(0))?;
    Ok(find(device, call).is_some())
}

fn tag_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    valid_id(call.parameter(0))?;
    let tag = call.parameter(1);
    valid_id(tag)?;
    Ok(find(device, call).is_some_and(|key| key.value.tags.contains(tag)))
}

fn key_etag(device: &mut Device, call: &Call<'_>) -> Option<String> {
    Some(etag(&find(device, call)?.stamp))
}

/// Whether the caller may use a key: its tags, if any, meet those of the caller.
pub(crate) fn is_usable(device: &Device, call: &Call<'_>, key: &StoredKey) -> bool {
    let Some(caller) = &call.caller else {
        return false;
    };
    if key.tags.is_empty() || caller.role == Role::Administrator {
        return true;
    }
    let users = device.store.as_ref().map(|store| &store.users);
    let user = users.and_then(|users| users.get(&caller.name.to_string()));
    user.is_some_and(|user| !user.value.tags.is_disjoint(&key.tags))
}

fn keys(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "POST" {
        let id = generated()?;
        import(device, call, &id)?;
        return Ok(Answer::Created {
            location: format!("/api/v1/keys/{id}"),
            body: object([("id", string(&id))]),
        });
    }
    let filter = call.query("filter").is_some();
    listed(device, call, "", filter)
}

fn keys_with_prefix(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    listed(device, call, call.parameter(0), false)
}

fn listed(
    device: &Device,
    call: &Call<'_>,
    prefix: &str,
    usable_only: bool,
) -> Result<Answer, Refusal> {
    let namespace = call.namespace();
    // Before version 5 there are no labels, and the parameter is ignored.
    let label = call.query("label").filter(|_| device.software.0 >= 5);
    let keys = device.store.iter().flat_map(|store| &store.keys);
    let shown = keys.filter(|((of, id), key)| {
        *of == namespace
            && id.starts_with(prefix)
            && label.as_ref().is_none_or(|label| *label == key.value.label)
            && (!usable_only || is_usable(device, call, &key.value))
    });
    Ok(Answer::Body(list(
        shown.map(|((_, id), _)| object([("id", string(id))])),
    )))
}

fn generate(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let wanted = key_requests::generation(device, call.body())?;
    let id = match wanted.id.as_str() {
        "" => generated()?,
        id => id.to_owned(),
    };
    is_free(device, call, &id)?;
    let key = PrivateKey::generate(wanted.key_type, wanted.bits)?;
    device.metrics.used(KeyUse::Generate);
    add(device, call, &id, key, wanted.about)?;
    Ok(Answer::Created {
        location: format!("/api/v1/keys/{id}"),
        body: object([("id", string(&id))]),
    })
}

fn import(device: &mut Device, call: &Call<'_>, id: &str) -> Result<(), Refusal> {
    let Import { private, about } = key_requests::import(device, call)?;
    let key = match private {
        Private::Parsed(key) => key,
        Private::Pem(pem) => crate::crypto::import::private_key(&pem)?,
    };
    valid_id(id)?;
    is_free(device, call, id)?;
    add(device, call, id, key, about)
}

fn is_free(device: &Device, call: &Call<'_>, id: &str) -> Result<(), Refusal> {
    let place = (call.namespace(), id.to_owned());
    let taken = device
        .store
        .iter()
        .any(|store| store.keys.contains_key(&place));
    if taken {
        return Err(Refusal::bad(format!("Key with id {id} already exists")));
    }
    Ok(())
}

fn add(
    device: &mut Device,
    call: &Call<'_>,
    id: &str,
    key: PrivateKey,
    about: key_requests::About,
) -> Result<(), Refusal> {
    let stored = Stamped::new(StoredKey {
        key: Arc::new(key),
        mechanisms: about.mechanisms,
        certificate: None,
        operations: 0,
        operations_written: 0,
        tags: about.tags,
        label: about.label,
    })?;
    let place = (call.namespace(), id.to_owned());
    if let Some(store) = &mut device.store {
        store.keys.insert(place, stored);
    }
    Ok(())
}

fn key(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    match call.method() {
        "GET" => Ok(Answer::Body(description(need(device, call)?))),
        "DELETE" => {
            if let Some(store) = &mut device.store {
                store.keys.remove(&place(call));
            }
            Ok(Answer::Done)
        }
        _ => {
            import(device, call, call.parameter(0))?;
            Ok(Answer::Done)
        }
    }
}

/// What is shown of a key.
fn description(key: &StoredKey) -> Vec<u8> {
    let encoded = |octets: &[u8]| string(base64::encode(octets));
    let names = key.mechanisms.iter().map(|mechanism| mechanism.name());
    let mut fields = vec![
        ("mechanisms", strings(names)),
        ("type", string(key.key.key_type().name())),
        ("operations", number(key.operations)),
    ];
    match key.key.public() {
        Some(PublicKey::Rsa { modulus, exponent }) => fields.push((
            "public",
            object([
                ("modulus", encoded(&modulus)),
                ("publicExponent", encoded(&exponent)),
            ]),
        )),
        Some(PublicKey::Point(point)) => {
            fields.push(("public", object([("data", encoded(&point))])));
        }
        None => {}
    }
    fields.push(("restrictions", restrictions(&key.tags)));
    if !key.label.is_empty() {
        fields.push(("label", string(&key.label)));
    }
    object(fields)
}

/// Restrictions as the device writes them: nothing when there are none.
pub(crate) fn restrictions(tags: &BTreeSet<String>) -> Vec<u8> {
    if tags.is_empty() {
        return object([]);
    }
    object([("tags", strings(tags))])
}

fn public_pem(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let pem = public_key_pem(&need(device, call)?.key);
    let pem = pem.ok_or_else(|| Refusal::bad("Generic keys have no public key"))?;
    Ok(Answer::Body(pem.into_bytes()))
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
        if let Some(mut key) = store.keys.remove(&place(call)) {
            key.value.operations_written = key.value.operations;
            key.stamp = new_stamp()?;
            store.keys.insert(to, key);
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

/// Whether `mechanisms` go with a type, as generation demands and import does not.
pub(crate) fn fits(mechanisms: &[crate::mechanism::Mechanism], key_type: KeyType) -> bool {
    mechanisms
        .iter()
        .all(|mechanism| mechanism.matches(key_type))
}
