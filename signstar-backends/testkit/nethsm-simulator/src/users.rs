//! Users, their passphrases and tags: `/users`.

use crate::access::Access;
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::identity::{UserName, generated, valid_id, valid_passphrase};
use crate::json::Json;
use crate::json::schema::{Misfit, Record, decode};
use crate::json::writer::{list, object, string, strings};
use crate::provisioning::passphrase;
use crate::resource::{Call, Resource, Takes};
use crate::store::{Role, Stamped, User, etag};
use crate::vault;

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "users",
        &[("POST", "users_post"), ("GET", "users_get")],
        Access::Administrator,
        users,
    )
    .takes(Takes::Json)
    .cacheable(),
    Resource::new(
        "users/:",
        &[
            ("PUT", "users_user_id_put"),
            ("GET", "users_user_id_get"),
            ("DELETE", "users_user_id_delete"),
            ("POST", "users_user_id_post"),
        ],
        Access::User,
        user,
    )
    .takes(Takes::Json)
    .cacheable()
    .exists(user_or_creation)
    .etag(user_etag),
    Resource::new(
        "users/:/passphrase",
        &[("POST", "users_user_id_passphrase_post")],
        Access::UserPassphrase,
        set_passphrase,
    )
    .exists(user_exists),
    Resource::new(
        "users/:/tags",
        &[("GET", "users_user_id_tags_get")],
        Access::UserTags,
        tags,
    )
    .exists(operator_exists),
    Resource::new(
        "users/:/tags/:",
        &[
            ("PUT", "users_user_id_tags_tag_put"),
            ("DELETE", "users_user_id_tags_tag_delete"),
        ],
        Access::UserTag,
        tag,
    )
    .takes(Takes::JsonOrOctets)
    .exists(tag_exists),
];

fn find<'a>(device: &'a Device, name: &str) -> Option<&'a Stamped<User>> {
    device.store.as_ref()?.users.get(name)
}

/// Does something to a user, which makes a new version of it.
fn change<T>(
    device: &mut Device,
    name: &str,
    how: impl FnOnce(&mut User) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let absent = || Refusal::new(404, "");
    let store = device.store.as_mut().ok_or_else(absent)?;
    let user = store.users.get_mut(name).ok_or_else(absent)?;
    let result = how(&mut user.value)?;
    vault::write_user(store, name)?;
    Ok(result)
}

fn user_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    let name = UserName::parse(call.parameter(0))?;
    Ok(find(device, &name.to_string()).is_some())
}

fn user_or_creation(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    if call.method() == "POST" {
        return Ok(true);
    }
    user_exists(device, call)
}

fn operator_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    user_exists(device, call)?;
    let user = find(device, call.parameter(0));
    Ok(user.is_some_and(|user| user.value.role == Role::Operator))
}

fn tag_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    if !user_exists(device, call)? {
        return Ok(false);
    }
    let tag = call.parameter(1);
    valid_id(tag)?;
    let user = find(device, call.parameter(0));
    Ok(user.is_some_and(|user| user.value.tags.contains(tag)))
}

fn user_etag(device: &mut Device, call: &Call<'_>) -> Option<String> {
    Some(etag(&find(device, call.parameter(0))?.stamp))
}

fn request(json: &Json) -> Result<(Vec<u8>, Role, Vec<u8>), Misfit> {
    let record = Record::of(json, "Json.user_req", &["realName", "role", "passphrase"])?;
    let passphrase = record.octets("passphrase")?.to_vec();
    let role = match record.need("role")? {
        Json::String(name) => Role::from_name(name).ok_or("Json.role")?,
        _ => return Err("expected string as role".to_owned()),
    };
    Ok((record.octets("realName")?.to_vec(), role, passphrase))
}

fn users(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let namespace = call.namespace();
    if call.method() == "POST" {
        let id = generated()?;
        return create(device, call, &UserName { namespace, id });
    }
    let names = device.store.iter().flat_map(|store| store.users.keys());
    // Who is of no namespace sees all of them.
    let seen =
        names.filter(|name| namespace.is_none() || UserName::split(name).namespace == namespace);
    Ok(Answer::Body(list(
        seen.map(|name| object([("user", string(name))])),
    )))
}

