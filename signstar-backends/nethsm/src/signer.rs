//! The key, found and ready, on as many devices as there are.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use nethsm_sdk_rs::apis::default_api::{keys_key_id_get, keys_key_id_sign_post};
use signstar_core::{Digest, Opened, PublicKey, RawSignature, SignatureValue, Signer, SignerError};

use crate::client::{self, Client, ClientError, is_id};
use crate::reach::{self, Descriptors};
use crate::{DEVICES_MAX, Device, KeyError, Order, Settings, key};

/// One connection to read the key by, and one for when that has been idle for too long.
const CONNECTIONS: usize = 2;
/// Keys and signatures are some KiB at most.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// The count is not worth more.
const COUNT_WAIT: Duration = Duration::from_secs(2);

pub(crate) fn open(settings: &Settings) -> Result<Opened, SignerError> {
    if !is_id(&settings.key) {
        return Err(failed("there cannot be a key of that name on a NetHSM"));
    }
    let count = settings.devices.len();
    if !(1..=DEVICES_MAX).contains(&count) {
        return Err(failed("needs one to eight devices"));
    }
    let mut replicas = Vec::with_capacity(count);
    for device in &settings.devices {
        let made = Replica::new(settings, device);
        replicas.push(made.map_err(|error| failed(&format!("{}: {error}", device.label)))?);
    }
    let first = match settings.order {
        Order::Listed => 0,
        Order::RoundRobin(first) => first % count,
    };
    let mut devices = Devices {
        key: settings.key.clone(),
        wait: settings.wait,
        order: settings.order,
        next: first,
        replicas,
    };
    let public = devices.find()?;
    let ports = settings.devices.iter().map(|device| device.address.port());
    let reach = reach::of(&devices.descriptors(), ports.collect());
    Ok(Opened {
        reach: reach.ok_or_else(|| failed("a socket is none"))?,
        signer: Box::new(NetHsm {
            public,
            devices,
            round: None,
        }),
    })
}

fn failed(text: &str) -> SignerError {
    SignerError::Failed(text.to_owned())
}

/// One device.
struct Replica {
    label: String,
    client: Client,
    sockets: Vec<std::os::fd::RawFd>,
    shown: Shown,
}

/// Whether a device has shown its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    NotAsked,
    /// It was asked and has not answered.
    Nothing,
    TheKey,
}

impl Replica {
    fn new(settings: &Settings, device: &Device) -> Result<Self, ClientError> {
        let (client, sockets) = Client::prepared(
            &client::Settings {
                address: device.address.clone(),
                name: device.name.clone(),
                trust: device.trust.clone(),
                credentials: Some(settings.credentials.clone()),
                connect_wait: settings.connect_wait,
                wait: settings.wait,
                answer_bytes_max: ANSWER_BYTES_MAX,
            },
            CONNECTIONS,
        )?;
        Ok(Self {
            label: device.label.clone(),
            client,
            sockets,
            shown: Shown::NotAsked,
        })
    }

    fn read(&mut self, key: &str, wait: Duration) -> Result<PublicKey, Trouble> {
        self.shown = Shown::Nothing;
        let asked = self
            .client
            .call_within(wait, |device| keys_key_id_get(device, key));
        let public = key::public_key(&asked?.value)?;
        self.shown = Shown::TheKey;
        Ok(public)
    }

    /// Has the digest signed, once.
    fn sign(
        &mut self,
        key: &str,
        public: &PublicKey,
        digest: &Digest,
        until: Instant,
    ) -> Result<SignatureValue, Trouble> {
        let left = || until.saturating_duration_since(Instant::now());
        if self.shown != Shown::TheKey && self.read(key, left())? != *public {
            self.shown = Shown::Nothing;
            return Err(Trouble::OtherKey);
        }
        let request = key::request(public, digest).ok_or(Trouble::Shape)?;
        let asked = self
            .client
            .call_within(left(), |device| keys_key_id_sign_post(device, key, request));
        let answer = match asked {
            // It has taken the same passphrase before: its store has failed, or somebody has
            // changed the user meanwhile.
            Err(ClientError::Unauthenticated) => return Err(Trouble::NoLonger),
            asked => asked?,
        };
        key::signature(public, &answer.value.signature).ok_or(Trouble::Shape)
    }

    /// How often the device has used the key, if it says so in time.
    fn count(&mut self, key: &str, until: Instant) -> Option<u64> {
        let left = until.saturating_duration_since(Instant::now());
        let wait = left.min(COUNT_WAIT);
        let asked = self
            .client
            .call_within(wait, |device| keys_key_id_get(device, key));
        u64::try_from(asked.ok()?.value.operations).ok()
    }
}

