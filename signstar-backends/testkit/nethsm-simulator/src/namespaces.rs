//! Namespaces: `/namespaces`.

use crate::access::Access;
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::identity::valid_id;
use crate::json::writer::{list, object, string};
use crate::resource::{Call, Resource, Takes};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "namespaces",
        &[("GET", "namespaces_get"), ("HEAD", "")],
        Access::RootAdministrator,
        namespaces,
    )
    .cacheable(),
    Resource::new(
        "namespaces/:",
        &[
            ("PUT", "namespaces_namespace_id_put"),
            ("DELETE", "namespaces_namespace_id_delete"),
        ],
        Access::RootAdministrator,
        namespace,
    )
    .takes(Takes::JsonOrOctets)
    .cacheable()
    .exists(exists),
];

fn exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    valid_id(call.parameter(0))?;
    Ok(device.has_namespace(call.parameter(0)))
}

fn namespaces(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let names = device.store.iter().flat_map(|store| &store.namespaces);
    Ok(Answer::Body(list(
        names.map(|name| object([("id", string(name))])),
    )))
}

fn namespace(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let name = call.parameter(0);
    let Some(store) = &mut device.store else {
        return Ok(Answer::Absent);
    };
    if call.method() == "PUT" {
        if !store.namespaces.insert(name.to_owned()) {
            return Err(Refusal::bad(format!("Namespace {name} already exists")));
        }
        return Ok(Answer::Done);
    }
    // Its keys go with it, its users stay.
    store.namespaces.remove(name);
    store
        .keys
        .retain(|(namespace, _), _| namespace.as_deref() != Some(name));
    Ok(Answer::Done)
}
