//! A key in a NetHSM, or in several that hold the same one: a cluster, or replicas restored from one
//! backup.
//!
//! [`open`] reads the key from the first device that can be reached. Each signature asks one device; when
//! that cannot be reached, is not operational, or has not answered, [`sign`](signstar_core::Signer::sign) says
//! [`SignerError::TryAgain`], and asking again asks the next one. What has been sent is never sent again
//! in between, so that whoever asks can record the attempt first. A device that was not looked at
//! before must show the same key before it is asked for a signature.
//!
//! # Confinement
//! All sockets are made by [`open`], two for each device, and are never closed; certificates are read and
//! TLS is set up then. What [`Opened::reach`] names is what connecting and asking take after that. A
//! connection that was not used for some seconds, because an upload took that long, is left alone
//! and the second socket of its device is connected. Ports are held by Landlock; addresses cannot be,
//! by the process itself: that is for the firewall. A process that was taken over can connect each socket
//! that was not used before to these ports anywhere, and as often as it likes: connect(2) to no address
//! (`AF_UNSPEC`) frees a socket again, and a filter does not see addresses.
//!
//! It has the Operator's passphrase, too, and can do all that this Operator may, from elsewhere as well, until the
//! passphrase is changed: sign and decrypt with each key that they may use, and change their own
//! passphrase. So let it be an Operator of this one service, with one tag that no other key has. Such a user
//! can remove or replace no key.
//!
//! # The counter
//! Devices count what they do with a key. The count is asked for after a signature and may by then
//! include those of others; where it does not arrive, there is none.
//!
//! # Embedding
//! A tool that signs by itself opens the key so, and goes on as `signstar_core` shows:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use signstar_nethsm::client::{Credentials, Trust};
//! use signstar_nethsm::{Device, Order, Settings, open};
//! use zeroize::Zeroizing;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let passphrase = Zeroizing::new(std::fs::read_to_string("/run/tool/packages.nethsm")?);
//! // What `nethsm-cli device show --output json` says.
//! let pin = "d1b6f0c2a37e4d5895aa0c7be0f3126418c9d7e6f5a4b3c2d1e0f9a8b7c6d5e4";
//! let mut opened = open(&Settings {
//!     key: "packages".to_owned(),
//!     devices: vec![Device {
//!         label: "first".to_owned(),
//!         address: "192.0.2.11".parse()?,
//!         name: None,
//!         trust: Trust::Pin(pin.parse()?),
//!     }],
//!     credentials: Credentials::new("signer", passphrase)?,
//!     order: Order::Listed,
//!     connect_wait: Duration::from_secs(2),
//!     wait: Duration::from_secs(30),
//! })?;
//! let signer = opened.signer.as_mut();
//! # Ok(())
//! # }
//! ```
//!
//! [`client`] is a client for the whole of the device's interface, which this signer is built on.
//!
//! # What is deliberately absent
//! OpenPGP, files, variables of the environment, names that would have to be looked up, proxies,
//! redirects, threads, a way to switch off the verification of certificates, and every operation but
//! reading a key and signing with it.

pub mod client;
pub mod der;
mod key;
mod reach;
mod signer;

use std::time::Duration;

use signstar_core::{Opened, SignerError};

use client::{Address, Credentials, Trust};

pub use key::{KeyError, public_key, signature};
pub use nethsm_sdk_rs as sdk;

/// More devices do not make a key safer, and each takes two of the few descriptors that a process may
/// have.
pub const DEVICES_MAX: usize = 8;

/// One device.
#[derive(Clone, Debug)]
pub struct Device {
    /// What the operator calls it, for messages and records.
    pub label: String,
    /// Where it is: an IP address.
    pub address: Address,
    /// The name in its certificate, where that is not the address.
    pub name: Option<String>,
    /// What its certificate must be.
    pub trust: Trust,
}

/// Which device is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first of the list that works, and from then on that one, as long as it does.
    Listed,
    /// Each in its turn, beginning with this one, counted from 0.
    RoundRobin(usize),
}

/// A key, and where it is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name on the devices.
    pub key: String,
    /// The devices that have it: 1 to [`DEVICES_MAX`].
    pub devices: Vec<Device>,
    /// An operator who may sign with it, the same one on all devices.
    pub credentials: Credentials,
    /// Which device is asked first.
    pub order: Order,
    /// How long connecting to one may take.
    pub connect_wait: Duration,
    /// How long a signature may take, whichever devices are asked for it.
    pub wait: Duration,
}

/// Finds the key on a device that can be reached.
///
/// # Errors
/// [`SignerError::Unavailable`] or [`SignerError::Busy`] if no device answers,
/// [`SignerError::Credential`] if one refuses user or passphrase (no other one gets them then),
/// [`SignerError::Failed`] if the settings cannot be used, a certificate is not the trusted one, or the
/// key cannot sign.
pub fn open(settings: &Settings) -> Result<Opened, SignerError> {
    signer::open(settings)
}
