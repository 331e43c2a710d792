//! The cluster: `/cluster`.
//!
//! Here members are announced, promoted, moved and removed; [`crate::node`] tells the others, and
//! [`crate::cluster_join`] makes this device one. Nothing here but the list of one member is in the recordings.

use std::sync::Arc;

use crate::access::Access;
use crate::base64;
use crate::cluster_join::join;
use crate::crypto::sealed;
use crate::device::{Device, Power, State};
use crate::exchange::{Answer, Refusal};
use crate::json::Json;
use crate::json::schema::{Misfit, Record, decode};
use crate::json::writer::{list, object, string, strings};
use crate::node::network;
use crate::node::replica::{FOUNDER, Member};
use crate::node::sync;
use crate::resource::{Call, Resource, Takes};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "cluster/members",
        &[
            ("GET", "cluster_members_get"),
            ("POST", "cluster_members_post"),
        ],
        Access::RootAdministrator,
        members,
    )
    .takes(Takes::Json)
    .cacheable(),
    Resource::new(
        "cluster/members/:",
        &[
            ("PUT", "cluster_members_member_id_put"),
            ("DELETE", "cluster_members_member_id_delete"),
        ],
        Access::RootAdministrator,
        member,
    )
    .takes(Takes::Json)
    .cacheable()
    .exists(member_exists),
    Resource::new(
        "cluster/members/:/promote",
        &[("POST", "cluster_members_member_id_promote_post")],
        Access::RootAdministrator,
        promote,
    )
    .exists(member_exists),
    Resource::new(
        "cluster/join",
        &[("POST", "cluster_join_post")],
        Access::RootAdministrator,
        join,
    ),
    Resource::new(
        "cluster/force-new",
        &[("POST", "cluster_force_new_post")],
        Access::Unlock,
        force_new,
    )
    .states(&[State::Failed]),
];

/// All members. One that is alone is where its network settings say.
fn all(device: &Device) -> Vec<Member> {
    let urls = vec![network::url(device.address())];
    match device.members.as_slice() {
        [] => vec![Member {
            id: FOUNDER,
            name: "default".to_owned(),
            urls,
            learner: false,
        }],
        [own] => vec![Member {
            urls,
            ..own.clone()
        }],
        members => members.to_vec(),
    }
}

fn id(call: &Call<'_>) -> Result<u64, Refusal> {
    let text = call.parameter(0);
    u64::from_str_radix(text, 16)
        .map_err(|_| Refusal::bad(format!("scanf: bad input: {text} is no hexadecimal number")))
}

fn member_exists(device: &Device, call: &Call<'_>) -> Result<bool, Refusal> {
    let id = id(call)?;
    Ok(all(device).iter().any(|member| member.id == id))
}

fn urls(json: &Json) -> Result<Vec<String>, Misfit> {
    Record::of(json, "Json.member_req", &["urls"])?.texts("urls")
}

/// URLs under which a member can be, and nobody else is.
fn free(urls: Vec<String>, others: &[Member]) -> Result<Vec<String>, Refusal> {
    if urls.is_empty() || !urls.iter().all(|url| network::host(url).is_some()) {
        return Err(Refusal::bad("cluster error: invalid peer URL"));
    }
    let mut taken = others.iter().flat_map(|member| &member.urls);
    if taken.any(|url| urls.contains(url)) {
        return Err(Refusal::bad("cluster error: Peer URLs already exists"));
    }
    Ok(urls)
}

fn members(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    if call.method() == "POST" {
        return add(device, call);
    }
    Ok(Answer::Body(shown(device, &all(device))))
}

/// Members as they are shown; there are no learners before version 5.
fn shown(device: &Device, members: &[Member]) -> Vec<u8> {
    let learners = device.software.0 >= 5;
    list(members.iter().map(|member| {
        let mut fields = vec![
            ("id", string(format!("{:x}", member.id))),
            ("name", string(&member.name)),
            ("urls", strings(&member.urls)),
        ];
        if learners {
            fields.push(("learner", member.learner.to_string().into_bytes()));
        }
        object(fields)
    }))
}

fn add(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let urls = decode(call.body(), urls)?;
    let missing = "Please configure a backup key before adding new cluster members";
    let backup = device.configuration.backup.clone();
    let backup = backup.ok_or_else(|| Refusal::new(412, missing))?;
    let mut members = all(device);
    if members.iter().any(|member| member.learner) {
        let message = "cluster error: too many learner members in cluster";
        return Err(Refusal::new(409, message));
    }
    let urls = free(urls, &members)?;
    // Always of sixteen digits, so that lists look alike.
    let id = u64::from_be_bytes(crate::crypto::random()?) | 1 << 63;
    members.push(Member {
        id,
        name: String::new(),
        urls,
        learner: device.software.0 >= 5,
    });
    let store = device.store.as_ref();
    let locked = store.map(|store| store.locked_domain_key.clone());
    let locked = sealed::seal(&backup.key, b"domain-key", &locked.unwrap_or_default())?;
    let salt = &device.configuration.unlock_salt;
    let salt = sealed::seal(&backup.key, b"unlock-salt", salt)?;
    let kit = object([
        ("backup_salt", string(base64::encode(&backup.salt))),
        ("unlock_salt", string(base64::encode(&salt))),
        ("locked_domain_key", string(base64::encode(&locked))),
    ]);
    let body = object([
        ("members", shown(device, &members)),
        ("joinerKit", string(base64::encode(&kit))),
    ]);
    device.members = members;
    let location = format!("/api/v1/cluster/members/{id:x}");
    Ok(Answer::Created { location, body })
}

fn member(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = id(call)?;
    let mut members = all(device);
    if call.method() == "DELETE" {
        if members.len() < 2 {
            let message = "cluster error: cannot remove the only member";
            return Err(Refusal::bad(message));
        }
        members.retain(|member| member.id != id);
        device.members = members;
        return Ok(Answer::Done);
    }
    let urls = decode(call.body(), urls)?;
    let Some(at) = members.iter().position(|member| member.id == id) else {
        return Err(Refusal::new(404, "member not found"));
    };
    let member = members.remove(at);
    let urls = free(urls, &members)?;
    members.insert(at, Member { urls, ..member });
    device.members = members;
    Ok(Answer::Done)
}

fn promote(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = id(call)?;
    let mut members = all(device);
    let learner = members
        .iter_mut()
        .find(|member| member.id == id && member.learner);
    let Some(learner) = learner else {
        let message = "cluster error: can only promote a learner member";
        return Err(Refusal::new(412, message));
    };
    if device.caught_up != Some(id) {
        let message =
            "cluster error: can only promote a learner member which is in sync with leader";
        return Err(Refusal::new(412, message));
    }
    learner.learner = false;
    device.members = members;
    Ok(Answer::Done)
}

/// It has what it has, and restarts.
fn force_new(device: &mut Device, _: &Call<'_>) -> Result<Answer, Refusal> {
    let node = Arc::clone(&device.node);
    sync::found(&node, device)?;
    device.set_failed(false);
    device.set_store_present(true);
    device.power = Some(Power::Reboot);
    Ok(Answer::Done)
}
