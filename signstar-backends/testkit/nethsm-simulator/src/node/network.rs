//! The network between simulated devices: which address in it is where on loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The port of a member's URL.
const PEER_PORT: &str = ":2380";

/// The network that simulated devices reach each other by.
///
/// Members of a cluster have URLs as `https://192.168.1.2:2380`, and a simulator listens on a free port of
/// loopback. A device that is started with a network is known there by the address of its network settings,
/// as soon as these are set; all start with 192.168.1.1, so give each its own.
///
/// Clones are the same network.
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
