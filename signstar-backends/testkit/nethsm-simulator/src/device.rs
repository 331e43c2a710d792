//! The device: its state, what it keeps, and what happens to it from outside.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::crypto::sealed::{self, Key};
use crate::crypto::{CryptoError, random};
use crate::metrics::Metrics;
use crate::node::Node;
use crate::node::replica::{Member, Replica, Standing};
use crate::options::DeviceOptions;
use crate::store::{Configuration, KeyPlace, Store, StoredKey};
use crate::vault;

/// How long one wrong passphrase keeps an address and a user out.
const LIMITED_FOR: Duration = Duration::from_secs(1);
/// After how long without its store the device says that it failed.
const FAILED_AFTER: Duration = Duration::from_secs(60);
/// Where every device is until it is told otherwise.
pub(crate) const DEFAULT_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

/// The states of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// New, or reset.
    Unprovisioned,
    /// Provisioned and without its domain key.
    Locked,
    /// Ready.
    Operational,
    /// Its store does not answer.
    Failed,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unprovisioned => "Unprovisioned",
            Self::Locked => "Locked",
            Self::Operational => "Operational",
            Self::Failed => "Failed",
        }
    }
}

/// What an answer is followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    Reboot,
    Shutdown,
    FactoryReset,
}

/// An update that was accepted and not committed.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) version: (u32, u32),
}

/// Whether the device's cluster answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Up,
    DownSince(Duration),
    /// It did not since the device was switched on.
    NeverUp,
}

/// A device.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) options: DeviceOptions,
    pub(crate) software: (u32, u32),
    pub(crate) clock: Clock,
    /// State without regard to an outage of the store.
    provisioned_state: State,
    store_gone_since: Option<Duration>,
    forced_failure: bool,
    link: Link,
    pub(crate) device_id: String,
    pub(crate) device_key: Key,
    pub(crate) config_store_key: Key,
    pub(crate) configuration: Configuration,
    pub(crate) store: Option<Store>,
    pub(crate) node: Arc<Node>,
    /// Those of the cluster; empty for a device that was never in one.
    pub(crate) members: Vec<Member>,
    pub(crate) standing: Standing,
    /// The learner that can be promoted.
    pub(crate) caught_up: Option<u64>,
    /// The revision of the cluster's content that users and keys are of.
    pub(crate) seen: u64,
    /// Whether it was told to join and was not promoted yet.
    pub(crate) joining: bool,
    limits: BTreeMap<(IpAddr, String), Duration>,
    pub(crate) metrics: Metrics,
    pub(crate) update: Option<Update>,
    pub(crate) power: Option<Power>,
    /// Signatures, decryptions and encryptions by key, since the start of the simulator.
    pub(crate) key_uses: BTreeMap<String, u64>,
}

impl Device {
    /// One that is new.
    pub(crate) fn new(options: DeviceOptions, node: Arc<Node>) -> Result<Self, CryptoError> {
        let software = options.version.number();
        let device_id = options.device_id.clone();
        Ok(Self {
            options,
            software,
            clock: Clock::new(),
            provisioned_state: State::Unprovisioned,
            store_gone_since: None,
            forced_failure: false,
            link: Link::Up,
            device_id,
            device_key: random()?,
            config_store_key: random()?,
            configuration: Configuration::new()?,
            store: None,
            node,
            members: Vec::new(),
            standing: Standing::Alone,
            caught_up: None,
            seen: 0,
            joining: false,
            limits: BTreeMap::new(),
            metrics: Metrics::default(),
            update: None,
            power: None,
            key_uses: BTreeMap::new(),
        })
    }

    /// The state that is shown.
    pub(crate) fn state(&self) -> State {
        let now = self.clock.elapsed();
        let gone = |since| now.saturating_sub(since) >= FAILED_AFTER;
        let is_cut_off = match self.link {
            Link::Up => false,
            Link::DownSince(since) => gone(since),
            Link::NeverUp => true,
        };
        let is_out = is_cut_off || self.standing == Standing::Removed;
        if self.forced_failure || is_out || self.store_gone_since.is_some_and(gone) {
            return State::Failed;
        }
        self.provisioned_state
    }

    /// Enters a state.
    pub(crate) fn enter(&mut self, state: State) {
        self.provisioned_state = state;
    }

