//! What a simulator is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::crypto::sealed::ScryptCost;
use crate::node::network::Network;

/// The firmware that is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// Without labels, NTP, promotion of members and forced new clusters.
    V4_0,
    /// What the recordings are of.
    #[default]
    V5_0,
}

impl Version {
    /// By the number that the device shows.
    ///
    /// # Errors
    /// No such version is simulated.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "4.0" => Ok(Self::V4_0),
            "5.0" => Ok(Self::V5_0),
            _ => Err("give 4.0 or 5.0".to_owned()),
        }
    }

    pub(crate) fn number(self) -> (u32, u32) {
        match self {
            Self::V4_0 => (4, 0),
            Self::V5_0 => (5, 0),
        }
    }
}

/// What the device itself depends on.
#[derive(Debug, Clone)]
pub struct DeviceOptions {
    /// Its firmware.
    pub version: Version,
    /// The cost of unlock and backup passphrases. [`ScryptCost::DEVICE`] takes about a second each time.
    pub scrypt: ScryptCost,
    /// The public key that update images are signed with, SubjectPublicKeyInfo in PEM. Without one
    /// no image is accepted.
    pub update_key: Option<String>,
    /// Its number. Members of one cluster have different ones.
    pub device_id: String,
    /// Whether an answer 304 to a tag has a body, as before version 5: it confuses clients.
    pub body_with_304: bool,
}

impl Default for DeviceOptions {
    fn default() -> Self {
        Self {
            version: Version::default(),
            scrypt: ScryptCost::CHEAP,
            update_key: None,
            device_id: "0000000000".to_owned(),
            body_with_304: false,
        }
    }
}

/// Everything that a simulator is started with. The default is right for tests: any free port on
/// loopback, cheap passphrases, no delay.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where HTTPS is served; port 0 is any that is free.
    pub listen: SocketAddr,
    /// Where HTTP is answered with the address of HTTPS, if at all.
    pub listen_http: Option<SocketAddr>,
    /// The network in which other simulators are, if there are any.
    pub network: Option<Network>,
    /// Where other members of a cluster reach this one, on loopback; port 0 is any that is free.
    pub listen_members: SocketAddr,
    /// The device.
    pub device: DeviceOptions,
    /// A file that holds the device's memory while the simulator is not running.
    pub state_file: Option<PathBuf>,
    /// A file that every exchange is appended to, a JSON object a line. It holds passphrases.
    pub record: Option<PathBuf>,
    /// How long every answer is held back.
    pub latency: Duration,
    /// How long the device is away while it reboots.
    pub reboot: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            listen_http: None,
            network: None,
            listen_members: SocketAddr::from(([127, 0, 0, 1], 0)),
            device: DeviceOptions::default(),
            state_file: None,
            record: None,
            latency: Duration::ZERO,
            reboot: Duration::from_millis(200),
        }
    }
}
