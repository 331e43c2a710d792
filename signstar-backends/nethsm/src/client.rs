//! A client of a NetHSM: the vendor's SDK without its traps.
//!
//! [`Client::call`] runs any function of the SDK. Around it: one address, which is not looked up
//! again; a certificate that must be the trusted one; a deadline for everything together; a bound on
//! what is read; errors that say who must act and what may have happened. There is no proxy, no
//! redirect, no repetition, no thread, and no variable of the environment has a say.
//!
//! The passphrase is wiped here when a call ends. The libraries below keep copies in buffers that they
//! do not wipe: a process that holds one must not be dumpable.

mod address;
mod error;
mod note;
mod pin;
mod presented;
mod socket;
mod transport;
mod trust;

use std::fmt;
use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nethsm_sdk_rs::apis::configuration::Configuration;
use nethsm_sdk_rs::apis::{Error, ResponseContent};
use rustls::pki_types::ServerName;
use ureq::Agent;
use zeroize::{Zeroize as _, Zeroizing};

pub use address::{Address, InvalidAddress};
pub use error::ClientError;
pub use note::Meter;
pub use pin::certificate_key;
pub use presented::{presented, presented_certificate};
pub use trust::{Authorities, Fingerprint, InvalidFingerprint, SYSTEM_AUTHORITIES, Trust};

use note::{Note, Reading, Sent};
use transport::{Device, Nowhere, Sockets};

/// Idle connections are left alone after this: a device closes them when it likes, and a request that
/// is sent into a closed one may or may not have been done.
const IDLE_MAX: Duration = Duration::from_secs(5);
/// Headers of an answer are some hundred bytes.
const HEADER_BYTES_MAX: usize = 16 << 10;
const BUFFER_BYTES: usize = 16 << 10;
/// Passphrases have 10 to 200 bytes on the device, but others' (of older ones) may be shorter.
const PASSPHRASE_BYTES_MAX: usize = 200;
const ID_BYTES_MAX: usize = 128;

/// Who asks.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    passphrase: Zeroizing<String>,
}

impl Credentials {
    /// The user `id`, or `NAMESPACE~id`.
    ///
    /// # Errors
    /// [`ClientError::Settings`] if there cannot be such a user or passphrase.
    pub fn new(user: &str, passphrase: Zeroizing<String>) -> Result<Self, ClientError> {
        let parts: Vec<&str> = user.splitn(2, '~').collect();
        if !parts.iter().all(|part| is_id(part)) {
            return Err(ClientError::Settings("there cannot be a user of that name"));
        }
        if !(1..=PASSPHRASE_BYTES_MAX).contains(&passphrase.len()) {
            return Err(ClientError::Settings(
                "the passphrase must have 1 to 200 bytes",
            ));
        }
        Ok(Self {
            user: user.to_owned(),
            passphrase,
        })
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, …)", self.user)
    }
}

/// Whether a key, a user, a namespace or a tag may have this name.
pub fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// How a device is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub address: Address,
    /// The name in its certificate, where that is another than in the address.
    pub name: Option<String>,
    /// What its certificate must be.
    pub trust: Trust,
    /// Who asks; without, only what is public is answered.
    pub credentials: Option<Credentials>,
    /// How long connecting may take, TLS included.
    pub connect_wait: Duration,
    /// How long an operation may take, connecting included.
    pub wait: Duration,
    /// How large an answer may be, in bytes.
    pub answer_bytes_max: u64,
}

/// What a device answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// Whether the device had anything to do.
    pub outcome: Outcome,
}

/// What an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// Nothing had to be changed (304).
    Unchanged,
}

/// A device that can be asked. One operation at a time; connections are used again.
pub struct Client {
    agent: Agent,
    base: String,
    credentials: Option<Credentials>,
    wait: Duration,
    note: Arc<Note>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({}, {:?})", self.base, self.credentials)
    }
}

