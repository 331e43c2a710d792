//! Holding a cluster while something is done.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, MutexGuard};

use super::replica::{Member, Replica, Standing, hexadecimal};
use super::{Node, locked, wire};
use crate::backup_file::Entries;
use crate::crypto::{CryptoError, random};
use crate::json::Json;
use crate::json::schema::Record;
use crate::json::writer::{number, object, string};

/// How often members that change meanwhile are looked at again.
const ATTEMPTS: usize = 5;

/// Another member that waits until this one is done.
#[derive(Debug)]
struct Peer {
    id: u64,
    stream: TcpStream,
    revision: u64,
}

/// A cluster that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    node: &'a Node,
    _gate: Option<MutexGuard<'a, ()>>,
    peers: Vec<Peer>,
    /// The newest copy that anybody has.
    pub(crate) replica: Replica,
    /// Whether enough of them are there.
    pub(crate) has_quorum: bool,
}

impl Node {
    /// Holds as much of the cluster as can be reached.
    pub(crate) fn hold(&self) -> Turn<'_> {
        for _ in 1..ATTEMPTS {
            let known = self.replica();
            let turn = self.try_to_hold(&known);
            if turn.replica.members == known.members {
                return turn;
            }
        }
        self.try_to_hold(&self.replica())
    }

    fn try_to_hold(&self, known: &Replica) -> Turn<'_> {
        let mut gate = None;
        let (mut peers, mut newer) = (Vec::new(), None);
        if known.standing() == Standing::Member {
            let mut members: Vec<&Member> = known.members.iter().collect();
            members.sort_by_key(|member| member.id);
            for member in members {
                if member.id == known.own {
                    gate = Some(locked(&self.gate));
                } else if let Some(place) = self.place_of(&member.urls)
                    && let Some((peer, copy)) = self.hold_peer(member.id, place, known)
                {
                    let newest = newer
                        .as_ref()
                        .map_or(known.revision, |newer: &Replica| newer.revision);
                    newer = copy.filter(|copy| copy.revision > newest).or(newer);
                    peers.push(peer);
                }
            }
        }
        let gate = gate.unwrap_or_else(|| locked(&self.gate));
        let mut replica = self.replica();
        if let Some(newer) = newer.filter(|newer| newer.revision > replica.revision) {
            replica = Replica {
                own: replica.own,
                ..newer
            };
            self.set_replica(replica.clone());
        }
        let mut turn = Turn {
            node: self,
            _gate: Some(gate),
            peers,
            has_quorum: false,
            replica,
        };
        turn.has_quorum = match turn.replica.standing() {
            Standing::Alone => true,
            Standing::Member => turn.replica.is_majority(&turn.present()),
            Standing::Learner | Standing::Removed => false,
        };
        turn
    }
}

impl Node {
    /// Asks a member to wait; it tells its copy if that is newer.
    fn hold_peer(
        &self,
        id: u64,
        place: SocketAddr,
        known: &Replica,
    ) -> Option<(Peer, Option<Replica>)> {
        let own = known.members.iter().find(|member| member.id == known.own);
        let [urls, own_place] = self.whereabouts(&own?.urls);
        let text = object([
            ("ask", string("hold")),
            ("cluster", hexadecimal(known.cluster)),
            ("revision", number(known.revision)),
            urls,
            own_place,
        ]);
        let (stream, answer) = wire::ask(place, &text).ok()?;
        let record = Record::of(&answer, "held", &["revision", "replica"]).ok()?;
        let copy = match record.get("replica") {
            None | Some(Json::Null) => None,
            Some(copy) => Some(Replica::read(copy).ok()?),
        };
        let revision = u64::try_from(record.int("revision").ok()?).ok()?;
        let peer = Peer {
            id,
            stream,
            revision,
        };
        Some((peer, copy))
    }
}

impl Turn<'_> {
    /// The members that are there.
    pub(crate) fn present(&self) -> Vec<u64> {
        let peers = self.peers.iter().map(|peer| peer.id);
        peers.chain([self.replica.own]).collect()
    }

    /// Whether a member has all that there is.
    pub(crate) fn has_caught_up(&self, id: u64) -> bool {
        let mut peers = self.peers.iter();
        peers.any(|peer| peer.id == id && peer.revision == self.replica.revision)
    }

    /// Tells everybody of something new.
    pub(crate) fn publish(
        &mut self,
        members: Vec<Member>,
        entries: Entries,
    ) -> Result<(), CryptoError> {
        if self.replica.cluster == 0 {
            self.replica.cluster = u64::from_be_bytes(random()?);
        }
        self.replica.revision += 1;
        self.replica.members = members;
        self.replica.entries = Arc::new(entries);
        self.node.set_replica(self.replica.clone());
        self.catch_up();
        Ok(())
    }

    /// Tells those who have missed something.
    pub(crate) fn catch_up(&mut self) {
        let revision = self.replica.revision;
        if self.peers.iter().all(|peer| peer.revision >= revision) {
            return;
        }
        let commit = object([
            ("replica", self.replica.to_json()),
            ("directory", self.node.directory()),
        ]);
        for peer in &mut self.peers {
            let told = peer.revision < revision
                && wire::send(&mut peer.stream, &commit).is_ok()
                && wire::receive(&mut peer.stream).is_ok();
            if told {
                peer.revision = revision;
            }
        }
    }
}
