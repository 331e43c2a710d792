//! `cluster …`: several devices with the same content.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    ClusterAddReq, ClusterInitialMember, ClusterJoinReq, ClusterMember, ClusterMemberAddResponse,
};

use crate::device::{ADMINISTRATOR, As, Device, UNLOCK_USER};
use crate::failure::Failure;
use crate::new_file;
use crate::report::Report;
use crate::role::Role;
use crate::secret::{FORMS, Source};
use crate::table::table;

/// Joiner kits are a few kilobytes.
const KIT_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterVerb {
    /// List the members (Administrator)
    Members,
    /// Announce a device to the cluster and write a joiner kit for it (Administrator)
    ///
    /// Needs a backup passphrase, and the authority of the cluster on both devices.
    Add(Add),
    /// Have a device join the cluster that a joiner kit is of; it loses what it has (Administrator)
    Join(Join),
    /// Let a member that has caught up take part in decisions (Administrator)
    Promote(Member),
    /// Say where a member is (Administrator)
    SetUrls(SetUrls),
    /// Take a member out (Administrator)
    Remove(Member),
    /// Make a failed device, the last of its cluster, a cluster of its own (unlock passphrase)
    ForceNew(ForceNew),
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// Where the device is, https://ADDRESS:2380
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
    /// Write the joiner kit to this file, mode 0600
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Join {
    /// The file that `cluster add` has written
    kit: PathBuf,
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the backup passphrase of the cluster comes from: {FORMS}"))]
    backup_passphrase_from: Source,
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

pub(crate) fn cluster(device: &mut Device, verb: &ClusterVerb) -> Result<Report, Failure> {
    match verb {
        ClusterVerb::Members => {
            let operation = "cluster_members_get";
            let members =
                device.read(ADMINISTRATOR, operation, default_api::cluster_members_get)?;
            let text = text(&members);
            Report::new(text, &json!({ "members": members }))
        }
        ClusterVerb::Add(options) => add(device, options),
        ClusterVerb::Join(options) => join(device, options),
        ClusterVerb::Promote(Member { id }) => {
            let id = checked(id)?;
            device.change(
                ADMINISTRATOR,
                "cluster_members_member_id_promote_post",
                |asking| default_api::cluster_members_member_id_promote_post(asking, id),
            )?;
            Ok(Report::done(
                format!("{id} takes part"),
                json!({ "id": id, "learner": false }),
            ))
        }
        ClusterVerb::SetUrls(options) => {
            let id = checked(&options.id)?;
            device.change(ADMINISTRATOR, "cluster_members_member_id_put", |asking| {
                let request = ClusterAddReq::new(options.urls.clone());
                default_api::cluster_members_member_id_put(asking, id, request)
            })?;
            let text = format!("{id} is at {}", options.urls.join(", "));
            Ok(Report::done(
                text,
                json!({ "id": id, "urls": options.urls }),
            ))
        }
        ClusterVerb::Remove(Member { id }) => {
            let id = checked(id)?;
            device.confirm(&format!("member {id} will be out of the cluster"), "yes")?;
            device.change(
                ADMINISTRATOR,
                "cluster_members_member_id_delete",
                |asking| default_api::cluster_members_member_id_delete(asking, id),
            )?;
            Ok(Report::done(
                format!("removed {id}"),
                json!({ "removed": id }),
            ))
        }
        ClusterVerb::ForceNew(options) => force_new(device, options),
    }
}

fn text(members: &[ClusterMember]) -> String {
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

fn add(device: &mut Device, options: &Add) -> Result<Report, Failure> {
    let answer = device.change(ADMINISTRATOR, "cluster_members_post", |asking| {
        default_api::cluster_members_post(asking, ClusterAddReq::new(options.urls.clone()))
    })?;
    let mut kit = serde_json::to_vec_pretty(&answer.value).map_err(Failure::failed)?;
    kit.push(b'\n');
    new_file::write(&options.out, &kit, new_file::SECRET)?;
    let name = options.out.display().to_string();
    let text = format!(
        "{}wrote {name}; next, for the device that is to join: nethsm-cli cluster join {name}\n",
        text(&answer.value.members)
    );
    Report::new(
        text,
        &json!({ "file": name, "members": answer.value.members }),
    )
}

/// What a device needs to join a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinerKit {
    /// Who is in it; the one without a name is the device itself.
    pub members: Vec<ClusterInitialMember>,
    /// Base64, sealed by the cluster.
    pub kit: String,
}

/// Reads the file that `cluster add` has written; nothing where it is none.
pub fn joiner_kit(bytes: &[u8]) -> Option<JoinerKit> {
    let answer: ClusterMemberAddResponse = serde_json::from_slice(bytes).ok()?;
    let members = answer.members.into_iter();
    Some(JoinerKit {
        members: members
            .map(|member| ClusterInitialMember::new(member.name, member.urls))
            .collect(),
        kit: answer.joiner_kit,
    })
}

fn join(device: &mut Device, options: &Join) -> Result<Report, Failure> {
    let failed = |error: std::io::Error| Failure::with(&options.kit, &error);
    let none = || {
        let text = format!("{}: is no joiner kit of cluster add", options.kit.display());
        Failure::failed(text)
    };
    if std::fs::metadata(&options.kit).map_err(failed)?.len() > KIT_BYTES_MAX {
        return Err(none());
    }
    let kit = std::fs::read(&options.kit).map_err(failed)?;
    let JoinerKit { members, kit } = joiner_kit(&kit).ok_or_else(none)?;
    device.confirm(
        "loses its keys and users, and gets those of the cluster",
        "yes",
    )?;
    device.rehearse("cluster_join_post")?;
    let passphrase = options
        .backup_passphrase_from
        .get("Backup passphrase of the cluster")?;
    device.change(ADMINISTRATOR, "cluster_join_post", |asking| {
        let (members, kit) = (members.clone(), kit.clone());
        let request = ClusterJoinReq::new(members, kit, passphrase.to_string());
        default_api::cluster_join_post(asking, request)
    })?;
    Ok(Report::done(
        "joined: next, on a member: nethsm-cli cluster promote",
        json!({ "joined": true }),
    ))
}

fn force_new(device: &mut Device, options: &ForceNew) -> Result<Report, Failure> {
    device.confirm(
        "becomes a cluster of its own, without the other members",
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
        "is a cluster of its own",
        json!({ "changed": true }),
    ))
}
