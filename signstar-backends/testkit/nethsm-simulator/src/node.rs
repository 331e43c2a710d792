//! The side of a device that its cluster sees.
//!
//! A real device has etcd for this, and its consensus. Here every member keeps a copy of everything
//! ([`replica`]). Whoever does something first holds the others, in the order of their ids, so that nobody
//! waits for somebody who waits for them ([`turn`]); more than half of those that vote must be there, and the
//! newest copy counts. Then it does what it was asked for, and if that has changed something, tells those
//! whom it holds. So a change is seen by all at once, a minority does nothing, not even reads, and what is
//! kept is what most have.
//!
//! [`sync`] is between the copy and the device's users and keys; [`serve`] answers other members, [`join`]
//! asks one; [`network`] is where they find each other.
//!
//! Deliberately absent: TLS between members. Each shows its certificate, and the authority of the cluster must
//! have signed it for the address in its URL, but nobody has to prove that it has the key. Loopback only.

pub(crate) mod join;
pub(crate) mod network;
pub(crate) mod replica;
pub(crate) mod serve;
pub(crate) mod sync;
pub(crate) mod turn;
mod wire;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::crypto::chain::Certificate;
use network::Network;
use replica::Replica;

/// What a device shows other members, and what it judges theirs by.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Papers {
    /// DER, the server's certificate.
    pub(crate) certificate: Vec<u8>,
    /// DER, the authority of the cluster.
    pub(crate) authority: Option<Vec<u8>>,
}

impl Papers {
    /// Why somebody who shows `certificate` at `host` is not let in.
    pub(crate) fn object_to(&self, certificate: &[u8], host: &str) -> Option<&'static str> {
        let Some(authority) = &self.authority else {
            return Some("cluster-ca.pem is not set");
        };
        let (Ok(certificate), Ok(authority)) = (
            Certificate::parse(certificate),
            Certificate::parse(authority),
        ) else {
            return Some("no certificate");
        };
        if certificate.is_signed_by(&authority).is_err() {
            return Some("certificate signed by unknown authority");
        }
        (!certificate.is_for(host)).then_some("certificate is not valid for the address")
    }
}

/// A device's copy, and who works with it.
#[derive(Debug, Default)]
pub(crate) struct Node {
    replica: Mutex<Replica>,
    /// Held by whoever does something, this device or another one.
    gate: Mutex<()>,
    papers: Mutex<Papers>,
    /// Whether the device has no power.
    away: AtomicBool,
    network: Option<Network>,
    /// Where other members reach this one.
    place: Option<SocketAddr>,
}

/// A panic of another test's thread does not matter to this one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Node {
    pub(crate) fn new(network: Option<Network>, place: Option<SocketAddr>) -> Self {
        Self {
            network,
            place,
            ..Self::default()
        }
    }

    pub(crate) fn replica(&self) -> Replica {
        locked(&self.replica).clone()
    }

    pub(crate) fn set_replica(&self, replica: Replica) {
        *locked(&self.replica) = replica;
    }

    pub(crate) fn papers(&self) -> Papers {
        locked(&self.papers).clone()
    }

    pub(crate) fn set_papers(&self, papers: Papers) {
        *locked(&self.papers) = papers;
    }

    /// The power goes, or comes back.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::SeqCst)
    }

    /// The device has the address `host` in its network.
    pub(crate) fn is_at(&self, host: &str) {
        if let (Some(network), Some(place)) = (&self.network, self.place) {
            network.lead(host, place);
        }
    }

    /// Where a member is, if any of its URLs leads anywhere.
    fn place_of(&self, urls: &[String]) -> Option<SocketAddr> {
        let network = self.network.as_ref()?;
        urls.iter().find_map(|url| network.place(url))
    }
}
