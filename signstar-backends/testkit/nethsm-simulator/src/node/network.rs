//! The network between simulated devices: which address in it is where on loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The port of a member's URL.
const PEER_PORT: &str = ":2380";

/// The network that simulated devices reach each other by.
///
/// Members of a cluster have URLs as `https://192.168.1.2:2380`, and a simulator listens on a free port of
/// loopback. A device that is started with a network is there under the address of its network settings. All
/// devices start with 192.168.1.1, which is that of the first one: give each its own.
///
/// Clones are the same network. Of those in other processes it has to know one; that one tells of the others.
#[derive(Debug, Clone, Default)]
pub struct Network(Arc<Mutex<BTreeMap<String, SocketAddr>>>);

impl Network {
    /// One with nobody in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `host`, an address as it stands in members' URLs, is at `place`.
    pub fn lead(&self, host: &str, place: SocketAddr) {
        self.hosts().insert(host.to_owned(), place);
    }

    /// The same, unless somebody is there already.
    pub(crate) fn learn(&self, host: &str, place: SocketAddr) {
        self.hosts().entry(host.to_owned()).or_insert(place);
    }

    /// A device moves.
    pub(crate) fn leave(&self, host: &str, place: SocketAddr) {
        self.hosts().retain(|at, led| at != host || *led != place);
    }

    /// Everybody in it.
    pub(crate) fn known(&self) -> Vec<(String, SocketAddr)> {
        let hosts = self.hosts();
        hosts
            .iter()
            .map(|(host, place)| (host.clone(), *place))
            .collect()
    }

    fn hosts(&self) -> MutexGuard<'_, BTreeMap<String, SocketAddr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a member's URL leads.
    pub(crate) fn place(&self, url: &str) -> Option<SocketAddr> {
        self.hosts().get(host(url)?).copied()
    }
}

/// The host of a member's URL, if it is one.
pub(crate) fn host(url: &str) -> Option<&str> {
    let host = url.strip_prefix("https://")?.strip_suffix(PEER_PORT)?;
    (!host.is_empty() && !host.contains('/')).then_some(host)
}

/// The URL of the member at `host`.
pub(crate) fn url(host: impl std::fmt::Display) -> String {
    format!("https://{host}{PEER_PORT}")
}
