//! Looking for tokens and making keys on them, through `signstar-pkcs11-provisioner`.
//!
//! That process loads the vendor's module, under the same confinement as the worker that signs, which has
//! none of this. The order of things is its own, too: it is told which module to load (the first message of
//! the worker), then what to do. A token that is to get a key is named first, so that the operator can be
//! asked; then comes the PIN, once; then the public key. Whatever it says is a stranger's.
//!
//! # What is deliberately absent
//! Deleting keys, replacing them, initialising tokens and changing PINs, which the token's own tools do.

mod fault;
mod message;
mod model;
mod secret;

use std::os::fd::OwnedFd;
use std::time::Duration;

use signstar_core::{ModuleSettings, PublicKey, SignerError, WorkerRequest};
use zeroize::Zeroizing;

use crate::channel::{Channel, no_message};
use crate::{Uri, out_of_turn};
pub use fault::Fault;
pub use model::{Account, Answer, Demand, KINDS, KeySeen, NewKey, Order, PinState, TokenSeen};
pub use secret::Secret;

/// RSA of 4096 bits takes some tokens minutes.
const MAKING: Duration = Duration::from_secs(900);

/// Most tokens and keys that one module is listed with.
const LISTED_MAX: usize = 4096;

/// Why it was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProvisionError {
    /// The process says so.
    Refused(Fault),
    /// The process is not there, does not answer, or answers nonsense.
    Broken(SignerError),
}

impl std::fmt::Display for ProvisionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(fault) => fault.error().fmt(f),
            Self::Broken(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProvisionError {}

impl From<SignerError> for ProvisionError {
    fn from(error: SignerError) -> Self {
        Self::Broken(error)
    }
}

/// A token, and the keys on it that can be seen without its PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The token.
    pub token: TokenSeen,
    /// Its keys.
    pub keys: Vec<KeySeen>,
}

/// Lists the tokens of the module of `settings`, through the process at the other end of `socket`. No PIN is
/// sent. What `settings` say of a key is not looked at.
///
/// # Errors
/// The module cannot be used, or the process does not answer in `patience`.
pub fn list(
    socket: OwnedFd,
    settings: ModuleSettings,
    account: Option<Account>,
    patience: Duration,
) -> Result<Vec<Listed>, ProvisionError> {
    let order = Order::List;
    let mut channel = begin(socket, settings, &Demand { account, order }, patience)?;
    let mut all: Vec<Listed> = Vec::new();
    for _ in 0..LISTED_MAX {
        match answer(&mut channel)? {
            Answer::Token(token) => all.push(Listed {
                token,
                keys: Vec::new(),
            }),
            Answer::Key(key) => all.last_mut().ok_or_else(out_of_turn)?.keys.push(key),
            Answer::End => return Ok(all),
            _ => return Err(out_of_turn().into()),
        }
    }
    let text = format!("the module has more than {LISTED_MAX} tokens and keys");
    Err(SignerError::Failed(text).into())
}

/// A token that can have the key, and waits for its PIN.
pub struct Waiting {
    channel: Channel,
    /// What the token says of itself.
    pub token: TokenSeen,
}

/// Has the token of `settings` found and looked at: it is there, makes such keys, and has none of that
/// name. Nothing is changed yet, and no PIN is sent; dropping what is returned leaves it at that.
///
/// # Errors
/// There is no such token, it makes no such keys, or it has one of that name; or the process does not
/// answer in `patience`.
pub fn prepare(
    socket: OwnedFd,
    settings: ModuleSettings,
    demand: &Demand,
    patience: Duration,
) -> Result<Waiting, ProvisionError> {
    let mut channel = begin(socket, settings, demand, patience)?;
    match answer(&mut channel)? {
        Answer::Token(token) => Ok(Waiting { channel, token }),
        _ => Err(out_of_turn().into()),
    }
}

impl Waiting {
    /// What to call the token: its URI.
    pub fn uri(&self) -> &Uri {
        &self.token.uri
    }

    /// Sends the PIN, and has the key made.
    ///
    /// # Errors
    /// The token refuses the PIN, which is not tried again, or makes no key. Then it has none: a key that is
    /// not as it must be, or is not found again, is removed; [`Fault::Stays`] where that fails. A process that
    /// ends before it has answered may leave one.
    pub fn make(mut self, pin: Zeroizing<Vec<u8>>) -> Result<PublicKey, ProvisionError> {
        self.send_pin(pin)?;
        self.made()
    }

    /// Sends the PIN and the secret key, and has the token keep it.
    ///
    /// # Errors
    /// Those of [`Waiting::make`].
    pub fn import(
        mut self,
        pin: Zeroizing<Vec<u8>>,
        secret: &Secret,
    ) -> Result<PublicKey, ProvisionError> {
        let long = |_| SignerError::Failed("the secret key is too long".to_owned());
        let secret = secret.to_frame().map_err(long)?;
        self.send_pin(pin)?;
        self.channel.send(&secret)?;
        self.made()
    }

    fn send_pin(&mut self, pin: Zeroizing<Vec<u8>>) -> Result<(), ProvisionError> {
        let unusable = |_| SignerError::Credential("the PIN is too long or empty".to_owned());
        let pin = WorkerRequest::Pin(pin).to_frame().map_err(unusable)?;
        self.channel.expect_silence()?;
        Ok(self.channel.send(&pin)?)
    }

    fn made(mut self) -> Result<PublicKey, ProvisionError> {
        self.channel.wait_longer(MAKING);
        match answer(&mut self.channel)? {
            Answer::Made(public) => Ok(public),
            _ => Err(out_of_turn().into()),
        }
    }
}

fn begin(
    socket: OwnedFd,
    settings: ModuleSettings,
    demand: &Demand,
    patience: Duration,
) -> Result<Channel, ProvisionError> {
    let unusable = |_| SignerError::Failed("the settings of the module are too long".to_owned());
    let opening = WorkerRequest::Open(settings).to_frame().map_err(unusable)?;
    let demand = demand.to_frame().map_err(unusable)?;
    let mut channel = Channel::new(socket, patience)?;
    channel.send(&opening)?;
    channel.send(&demand)?;
    Ok(channel)
}

fn answer(channel: &mut Channel) -> Result<Answer, ProvisionError> {
    let answer = Answer::from_frame(channel.receive_frame()?).map_err(|_| no_message())?;
    match answer {
        Answer::Fault(fault) => Err(ProvisionError::Refused(fault)),
        other => Ok(other),
    }
}
