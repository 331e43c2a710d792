//! A NetHSM in software, for tests: it answers like the device, over HTTPS on loopback.
//!
//! ```
//! use signstar_nethsm_simulator::{Options, Simulator, State};
//!
//! let device = Simulator::start(Options::default()).expect("loopback and randomness");
//! assert_eq!(device.state(), State::Unprovisioned);
//! assert!(device.url().starts_with("https://127.0.0.1:"));
//! assert_eq!(device.fingerprint().len(), 64);
//! ```
//!
//! It is judged by 506 exchanges that were recorded from a NetHSM of version 5.0 (`tests/replay.rs`), and
//! by the vendor's own tools (`tests/python.rs`). What is random on a device is random here, and the
//! cryptography is real.
//!
//! # The way of a request
//!
//! `server` (TLS with the device's own key, HTTP, faults that a test asked for) · `checks` (the order in
//! which things are refused) · `access` (who may) · `resource` (the list of all operations) · the file of
//! its group · `store`.
//!
//! A group is a list of resources and what they do:
//!
//! | file | addresses |
//! |---|---|
//! | `provisioning` | `provision`, `unlock`, `lock` |
//! | `health`, `metrics` | `info`, `health/…`, `metrics` |
//! | `users`, `namespaces` | `users/…`, `namespaces/…` |
//! | `keys`, `key_requests`, `key_settings` | `keys/…`: made, imported, listed; changed |
//! | `key_operations` | `keys/…/{sign,decrypt,encrypt,csr.pem}`, `random` |
//! | `configuration`, `tls_settings` | `config/…` |
//! | `system`, `update_image` | `system/…` but backups |
//! | `backup`, `backup_file`, `vault`, `vault_local` | `system/{backup,restore}` |
//! | `cluster`, `cluster_join`, `node` | `cluster/…`, and what members say to each other |
//!
//! # The store
//!
//! One `Device`, one request at a time, as in a real one. It has its settings (TLS key and chain,
//! network, log, unattended boot, backup key) and, once provisioned, a `Store`: the domain key and what
//! is sealed with it, which are users by name, keys by namespace and name, and namespaces. Users and
//! keys are kept twice, decoded and sealed; ETags and backups are of the sealed form, so both are as on
//! a device. A restore leaves everything sealed until somebody unlocks.
//!
//! # What nothing was compared with
//!
//! No recording has it, and it follows the interface's description and what is known of the firmware:
//!
//! - accepted update images; settings for NTP, which are in no backup either;
//! - clusters of more than one, which have a section of their own;
//! - version 4.0 (no labels, learners, NTP; the body with a status 304, which is a quirk to ask for);
//! - backups of version 0; restores onto another device; where certificates of keys and the cluster's CA
//!   stand in backups, and how the domain key is sealed for one device;
//! - TLS keys on Brainpool curves, which only clients that offer them can use; the words for chains of
//!   certificates that do not fit;
//! - the wording of messages that the recordings do not have, such as those for keys of wrong length.
//!
//! # Clusters
//!
//! Simulators that are started with a [`Network`] join one another, in one process or in several (the program's
//! `--listen-members` and `--peer`), on loopback. What the vendor describes is done: one learner at a time; who
//! joins loses its content, keeps its own settings, waits to be promoted and is locked then; a learner that
//! lags is not promoted (412); more than half of those with a vote must be there, or nobody can log in and a
//! minute later the device has failed; a removed member has failed for good; a new cluster is forced by the
//! unlock passphrase, and a restart. Certificates of members must be for the addresses in their URLs. Guessed is:
//!
//! - what members say to each other: it is not etcd's protocol, a change is seen by all others at once, and who
//!   shows a certificate does not have to prove that it has the key;
//! - the words of refusals, and that all of them but a second learner (409), a missing authority and a learner that
//!   lags (412) are 400;
//! - what a device shows while it waits to be promoted: as one without its store, so 401 for those who ask, and
//!   state Failed after a minute;
//! - that a learner that is removed before it was promoted has failed and has lost what it had;
//! - that the first member is called `default`, and who joins by its number, which no other member may have;
//! - that uses of a key are counted by each member, and the last one to write wins;
//! - that `health/diagnose` says `running` of members, `exited` with 0 of those that were removed, and nothing of
//!   what is on the disk.
//!
//! In version 4 a member has its vote when it is announced, and nothing works until it has joined.
//!
//! # What differs
//!
//! - Names of headers are in lower case. The counters of the firmware's inside are zero.
//! - Deliberately absent: syslog, NTP, network settings that take effect, a platform with a TPM, any
//!   protection of secrets in memory or in files.

mod access;
mod backup;
mod backup_file;
mod base64;
mod body;
mod checks;
mod clock;
mod cluster;
mod cluster_join;
mod configuration;
mod crypto;
mod device;
mod exchange;
mod faults;
mod health;
mod identity;
mod json;
mod key_operations;
mod key_requests;
mod key_settings;
mod keys;
mod life;
mod mechanism;
mod metrics;
mod multipart;
mod namespaces;
mod node;
mod options;
mod provisioning;
mod record;
mod resource;
mod server;
mod shared;
mod simulator;
mod state_file;
mod store;
mod system;
mod tls;
mod tls_settings;
mod update_image;
mod users;
mod vault;
mod vault_local;
mod vault_refresh;
mod wire;

pub use crypto::sealed::ScryptCost;
pub use device::State;
pub use faults::Fault;
pub use node::network::Network;
pub use options::{DeviceOptions, Options, Version};
pub use resource::operations;
pub use simulator::{Running, Simulator, StartError};
