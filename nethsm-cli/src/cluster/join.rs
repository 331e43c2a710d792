//! Becoming a member: `cluster join`.
//!
//! A device answers when it has been promoted, which somebody has to do meanwhile on a member: an operator, or
//! this command itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{ClusterInitialMember, ClusterJoinReq};

use super::kit;
use super::promote::{INTERVAL, promote_once};
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::{Failure, Status};
use crate::report::{Report, counted};
use crate::secret::{FORMS, Source};
use crate::terminal;

/// So many names tell what goes; the rest is counted.
const NAMES_MAX: usize = 8;

#[derive(Args, Debug)]
pub(crate) struct Join {
    /// The file that `cluster add` has written
    kit: PathBuf,
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the backup passphrase of the cluster comes from: {FORMS}"))]
    backup_passphrase_from: Source,
    /// Promote it, too, as soon as it has caught up: by this member, a device of the profile
    #[arg(long, value_name = "LABEL")]
    pub(crate) promote_by: Option<String>,
    /// Wait for so many seconds until it is promoted
    #[arg(long = "for", value_name = "SECONDS", default_value = "3600", value_parser = clap::value_parser!(u32).range(1..=86400))]
    seconds: u32,
}

/// Has `device` join, and `member` promote it if there is one.
pub(crate) fn join(
    device: &mut Device,
    member: Option<&mut Device>,
    options: &Join,
) -> Result<Report, Failure> {
    let kit = kit::read(&options.kit)?;
    let Some((id, _)) = kit::announced(&kit) else {
        return Err(Failure::failed("nobody is announced by that kit"));
    };
    // The one without a name is the device itself.
    let members: Vec<ClusterInitialMember> = kit
        .members
        .iter()
        .map(|member| ClusterInitialMember::new(member.name.clone(), member.urls.clone()))
        .collect();
    let gone = what_goes(device)?;
    device.confirm(
        &format!(
            "{gone} will be gone for good, and its unlock and backup passphrases; it gets what the cluster \
             has. TLS key, network, log, clock and unattended boot stay"
        ),
        "yes",
    )?;
    device.rehearse("cluster_join_post")?;
    let passphrase = options
        .backup_passphrase_from
        .get("Backup passphrase of the cluster")?;
    device.manner.wait = device
        .manner
        .wait
        .max(Duration::from_secs(options.seconds.into()));
    let label = device.label.clone();
    let ask = |device: &mut Device| {
        device.change(ADMINISTRATOR, "cluster_join_post", |asking| {
            let (members, kit) = (members.clone(), kit.joiner_kit.clone());
            let request = ClusterJoinReq::new(members, kit, passphrase.to_string());
            default_api::cluster_join_post(asking, request)
        })
    };
    let joined = match member {
        Some(member) => with_promotion(device, member, id, ask),
        None => {
            terminal::remark(&format!(
                "{label}: once it is let in, it waits to be promoted: meanwhile, on a member: nethsm-cli \
                 cluster promote {id}"
            ));
            ask(device).map(|_| ())
        }
    };
    joined.map_err(|failure| match device.unanswered {
        false => failure,
        // It may go on joining.
        true => Failure::new(
            failure.status,
            format!(
                "{}; see nethsm-cli state, and on a member cluster members and cluster promote {id}",
                failure.text
            ),
        ),
    })?;
    Ok(Report::done(
        "joined, and is Locked: nethsm-cli unlock, with the unlock passphrase of the member that has announced it",
        json!({ "joined": true, "id": id, "state": "Locked" }),
    ))
}

/// Both at the same time: each waits for the other.
fn with_promotion<T>(
    device: &mut Device,
    member: &mut Device,
    id: &str,
    ask: impl Fn(&mut Device) -> Result<T, Failure>,
) -> Result<(), Failure> {
    let over = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                match promote_once(member, id) {
                    Ok(()) => return,
                    // It has not caught up.
                    Err(failure) if failure.status == Status::State => {}
                    Err(failure) => {
                        let text = &failure.text;
                        terminal::remark(&format!(
                            "{text}; it waits: promote {id} by another member"
                        ));
                        return;
                    }
                }
                let until = Instant::now() + INTERVAL;
                while Instant::now() < until && !over.load(Ordering::SeqCst) {
                    sleep(Duration::from_millis(20));
                }
            }
        });
        let joined = ask(device);
        over.store(true, Ordering::SeqCst);
        joined.map(|_| ())
    })
}

/// What the device loses.
fn what_goes(device: &mut Device) -> Result<String, Failure> {
    let users = device.read(ADMINISTRATOR, "users_get", default_api::users_get)?;
    let keys = device.read(ADMINISTRATOR, "keys_get", |asking| {
        default_api::keys_get(asking, None, None)
    })?;
    let spaces = device.read(ADMINISTRATOR, "namespaces_get", default_api::namespaces_get)?;
    let inside = match spaces.is_empty() {
        true => "",
        false => " with the keys in them",
    };
    Ok(format!(
        "{}, {} and {}{inside}",
        listed("key", keys.into_iter().map(|item| item.id).collect()),
        listed("user", users.into_iter().map(|item| item.user).collect()),
        listed(
            "namespace",
            spaces.into_iter().map(|item| item.id).collect()
        ),
    ))
}

fn listed(what: &str, names: Vec<String>) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_MAX).map(String::as_str).collect();
    let more = if names.len() > NAMES_MAX { ", …" } else { "" };
    match names.len() {
        0 => format!("no {what}s"),
        count => format!("{} ({}{more})", counted(count, what), shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn many_names_are_counted() {
        let names = |count: usize| (1..=count).map(|number| number.to_string()).collect();
        assert_eq!(listed("key", names(0)), "no keys");
        assert_eq!(listed("key", names(1)), "1 key (1)");
        assert_eq!(listed("key", names(2)), "2 keys (1, 2)");
        assert_eq!(
            listed("key", names(9)),
            "9 keys (1, 2, 3, 4, 5, 6, 7, 8, …)"
        );
    }
}
