//! What the server, the tests and the thread that runs the device have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::device::{Device, Power};
use crate::faults::Hook;
use crate::node::{Node, sync};
use crate::options::Options;
use crate::state_file;
use crate::store::Stamp;
use crate::tls::Identity;
use crate::wire::Instead;

/// What the device's thread is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Serve.
    Run,
    /// Be away for a moment.
    Leave(Power),
    /// End.
    Stop,
}

/// Counters, hooks and the device.
#[derive(Debug)]
pub(crate) struct Shared {
    device: Mutex<Device>,
    hooks: Mutex<Vec<Hook>>,
    asked: Mutex<BTreeMap<String, u64>>,
    connections: Mutex<u64>,
    presented: Mutex<Stamp>,
    node: Arc<Node>,
    pub(crate) identity: Identity,
    pub(crate) orders: watch::Sender<Order>,
    pub(crate) latency: Duration,
    pub(crate) record: Option<PathBuf>,
    state_file: Option<PathBuf>,
}

/// A panic of another test's thread does not matter to this one.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(device: Device, options: &Options) -> Self {
        let tls = &device.configuration.tls;
        Self {
            hooks: Mutex::default(),
            asked: Mutex::default(),
            connections: Mutex::default(),
            presented: Mutex::new(tls.chain_stamp),
            identity: Identity::new(tls),
            node: Arc::clone(&device.node),
            orders: watch::Sender::new(Order::Run),
            latency: options.latency,
            record: options.record.clone(),
            state_file: options.state_file.clone(),
            device: Mutex::new(device),
        }
    }

    /// Does something with the device. It is one thing at a time, as in a real one.
    pub(crate) fn with_device<T>(&self, how: impl FnOnce(&mut Device) -> T) -> T {
        how(&mut locked(&self.device))
    }

    /// The same, as one of its cluster: nobody else in it does anything meanwhile.
    pub(crate) fn in_turn<T>(&self, how: impl FnOnce(&mut Device) -> T) -> T {
        self.with_device(|device| {
            let session = sync::begin(&self.node, device);
            let result = how(device);
            sync::end(session, &self.node, device);
            result
        })
    }

    /// Nobody listens any more and no connection is open, or somebody does again.
    pub(crate) fn set_away(&self, away: bool) {
        self.node.set_away(away);
    }

    pub(crate) fn is_away(&self) -> bool {
        self.node.is_away()
    }

    pub(crate) fn with_hooks<T>(&self, how: impl FnOnce(&mut Vec<Hook>) -> T) -> T {
        how(&mut locked(&self.hooks))
    }

    /// Counts a request.
    pub(crate) fn asked(&self, operation: Option<&str>) {
        let name = operation.unwrap_or_default().to_owned();
        *locked(&self.asked).entry(name).or_default() += 1;
    }

    /// Requests by operation.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        locked(&self.asked).clone()
    }

    /// Counts a connection.
    pub(crate) fn connected(&self) {
        *locked(&self.connections) += 1;
    }

    pub(crate) fn connections(&self) -> u64 {
        *locked(&self.connections)
    }

    pub(crate) fn put_instead(&self, instead: &Instead, octets: Vec<u8>) {
        *locked(instead) = Some(octets);
    }

    /// Writes the device's memory, when there is a file for it.
    pub(crate) fn save(&self) -> Result<(), String> {
        let Some(path) = &self.state_file else {
            return Ok(());
        };
        self.with_device(|device| state_file::save(path, device))
    }

    /// Follows what the last request did to TLS, and to the power.
    pub(crate) fn settle(&self) {
        let power = self.with_device(|device| {
            let tls = &device.configuration.tls;
            let mut presented = locked(&self.presented);
            if *presented != tls.chain_stamp {
                *presented = tls.chain_stamp;
                self.identity.replace(tls);
            }
            device.power.take()
        });
        if let Some(power) = power {
            self.orders.send_replace(Order::Leave(power));
        }
    }
}