fn user(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    match call.method() {
        "GET" => {
            let Some(user) = find(device, call.parameter(0)) else {
                return Ok(Answer::Absent);
            };
            Ok(Answer::Body(object([
                ("realName", string(&user.value.real_name)),
                ("role", string(user.value.role.name())),
            ])))
        }
        "DELETE" => delete(device, call),
        "POST" => {
            let wrong = || {
                Refusal::bad(
                    "POST on this endpoint expects a prefix of the form '/ns~' to select in which \
                     namespace the new user should be created. For a new root user, don't add a \
                     trailing '/'.",
                )
            };
            let namespace = call.parameter(0).strip_suffix('~').ok_or_else(wrong)?;
            if namespace.is_empty() || namespace.contains('~') {
                return Err(wrong());
            }
            valid_id(namespace)?;
            let name = UserName {
                namespace: Some(namespace.to_owned()),
                id: generated()?,
            };
            create(device, call, &name)
        }
        _ => create(device, call, &UserName::parse(call.parameter(0))?),
    }
}

fn create(device: &mut Device, call: &Call<'_>, name: &UserName) -> Result<Answer, Refusal> {
    let (real_name, role, passphrase) = decode(call.body(), request)?;
    valid_passphrase("passphrase", &passphrase)?;
    let own = call.namespace();
    if own != name.namespace {
        if own.is_some() {
            let message = "N-User trying to create user for another namespace";
            return Err(Refusal::new(403, message));
        }
        let there = name.namespace.as_ref();
        if there.is_some_and(|namespace| device.has_namespace(namespace)) {
            let message = "R-User trying to create N-User for an already created namespace";
            return Err(Refusal::new(403, message));
        }
    }
    let text = name.to_string();
    let user = Stamped::new(User::new(&real_name, role, &passphrase)?)?;
    if let Some(store) = &mut device.store {
        if store.users.contains_key(&text) {
            return Err(Refusal::new(409, "user already exists"));
        }
        store.users.insert(text.clone(), user);
        vault::write_user(store, &text)?;
    }
    let body = match call.method() {
        "POST" => object([("id", string(&text))]),
        _ => Vec::new(),
    };
    let location = format!("/api/v1/users/{text}");
    Ok(Answer::Created { location, body })
}

fn delete(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let name = call.parameter(0);
    let own = call.caller.as_ref().map(|caller| caller.name.to_string());
    if own.as_deref() == Some(name) {
        return Err(Refusal::bad("Users cannot delete themselves"));
    }
    if let Some(store) = &mut device.store {
        store.users.remove(name);
    }
    Ok(Answer::Done)
}

fn set_passphrase(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let passphrase = decode(call.body(), passphrase)?;
    valid_passphrase("passphrase", &passphrase)?;
    change(device, call.parameter(0), |user| {
        Ok(user.set_passphrase(&passphrase)?)
    })?;
    Ok(Answer::Done)
}

fn tags(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let Some(user) = find(device, call.parameter(0)) else {
        return Ok(Answer::Absent);
    };
    Ok(Answer::Body(strings(&user.value.tags)))
}

fn tag(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (name, tag) = (call.parameter(0), call.parameter(1));
    if !user_exists(device, call)? {
        return Err(Refusal::new(404, ""));
    }
    valid_id(tag)?;
    if find(device, name).is_some_and(|user| user.value.role != Role::Operator) {
        let message = "tag operations only exist on operator users";
        return Err(Refusal::bad(message));
    }
    let has = find(device, name).is_some_and(|user| user.value.tags.contains(tag));
    if call.method() == "PUT" {
        if has {
            return Ok(Answer::Unchanged);
        }
        change(device, name, |user| Ok(user.tags.insert(tag.to_owned())))?;
    } else {
        change(device, name, |user| Ok(user.tags.remove(tag)))?;
    }
    Ok(Answer::Done)
}
