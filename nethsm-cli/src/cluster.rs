//! `cluster …`: several devices with the same content.

pub(crate) mod join;
mod kit;
mod promote;

pub use kit::joiner_kit;

use clap::{Args, Subcommand};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{ClusterAddReq, ClusterMember};

use crate::device::{ADMINISTRATOR, As, Device, UNLOCK_USER};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::role::Role;
use crate::secret::{FORMS, Source};
use crate::table::table;

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterVerb {
    /// List the members, and say how many of them have to be there (Administrator)
    Members,
    /// Announce a device to the cluster and write a joiner kit for it (Administrator)
    ///
    /// Needs a backup passphrase here, and the authority of the cluster on both devices. Nothing is asked of the
    /// device before it is sure that the kit can be written. Before version 5 of the software the cluster waits
    /// for the new member from then on and does nothing without it.
    Add(kit::Add),
    /// Have a device join the cluster that a joiner kit is of; it loses what it has (Administrator)
    ///
    /// Says what goes, and wants it confirmed. The device waits until it is promoted on a member, meanwhile, or
    /// with --promote-by by this command; it is locked afterwards.
    Join(join::Join),
    /// Let a member that has caught up take part in decisions (Administrator)
    ///
    /// From then on the cluster needs it: more than half of those who take part must be there.
    Promote(promote::Promote),
    /// Say where a member is (Administrator)
    ///
    /// Where it is not, it has no part any more.
    SetUrls(SetUrls),
    /// Take a member out: it fails, and has to be reset before it is of use again (Administrator)
    Remove(Member),
    /// Make a failed device, the last of its cluster, a cluster of its own (unlock passphrase)
    ///
    /// For a cluster of which less than half is left, and only where the others do not come back: they do not
    /// belong to it afterwards. The device restarts and is locked.
    ForceNew(ForceNew),
}

#[derive(Args, Debug)]
pub(crate) struct Member {
    /// The member, by its id in `cluster members`
    id: String,
}

#[derive(Args, Debug)]
pub(crate) struct SetUrls {
    /// The member, by its id in `cluster members`
    id: String,
    /// Where it is, https://ADDRESS:2380
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ForceNew {
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the unlock passphrase comes from: {FORMS}"))]
    unlock_passphrase_from: Source,
}

/// Member ids are hexadecimal.
fn checked(id: &str) -> Result<&str, Failure> {
    match !id.is_empty() && id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(id),
        false => Err(Failure::usage(
            "a member's id has up to 16 hexadecimal digits",
        )),
    }
}

/// URLs as devices take them: members speak TLS, on a port that is always the same.
fn peer_urls(urls: &[String]) -> Result<Vec<String>, Failure> {
    let is_one = |url: &String| {
        let host = url.strip_prefix("https://");
        let host = host.and_then(|rest| rest.strip_suffix(":2380"));
        host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
    };
    match urls.iter().all(is_one) {
        true => Ok(urls.to_vec()),
        false => Err(Failure::usage("a member is at https://ADDRESS:2380")),
    }
}

pub(crate) fn cluster(device: &mut Device, verb: &ClusterVerb) -> Result<Report, Failure> {
    match verb {
        ClusterVerb::Members => {
            let members = members(device)?;
            let text = format!("{}{}", members_table(&members), needed(&members));
            Report::new(text, &json!({ "members": members }))
        }
        ClusterVerb::Add(options) => kit::add(device, options),
        ClusterVerb::Join(options) => join::join(device, None, options),
        ClusterVerb::Promote(options) => promote::promote(device, options),
        ClusterVerb::SetUrls(options) => set_urls(device, options),
        ClusterVerb::Remove(Member { id }) => remove(device, checked(id)?),
        ClusterVerb::ForceNew(options) => force_new(device, options),
    }
}

fn members(device: &mut Device) -> Result<Vec<ClusterMember>, Failure> {
    let operation = "cluster_members_get";
    device.read(ADMINISTRATOR, operation, default_api::cluster_members_get)
}

fn members_table(members: &[ClusterMember]) -> String {
    let rows: Vec<[String; 4]> = members
        .iter()
        .map(|member| {
            let part = if member.learner {
                "learns"
            } else {
                "takes part"
            };
            [
                member.id.clone(),
                member.name.clone(),
                part.to_owned(),
                member.urls.join(" "),
            ]
        })
        .collect();
    table(["MEMBER", "NAME", "PART", "URLS"], &rows)
}

/// How many members have to be there, of those who take part.
fn needed(members: &[ClusterMember]) -> String {
    match members.iter().filter(|member| !member.learner).count() {
        0 | 1 => String::new(),
        voters => format!(
            "of {voters} that take part, {} must be there\n",
            voters / 2 + 1
        ),
    }
}

fn set_urls(device: &mut Device, options: &SetUrls) -> Result<Report, Failure> {
    let (id, urls) = (checked(&options.id)?, peer_urls(&options.urls)?);
    let place = urls.join(", ");
    device.confirm(
        &format!(
            "member {id} will be looked for at {place}, and has no part any more if it is not there"
        ),
        "yes",
    )?;
    device.change(ADMINISTRATOR, "cluster_members_member_id_put", |asking| {
        default_api::cluster_members_member_id_put(asking, id, ClusterAddReq::new(urls.clone()))
    })?;
    let value = json!({ "id": id, "urls": urls });
    Ok(Report::done(format!("{id} is at {place}"), value))
}

fn remove(device: &mut Device, id: &str) -> Result<Report, Failure> {
    let (gone, left): (Vec<_>, Vec<_>) = members(device)?
        .into_iter()
        .partition(|member| member.id == id);
    let Some(gone) = gone.first() else {
        let text = format!("{}: does not have that member", device.label);
        return Err(Failure::new(Status::Absent, text));
    };
    let name = match gone.name.as_str() {
        "" => "which has not joined",
        name => name,
    };
    let left = needed(&left);
    let left = match left.trim_end() {
        "" => String::new(),
        left => format!("; {left} then"),
    };
    device.confirm(
        &format!(
            "member {id} ({name}, {}) will be out of the cluster for good, fail, and have to be reset{left}",
            gone.urls.join(", ")
        ),
        "yes",
    )?;
    device.change(
        ADMINISTRATOR,
        "cluster_members_member_id_delete",
        |asking| default_api::cluster_members_member_id_delete(asking, id),
    )?;
    let text = match gone.name.as_str() {
        "" => format!("removed {id}"),
        _ => {
            format!("removed {id}: nethsm-cli system factory-reset there, before it is used again")
        }
    };
    Ok(Report::done(text, json!({ "removed": id })))
}

fn force_new(device: &mut Device, options: &ForceNew) -> Result<Report, Failure> {
    device.confirm(
        "becomes a cluster of its own: what other members have and it has not is gone, and they will not belong to \
         it; it restarts",
        "yes",
    )?;
    device.rehearse("cluster_force_new_post")?;
    let what = format!("Unlock passphrase of {}", device.label);
    let passphrase = options.unlock_passphrase_from.get(&what)?;
    device.knows(UNLOCK_USER, passphrase);
    device.manner.user = Some(UNLOCK_USER.to_owned());
    let who = As::A(&[Role::Administrator]);
    device.change(
        who,
        "cluster_force_new_post",
        default_api::cluster_force_new_post,
    )?;
    Ok(Report::done(
        "restarts as a cluster of its own: nethsm-cli wait --state Locked, then nethsm-cli unlock",
        json!({ "changed": true }),
    ))
}
