//! Announcing a device, which gives the joiner kit: `cluster add`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{ClusterAddReq, ClusterMemberAddResponse};

use super::{members_table, peer_urls};
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::new_file::{Existing, NewFile, SECRET};
use crate::report::Report;

/// Joiner kits are a few kilobytes.
const KIT_BYTES_MAX: u64 = 1 << 20;

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// Where the device is, https://ADDRESS:2380
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
    /// Write the joiner kit to this file, mode 0600
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

pub(crate) fn add(device: &mut Device, options: &Add) -> Result<Report, Failure> {
    let urls = peer_urls(&options.urls)?;
    device.rehearse("cluster_members_post")?;
    // The device tells the kit once: what it is written to is there before.
    let new = NewFile {
        path: &options.out,
        mode: SECRET,
        group: None,
        existing: Existing::forced(options.force),
    };
    let new = new.begin()?;
    let answer = device.change(ADMINISTRATOR, "cluster_members_post", |asking| {
        default_api::cluster_members_post(asking, ClusterAddReq::new(urls.clone()))
    })?;
    let kit = &answer.value;
    let id = announced(kit).map_or("", |(id, _)| id);
    let mut text = serde_json::to_vec_pretty(kit).map_err(Failure::failed)?;
    text.push(b'\n');
    new.finish(&text).map_err(|error| {
        let Failure { status, text } = error.into();
        let text = format!(
            "{text}; {} expects a device now that cannot join without its kit: nethsm-cli cluster remove {id}",
            device.label
        );
        Failure::new(status, text)
    })?;
    let name = options.out.display().to_string();
    let text = format!(
        "{}wrote {name}; next, on the device that is to join: nethsm-cli cluster join {name}\n",
        members_table(&kit.members)
    );
    Report::new(
        text,
        &json!({ "file": name, "id": id, "members": kit.members }),
    )
}

/// The member that is to join, by its id, and its place in the list: it has no name yet.
pub(crate) fn announced(kit: &ClusterMemberAddResponse) -> Option<(&str, usize)> {
    let at = kit
        .members
        .iter()
        .position(|member| member.name.is_empty())?;
    Some((kit.members.get(at)?.id.as_str(), at))
}

/// The kit in a file.
pub(crate) fn read(path: &Path) -> Result<ClusterMemberAddResponse, Failure> {
    let failed = |error: std::io::Error| Failure::with(path, &error);
    let none = || {
        Failure::failed(format!(
            "{}: is no joiner kit of cluster add",
            path.display()
        ))
    };
    if std::fs::metadata(path).map_err(failed)?.len() > KIT_BYTES_MAX {
        return Err(none());
    }
    let kit = std::fs::read(path).map_err(failed)?;
    joiner_kit(&kit).ok_or_else(none)
}

/// Reads what `cluster add` writes: who is in the cluster, the one that is to join without a name, and the kit
/// in base64, sealed by the cluster. Nothing where it is none.
pub fn joiner_kit(bytes: &[u8]) -> Option<ClusterMemberAddResponse> {
    let kit = serde_json::from_slice(bytes).ok()?;
    announced(&kit).is_some().then_some(kit)
}
