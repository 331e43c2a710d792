//! Between what a device works with and its copy of what its cluster shares.
//!
//! Shared are users, keys, namespaces, the authority of the cluster and the backup passphrase. Everything else
//! is of the one device: its TLS key, network, log, clock, unattended boot, unlock passphrase.

use std::net::Ipv4Addr;

use super::Papers;
use super::network;
use super::replica::{Member, Standing};
use super::turn::Turn;
use crate::crypto::CryptoError;
use crate::crypto::sealed::{self, Key};
use crate::device::{Device, State};
use crate::{vault, vault_refresh};

/// A device that does something, as one of its cluster.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    turn: Turn<'a>,
    members: Vec<Member>,
    address: Ipv4Addr,
    /// What stands for the shared content; absent where nobody shares it.
    content: Option<Key>,
}

/// Holds the cluster and brings the device to where it is.
pub(crate) fn begin<'a>(node: &'a super::Node, device: &mut Device) -> Session<'a> {
    settle(node, device);
    let turn = node.hold();
    device.members.clone_from(&turn.replica.members);
    device.standing = turn.replica.standing();
    device.caught_up = caught_up(&turn);
    let mut has_store = turn.has_quorum;
    if has_store && device.standing == Standing::Member {
        if device.seen != turn.replica.revision {
            has_store = vault_refresh::refresh(device, &turn.replica.entries).is_ok();
            device.seen = turn.replica.revision;
        }
        if has_store && std::mem::take(&mut device.joining) {
            device.enter(State::Locked);
        }
    }
    device.set_connected(has_store);
    Session {
        members: device.members.clone(),
        address: device.address(),
        content: content(device, &turn),
        turn,
    }
}

/// The learner that could be promoted.
fn caught_up(turn: &Turn<'_>) -> Option<u64> {
    let mut members = turn.replica.members.iter();
    let learner = members.find(|member| member.learner)?;
    turn.has_caught_up(learner.id).then_some(learner.id)
}

/// Tells the others what has changed.
pub(crate) fn end(session: Session<'_>, node: &super::Node, device: &mut Device) {
    let mut turn = session.turn;
    settle(node, device);
    // It has joined another cluster meanwhile, or is one of its own.
    if node.replica().cluster != turn.replica.cluster || !turn.has_quorum {
        return;
    }
    move_member(device, turn.replica.own, session.address);
    let changed = session.members != device.members
        || session.content.is_some() && session.content != content(device, &turn);
    if changed {
        let told = vault::seal_shared(device)
            .and_then(|entries| turn.publish(device.members.clone(), entries));
        // Without randomness nobody is told, and the device is brought back to where the others are.
        device.seen = told.map_or(0, |()| turn.replica.revision);
    } else {
        turn.catch_up();
    }
    device.standing = turn.replica.standing();
}

/// A device whose address is changed tells where it is from now on.
fn move_member(device: &mut Device, own: u64, before: Ipv4Addr) {
    let (before, now) = (network::url(before), network::url(device.address()));
    let own = device.members.iter_mut().find(|member| member.id == own);
    for url in own.into_iter().flat_map(|own| &mut own.urls) {
        if *url == before {
            url.clone_from(&now);
        }
    }
}

/// Where the device is, and what it shows.
fn settle(node: &super::Node, device: &Device) {
    node.is_at(&device.address().to_string());
    let chain = &device.configuration.tls.chain;
    let mut papers = node.papers();
    let certificate = chain.first().cloned().unwrap_or_default();
    // While it is locked, the authority is still known.
    let authority = device.configuration.cluster_ca.clone();
    let authority = match device.store {
        Some(_) => authority.or(papers.authority.take()),
        None => authority,
    };
    let current = Papers {
        certificate,
        authority,
    };
    if current != node.papers() {
        node.set_papers(current);
    }
}

fn content(device: &Device, turn: &Turn<'_>) -> Option<Key> {
    if turn.replica.standing() != Standing::Member {
        return None;
    }
    let store = device.store.as_ref()?;
    let mut text = Vec::new();
    for (name, user) in &store.users {
        text.extend_from_slice(name.as_bytes());
        text.extend(user.stamp);
    }
    for ((namespace, id), key) in &store.keys {
        text.extend_from_slice(namespace.as_deref().unwrap_or_default().as_bytes());
        text.push(0);
        text.extend_from_slice(id.as_bytes());
        text.extend(key.stamp);
    }
    for namespace in &store.namespaces {
        text.push(0);
        text.extend_from_slice(namespace.as_bytes());
    }
    for (path, value) in &store.sealed {
        text.extend_from_slice(path.as_bytes());
        text.extend_from_slice(value);
    }
    let settings = &device.configuration;
    if let Some(backup) = &settings.backup {
        text.extend_from_slice(&backup.salt);
        text.extend(backup.key);
    }
    text.extend(settings.cluster_ca.iter().flatten());
    Some(sealed::sha256(text))
}

/// Makes the device a cluster of its own, with what it has.
pub(crate) fn found(node: &super::Node, device: &mut Device) -> Result<(), CryptoError> {
    let mut replica = node.replica();
    if replica.standing() != Standing::Alone {
        vault_refresh::refresh(device, &replica.entries)?;
    }
    let own = replica
        .members
        .iter()
        .find(|member| member.id == replica.own);
    let own = own.cloned().unwrap_or_else(|| Member {
        id: replica.own,
        name: "default".to_owned(),
        urls: vec![network::url(device.address())],
        learner: false,
    });
    replica.cluster = u64::from_be_bytes(crate::crypto::random()?);
    replica.members = vec![Member {
        learner: false,
        ..own
    }];
    device.members.clone_from(&replica.members);
    device.seen = replica.revision;
    device.joining = false;
    node.set_replica(replica);
    Ok(())
}