    /// Whether the store answers.
    pub(crate) fn store_answers(&self) -> bool {
        self.store_gone_since.is_none() && self.link == Link::Up
    }

    /// The cluster answers, or does not any more.
    pub(crate) fn set_connected(&mut self, connected: bool) {
        self.link = match (connected, self.link) {
            (true, _) => Link::Up,
            (false, Link::Up) => Link::DownSince(self.clock.elapsed()),
            (false, down) => down,
        };
    }

    /// Where the device is in its network.
    pub(crate) fn address(&self) -> Ipv4Addr {
        let network = self.configuration.network.as_ref();
        network.map_or(DEFAULT_ADDRESS, |network| network.value.address)
    }

    /// Takes the store away, or brings it back.
    pub(crate) fn set_store_present(&mut self, present: bool) {
        self.store_gone_since = (!present).then(|| self.clock.elapsed());
    }

    /// Forces state Failed, or ends that.
    pub(crate) fn set_failed(&mut self, failed: bool) {
        self.forced_failure = failed;
    }

    pub(crate) fn has_namespace(&self, namespace: &str) -> bool {
        let store = self.store.as_ref();
        store.is_some_and(|store| store.namespaces.contains(namespace))
    }

    /// Whether somebody has to wait because of a wrong passphrase.
    pub(crate) fn is_limited(&self, who: &(IpAddr, String)) -> bool {
        let now = self.clock.elapsed();
        let failed = self.limits.get(who);
        failed.is_some_and(|failed| now.saturating_sub(*failed) < LIMITED_FOR)
    }

    /// Makes somebody wait.
    pub(crate) fn limit(&mut self, who: (IpAddr, String)) {
        let now = self.clock.elapsed();
        // Only what is fresh counts: the table stays as small as the last second.
        self.limits
            .retain(|_, failed| now.saturating_sub(*failed) < LIMITED_FOR);
        self.limits.insert(who, now);
    }

    /// Whether `passphrase` unlocks.
    pub(crate) fn opens_domain_key(&self, passphrase: &[u8]) -> bool {
        self.domain_key_of(passphrase).is_some()
    }

    /// The domain key under `passphrase`.
    pub(crate) fn domain_key_of(&self, passphrase: &[u8]) -> Option<Key> {
        let locked = &self.store.as_ref()?.locked_domain_key;
        let salt = &self.configuration.unlock_salt;
        let key = self.options.scrypt.derive(passphrase, salt).ok()?;
        let opened = sealed::open(&key, b"passphrase", locked)?;
        opened.try_into().ok()
    }

    /// What happens when the power comes back: the state depends on unattended boot.
    pub(crate) fn boot(&mut self) {
        let unattended = self.configuration.unattended_boot.as_ref();
        let unattended = unattended.is_some_and(|setting| setting.value);
        self.provisioned_state = match &self.store {
            None => State::Unprovisioned,
            Some(store) if unattended && store.domain_key.is_some() => State::Operational,
            Some(_) => State::Locked,
        };
        // What was counted and not written is lost.
        let keys = self
            .store
            .iter_mut()
            .flat_map(|store| store.keys.values_mut());
        for key in keys {
            key.value.operations = key.value.operations_written;
        }
        self.limits.clear();
        self.metrics = Metrics::default();
        self.set_never_connected();
    }

    /// It was switched on, and its cluster, if there is one, has not answered yet.
    pub(crate) fn set_never_connected(&mut self) {
        if self.members.len() > 1 {
            self.link = Link::NeverUp;
        }
    }

    /// Writes the counters that are kept in memory.
    pub(crate) fn write_operations(&mut self) -> Result<(), CryptoError> {
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        let used = |key: &StoredKey| key.operations != key.operations_written;
        let keys = store.keys.iter().filter(|(_, key)| used(&key.value));
        let places: Vec<KeyPlace> = keys.map(|(place, _)| place.clone()).collect();
        for place in places {
            vault::write_key(store, &place)?;
        }
        Ok(())
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) -> Result<(), CryptoError> {
        self.configuration = Configuration::new()?;
        self.config_store_key = random()?;
        self.store = None;
        self.node.set_replica(Replica::default());
        self.members.clear();
        self.standing = Standing::Alone;
        self.joining = false;
        self.link = Link::Up;
        self.update = None;
        self.clock.offset_s = 0;
        self.forced_failure = false;
        self.boot();
        Ok(())
    }
}
