//! Keys: making, importing, listing, showing: `/keys`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::access::Access;
use crate::base64;
use crate::crypto::certificate::public_key_pem;
use crate::crypto::private_key::{KeyType, PrivateKey, PublicKey};
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::identity::{generated, valid_id};
use crate::json::writer::{list, number, object, string, strings};
use crate::key_requests::{self, Import, Private};
use crate::metrics::KeyUse;
use crate::resource::{Call, Media, Resource, Takes};
use crate::store::{KeyPlace, Role, Stamped, StoredKey, etag};
use crate::vault;

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
];

/// The place of the key that the path names.
pub(crate) fn place(call: &Call<'_>) -> KeyPlace {
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

/// Whether the key that the path names is there.
pub(crate) fn key_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    valid_id(call.parameter(0))?;
    Ok(find(device, call).is_some())
}

/// The ETag of the key that the path names.
pub(crate) fn key_etag(device: &mut Device, call: &Call<'_>) -> Option<String> {
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
    // The device makes the key first, and counts it.
    let key = PrivateKey::generate(wanted.key_type, wanted.bits)?;
    device.metrics.used(KeyUse::Generate);
    is_free(device, call, &id)?;
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
        store.keys.insert(place.clone(), stored);
        vault::write_key(store, &place)?;
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

/// Whether `mechanisms` go with a type, as generation demands and import does not.
pub(crate) fn fits(mechanisms: &[crate::mechanism::Mechanism], key_type: KeyType) -> bool {
    mechanisms
        .iter()
        .all(|mechanism| mechanism.matches(key_type))
}