/// Why one device has not done what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("has another key of that name than the other devices")]
    OtherKey,
    #[error("refuses the passphrase that it took before, or cannot read its users")]
    NoLonger,
    #[error("answers what is no signature of the key")]
    Shape,
}

impl Trouble {
    /// Whether another device may do better.
    const fn is_for_another_device(&self) -> bool {
        match self {
            Self::Client(error) => error.is_for_another_device(),
            Self::OtherKey | Self::NoLonger => true,
            Self::Key(_) | Self::Shape => false,
        }
    }

    /// In the words of the seam; `text` says it of one device or of several.
    fn told(&self, text: String) -> SignerError {
        match self {
            Self::NoLonger => SignerError::Unavailable(text),
            Self::Key(_) | Self::OtherKey | Self::Shape => SignerError::Failed(text),
            Self::Client(error) => match error {
                ClientError::Unreachable(_)
                | ClientError::Lost(_)
                | ClientError::State(_)
                | ClientError::Failed(_, _) => SignerError::Unavailable(text),
                ClientError::Throttled => SignerError::Busy(text),
                ClientError::Unauthenticated | ClientError::Forbidden(_) => {
                    SignerError::Credential(text)
                }
                ClientError::Settings(_)
                | ClientError::Untrusted(_)
                | ClientError::Absent(_)
                | ClientError::Conflict(_)
                | ClientError::Refused(_, _)
                | ClientError::Nonsense(_) => SignerError::Failed(text),
            },
        }
    }
}

/// All devices with the key.
struct Devices {
    key: String,
    wait: Duration,
    order: Order,
    /// Which one is asked first.
    next: usize,
    replicas: Vec<Replica>,
}

impl Devices {
    /// The key of the first device that shows it.
    fn find(&mut self) -> Result<PublicKey, SignerError> {
        let until = Instant::now() + self.wait;
        let mut told = String::new();
        let mut left = self.replicas.len();
        loop {
            let (key, at) = (&self.key, self.next);
            let Some(replica) = self.replicas.get_mut(at) else {
                return Err(failed("there is no device"));
            };
            let wait = until.saturating_duration_since(Instant::now());
            let trouble = match replica.read(key, wait) {
                Ok(public) => return Ok(public),
                Err(trouble) => trouble,
            };
            note(&mut told, &replica.label, &trouble);
            left -= 1;
            if left == 0 || !trouble.is_for_another_device() {
                return Err(trouble.told(told));
            }
            self.next = self.after(at);
        }
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) % self.replicas.len().max(1)
    }

    fn descriptors(&self) -> Descriptors {
        let mut all = Descriptors::default();
        for replica in &self.replicas {
            // Those of a device that did not answer are not used any more.
            let (first, second) = replica.sockets.split_at(1.min(replica.sockets.len()));
            match replica.shown {
                Shown::NotAsked => all.unused.extend(first),
                Shown::TheKey => all.used.extend(first),
                Shown::Nothing => {}
            }
            all.unused.extend(second);
        }
        all
    }
}

/// Adds `LABEL: TROUBLE` to a line.
fn note(told: &mut String, label: &str, trouble: &Trouble) {
    let separator = if told.is_empty() { "" } else { "; " };
    // Writing to a text does not fail.
    let _ = write!(told, "{separator}{label} {trouble}");
}

/// One digest, on its way through the devices.
struct Round {
    digest: Digest,
    until: Instant,
    at: usize,
    left: usize,
}

struct NetHsm {
    public: PublicKey,
    devices: Devices,
    round: Option<Round>,
}

impl Signer for NetHsm {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.public.check_digest(digest)?;
        let devices = &mut self.devices;
        let going_on = self.round.take().filter(|round| round.digest == *digest);
        let mut round = going_on.unwrap_or_else(|| Round {
            digest: digest.clone(),
            until: Instant::now() + devices.wait,
            at: devices.next,
            left: devices.replicas.len(),
        });
        let following = devices.after(round.at);
        let Some(replica) = devices.replicas.get_mut(round.at) else {
            return Err(failed("there is no device"));
        };
        match replica.sign(&devices.key, &self.public, digest, round.until) {
            Ok(value) => {
                let counter = replica.count(&devices.key, round.until);
                devices.next = match devices.order {
                    Order::Listed => round.at,
                    Order::RoundRobin(_) => following,
                };
                Ok(RawSignature { value, counter })
            }
            Err(trouble) => {
                let mut told = String::new();
                note(&mut told, &replica.label, &trouble);
                round.left = round.left.saturating_sub(1);
                let over = Instant::now() >= round.until;
                if round.left == 0 || over || !trouble.is_for_another_device() {
                    return Err(trouble.told(told));
                }
                round.at = following;
                self.round = Some(round);
                Err(SignerError::TryAgain(told))
            }
        }
    }
}
