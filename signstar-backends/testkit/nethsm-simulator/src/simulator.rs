//! Starting a simulator, and what tests do with a running one.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio_rustls::TlsAcceptor;

use crate::crypto::{pem, sealed};
use crate::device::{Device, Power, State};
use crate::faults::{Fault, Hook};
use crate::life::{Life, reserve};
use crate::node::Node;
use crate::node::serve::{self, Listening};
use crate::options::Options;
use crate::shared::{Order, Shared};
use crate::state_file;

/// Why a simulator did not start. The operator of the test must act.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Cannot listen there.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The state file cannot be read or written, or is none.
    #[error("cannot use the state file: {0}")]
    StateFile(String),
    /// The machine is out of something.
    #[error("cannot start: {0}")]
    Machine(String),
}

/// The way to start one.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts a simulator, which answers when this returns.
    ///
    /// # Errors
    /// It cannot listen, the state file is bad, or there is no randomness.
    pub fn start(options: Options) -> Result<Running, StartError> {
        let machine = |error: &dyn std::fmt::Display| StartError::Machine(error.to_string());
        let elsewhere = |error| StartError::Listen(options.listen_members, error);
        let members = match &options.network {
            None => None,
            Some(_) => Some(serve::bind(options.listen_members).map_err(elsewhere)?),
        };
        let place = members.as_ref().map(|(_, place)| *place);
        let node = Arc::new(Node::new(options.network.clone(), place));
        let mut device = Device::new(options.device.clone(), Arc::clone(&node))
            .map_err(|error| machine(&error))?;
        if let Some(path) = &options.state_file {
            state_file::load(path, &mut device).map_err(StartError::StateFile)?;
        }
        let shared = Arc::new(Shared::new(device, &options));
        shared.save().map_err(StartError::StateFile)?;
        // It is in its network before anybody asks it anything.
        shared.in_turn(|_| ());
        let members = members.map(|(listener, place)| serve::listen(node, listener, place));
        let members = members.transpose().map_err(elsewhere)?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| machine(&error))?;
        let failed = |error| StartError::Listen(options.listen, error);
        let (place, address) = reserve(options.listen).map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener = listener.map_err(failed)?;
        let (on_http, http) = match options.listen_http {
            None => (None, None),
            Some(at) => {
                let failed = |error| StartError::Listen(at, error);
                let listener = runtime.block_on(TcpListener::bind(at)).map_err(failed)?;
                let at = listener.local_addr().map_err(failed)?;
                (Some(listener), Some(at))
            }
        };
        let config = shared.identity.server().map_err(|error| machine(&error))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let orders = shared.orders.subscribe();
        let thread = std::thread::Builder::new()
            .name("nethsm-simulator".to_owned())
            .spawn({
                let (shared, reboot) = (Arc::clone(&shared), options.reboot);
                move || {
                    let life = Life {
                        shared,
                        address,
                        _place: place,
                        acceptor,
                        reboot,
                    };
                    life.run(&runtime, orders, listener, on_http);
                }
            })
            .map_err(|error| machine(&error))?;
        Ok(Running {
            shared,
            address,
            http,
            members,
            thread: Some(thread),
        })
    }
}

/// A simulator that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    address: SocketAddr,
    http: Option<SocketAddr>,
    members: Option<Listening>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// The base of all addresses, `https://127.0.0.1:PORT/api/v1`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}/api/v1", self.address)
    }

    /// Where HTTPS is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where HTTP is redirected, if it is.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where other members of a cluster reach it, if it is in a network.
    #[must_use]
    pub fn member_address(&self) -> Option<SocketAddr> {
        self.members.as_ref().map(|members| members.place)
    }

    /// The certificate that the next handshake shows, DER.
    #[must_use]
    pub fn certificate(&self) -> Vec<u8> {
        self.shared.with_device(|device| {
            let chain = device.configuration.tls.chain.first();
            chain.cloned().unwrap_or_default()
        })
    }

    /// The same as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.certificate())
    }

    /// The SHA-256 of the same, 64 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        sealed::hex(sealed::sha256(self.certificate()))
    }

    /// How often an operation was asked for, whatever became of it. Operations are called as in the
    /// vendor's client libraries: `keys_key_id_sign_post`.
    #[must_use]
    pub fn requests(&self, operation: &str) -> u64 {
        let requests = self.shared.requests();
        requests.get(operation).copied().unwrap_or_default()
    }

    /// The same for every operation; what leads nowhere counts for the empty name.
    #[must_use]
    pub fn all_requests(&self) -> BTreeMap<String, u64> {
        self.shared.requests()
    }

    /// How many connections were opened.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// How often a key was used with success: `id`, in a namespace `namespace~id`. It counts from the
    /// start on, whatever happens to the key.
    #[must_use]
    pub fn key_uses(&self, key: &str) -> u64 {
        let uses = |device: &mut Device| device.key_uses.get(key).copied();
        self.shared.with_device(uses).unwrap_or_default()
    }

    /// Lets the next `times` requests of an operation (of any, when absent) fail. Faults that were
    /// asked for earlier come first.
    pub fn fail_next(&self, operation: Option<&str>, fault: Fault, times: usize) {
        self.shared.with_hooks(|hooks| {
            hooks.push(Hook {
                operation: operation.map(str::to_owned),
                fault,
                times,
            });
        });
    }

    /// Forgets faults that have not happened.
    pub fn clear_faults(&self) {
        self.shared.with_hooks(Vec::clear);
    }

    /// The state that the device shows.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.in_turn(|device| device.state())
    }

    /// Lets time pass for the device: its clock, its limit on wrong passphrases, its patience with its
    /// store.
    pub fn advance(&self, by: Duration) {
        self.shared.with_device(|device| device.clock.advance(by));
    }

    /// Takes the key-value store behind the device away, or brings it back. Without it credentials
    /// are wrong, and a minute later the device has failed.
    pub fn set_store_present(&self, present: bool) {
        self.shared
            .with_device(|device| device.set_store_present(present));
    }

    /// Puts the device into state Failed, or ends that.
    pub fn set_failed(&self, failed: bool) {
        self.shared.with_device(|device| device.set_failed(failed));
    }

    /// Pulls the plug: the listener and all connections are gone when this returns, and how often keys
    /// were used since they were written.
    pub fn power_off(&self) {
        let leave = Order::Leave(Power::Shutdown);
        self.shared.orders.send_replace(leave);
        self.wait_until_away(true);
    }

    /// Switches it on again; it answers when this returns.
    pub fn power_on(&self) {
        self.shared.orders.send_replace(Order::Run);
        self.wait_until_away(false);
    }

    /// Forgets everything at once, without a restart.
    ///
    /// # Errors
    /// There is no randomness for a new TLS key.
    pub fn reset(&self) -> Result<(), StartError> {
        let reset = self.shared.with_device(Device::reset);
        self.shared.settle();
        reset.map_err(|error| StartError::Machine(error.to_string()))
    }

    /// Waits until the device is away, or back.
    fn wait_until_away(&self, away: bool) {
        for _ in 0..500 {
            if self.shared.is_away() == away {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the device was shut down.
    pub fn wait_for_shutdown(&self) {
        let mut orders = self.shared.orders.subscribe();
        let waiting = Builder::new_current_thread().build();
        if let Ok(waiting) = waiting {
            let away = Order::Leave(Power::Shutdown);
            let _ = waiting.block_on(orders.wait_for(|order| *order == away));
            // The answer gets out first.
            self.wait_until_away(true);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.orders.send_replace(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