impl Client {
    /// A client that makes connections when it needs them. Nothing is sent yet.
    ///
    /// # Errors
    /// The settings cannot be used, or the name in the address is not known.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        let sockets = Sockets::Fresh(settings.address.resolve()?);
        Self::over(settings, sockets)
    }

    /// A client for a process that may soon neither open nor close anything: it has `count` sockets,
    /// enough for as many connections, which stay open until the process ends. Their descriptors come
    /// along, in the order in which they are used.
    ///
    /// # Errors
    /// The settings cannot be used, the address is a name, or there are too many open files.
    pub fn prepared(settings: &Settings, count: usize) -> Result<(Self, Vec<RawFd>), ClientError> {
        let ip = settings.address.ip().ok_or(ClientError::Settings(
            "the device must be named by its IP address: nothing is looked up here",
        ))?;
        let address = SocketAddr::new(ip, settings.address.port());
        let many = |_| ClientError::Settings("no socket is left: use fewer devices");
        let mut sockets = Vec::with_capacity(count);
        for _ in 0..count {
            sockets.push(ManuallyDrop::new(
                socket::unconnected(address).map_err(many)?,
            ));
        }
        let descriptors = sockets.iter().rev().map(|socket| socket.as_raw_fd());
        let descriptors = descriptors.collect();
        let sockets = Sockets::Kept(address, Mutex::new(sockets));
        Ok((Self::over(settings, sockets)?, descriptors))
    }

    fn over(settings: &Settings, sockets: Sockets) -> Result<Self, ClientError> {
        let name = settings.name.as_deref().unwrap_or(settings.address.host());
        let name = ServerName::try_from(name.to_owned());
        let name = name.map_err(|_| ClientError::Settings("no certificate is for such a name"))?;
        let note = Arc::new(Note::new());
        let device = Device {
            sockets,
            tls: settings.trust.configuration()?,
            name,
            connect_wait: settings.connect_wait,
            note: Arc::clone(&note),
        };
        let reading = Reading {
            note: Arc::clone(&note),
            body_bytes_max: settings.answer_bytes_max,
        };
        let config = Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_response_header_size(HEADER_BYTES_MAX)
            .input_buffer_size(BUFFER_BYTES)
            .output_buffer_size(BUFFER_BYTES)
            .max_idle_connections(1)
            .max_idle_age(IDLE_MAX)
            .middleware(reading)
            .build();
        Ok(Self {
            agent: Agent::with_parts(config, device, Nowhere),
            base: format!("https://{}/api/v1", settings.address),
            credentials: settings.credentials.clone(),
            wait: settings.wait,
            note,
        })
    }

    /// Runs one function of the SDK's `default_api`, within the time of the settings.
    ///
    /// ```
    /// # use signstar_nethsm::client::{Client, ClientError};
    /// use nethsm_sdk_rs::apis::default_api::keys_get;
    ///
    /// # fn list(client: &mut Client) -> Result<(), ClientError> {
    /// let keys = client.call(|device| keys_get(device, None, None))?;
    /// # Ok(()) }
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// Each [`ClientError`] but those of settings.
    pub fn call<T, E>(
        &mut self,
        ask: impl FnOnce(&Configuration) -> Result<ResponseContent<T>, Error<E>>,
    ) -> Result<Answer<T>, ClientError> {
        let wait = self.wait;
        self.call_within(wait, ask)
    }

    /// [`Client::call`] within another time.
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub fn call_within<T, E>(
        &mut self,
        wait: Duration,
        ask: impl FnOnce(&Configuration) -> Result<ResponseContent<T>, Error<E>>,
    ) -> Result<Answer<T>, ClientError> {
        self.note.begin(Instant::now() + wait);
        let mut device = self.configuration();
        let answer = ask(&device);
        if let Some((_, Some(passphrase))) = &mut device.basic_auth {
            passphrase.zeroize();
        }
        let (sent, trouble) = self.note.end();
        match (answer, trouble) {
            (_, Some(error)) => Err(error),
            (Ok(content), None) => Ok(Answer {
                value: content.entity,
                outcome: match content.status {
                    304 => Outcome::Unchanged,
                    _ => Outcome::Done,
                },
            }),
            (Err(error), None) => Err(judge(&error, sent)),
        }
    }

    /// How far the operation under way is, and those after it.
    #[must_use]
    pub fn meter(&self) -> Meter {
        Meter(Arc::clone(&self.note))
    }

    fn configuration(&self) -> Configuration {
        Configuration {
            base_path: self.base.clone(),
            user_agent: Some("signstar".to_owned()),
            client: self.agent.clone(),
            basic_auth: self.credentials.as_ref().map(|credentials| {
                let passphrase = credentials.passphrase.as_str().to_owned();
                (credentials.user.clone(), Some(passphrase))
            }),
            oauth_access_token: None,
            bearer_access_token: None,
            api_key: None,
        }
    }
}

/// What it means that there is no answer, or none that the SDK understands.
fn judge<E>(error: &Error<E>, sent: Sent) -> ClientError {
    let text = match error {
        Error::Serde(_) | Error::StringParse(_) | Error::ResponseError(_) => {
            return ClientError::Nonsense("it is not what was asked for");
        }
        Error::Multipart { .. } => return ClientError::Settings("the request cannot be written"),
        Error::Ureq(ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(_, _)) => {
            return ClientError::Nonsense("it is too long");
        }
        Error::Ureq(ureq::Error::Protocol(_) | ureq::Error::Http(_)) => {
            return ClientError::Nonsense("it is no HTTP");
        }
        Error::Ureq(ureq::Error::Io(error)) | Error::Io(error)
            if error.kind() == std::io::ErrorKind::TimedOut =>
        {
            "its time was over"
        }
        Error::Ureq(_) | Error::Io(_) => "the connection broke",
    };
    match sent {
        Sent::Nothing => ClientError::Unreachable(text),
        Sent::Something => ClientError::Lost(text),
    }
}
