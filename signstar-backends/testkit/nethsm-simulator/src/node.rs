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
use crate::json::Json;
use crate::json::schema::{Misfit, Record};
use crate::json::writer::{object, string, strings};
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
    /// The address that the device had when it was last looked at.
    host: Mutex<String>,
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
        let (Some(network), Some(place)) = (&self.network, self.place) else {
            return;
        };
        let mut before = locked(&self.host);
        if *before != host {
            network.leave(&before, place);
            network.learn(host, place);
            host.clone_into(&mut before);
        }
    }

    /// What a member tells of itself when it asks something: its URLs, and where they lead.
    fn whereabouts(&self, urls: &[String]) -> [(&'static str, Vec<u8>); 2] {
        let place = self.place.map_or(String::new(), |place| place.to_string());
        [("urls", strings(urls)), ("place", string(place))]
    }

    /// Notes what another one has told.
    fn note(&self, asked: &Record<'_>) -> Result<(), Misfit> {
        if let (Some(network), Ok(place)) = (&self.network, asked.text("place")?.parse()) {
            for url in asked.texts("urls")? {
                network.lead(network::host(&url).unwrap_or_default(), place);
            }
        }
        Ok(())
    }

    /// Where everybody is, for those who do not know.
    fn directory(&self) -> Vec<u8> {
        let known = self.network.as_ref().map(Network::known);
        let known = known.unwrap_or_default();
        let places = known.iter();
        object(places.map(|(host, place)| (host.as_str(), string(place.to_string()))))
    }

    fn learn(&self, directory: Option<&Json>) {
        let (Some(network), Some(Json::Object(fields))) = (&self.network, directory) else {
            return;
        };
        for (host, place) in fields {
            if let Json::String(place) = place
                && let Ok(place) = String::from_utf8_lossy(place).parse()
            {
                network.learn(host, place);
            }
        }
    }

    /// Where a member is, if any of its URLs leads anywhere.
    fn place_of(&self, urls: &[String]) -> Option<SocketAddr> {
        let network = self.network.as_ref()?;
        urls.iter().find_map(|url| network.place(url))
    }
}
