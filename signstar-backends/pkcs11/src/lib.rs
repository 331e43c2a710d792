//! A key on a PKCS#11 token, used through a worker process that has the vendor's module.
//!
//! A PKCS#11 module is a shared library of somebody else's, which wants files, locks, threads and
//! variables. It is never loaded into the process that has the caller's streams: `signstar-pkcs11-worker`
//! loads it, and this crate speaks to the worker over a socket, by the messages of `signstar-core`.
//!
//! The order of things: the worker finds the key and gives its public half, which is compared with
//! the certificate before anything is read. The PIN is kept here until the digest is known, and is
//! sent with it; earlier only to a token that does not show its public keys. Whatever comes back is
//! taken for a stranger's: it must be one frame, in time, of the shape that the key has, and nothing
//! may come unasked. That the signature is one is checked by whoever asked for it.
//!
//! After lock-down it needs read(2) and write(2) on that socket, and waiting. Nothing is closed: close(2)
//! is not among the calls that are left.
//!
//! # What it does not protect against
//! A process that was taken over has the PIN and a worker that signs one digest, whichever it is: it can
//! have another signed than was recorded, once. It can start no other worker, and what reaches the module is
//! what the worker asks of it; it can use up one try of the PIN. A module that was taken over has the PIN, too,
//! and can do with the token all that the PIN allows and `write` lets it change, in one request.
//! So let the token be of this one service, let its module write as little as it can, and keep a copy of a
//! key whose loss would hurt.
//!
//! # Embedding
//! A tool that signs by itself starts the worker, which is a program of the package, and gives its
//! socket; `signstar_confine::start_helper` does both. A worker signs one digest: start another one for
//! the next.
//!
//! ```no_run
//! use std::os::fd::OwnedFd;
//! use std::time::Duration;
//!
//! use signstar_core::{ModuleSettings, Opened, SignerError};
//! use zeroize::Zeroizing;
//!
//! /// `socket` comes from `start_helper`, with /usr/lib/signstar/signstar-pkcs11-worker and the
//! /// variables that the module wants.
//! fn open_key(socket: OwnedFd, pin: Zeroizing<Vec<u8>>) -> Result<Opened, SignerError> {
//!     let settings = ModuleSettings {
//!         module: "/usr/lib/softhsm/libsofthsm2.so".to_owned(),
//!         uri: "pkcs11:token=Package%20signing;object=signing".to_owned(),
//!         uri_ed25519: None,
//!         read: vec!["/etc/softhsm2.conf".to_owned(), "/var/lib/softhsm".to_owned()],
//!         write: Vec::new(),
//!         processor_seconds: 60,
//!     };
//!     signstar_pkcs11::open(socket, settings, pin, Duration::from_secs(30))
//! }
//! ```
//!
//! # What is deliberately absent
//! A PKCS#11 library, loading anything, starting the worker (the shell does, before lock-down),
//! making, importing or deleting keys (but with the feature `provision`, asking for that), a second
//! digest for the same worker, and OpenPGP.

mod channel;
#[cfg(feature = "provision")]
pub mod provision;
mod uri;

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use signstar_core::{
    Digest, Frame, ModuleSettings, Opened, PublicKey, RawSignature, Reach, ReachRule,
    SignatureValue, Signer, SignerError, WorkerAnswer, WorkerFault, WorkerRequest,
};
use zeroize::Zeroizing;

use channel::Channel;
pub use uri::{Uri, UriError};

/// Opens the key that `settings` names, through the worker at the other end of `socket`. Each answer
/// may take `patience`.
///
/// # Errors
/// The worker's [`WorkerFault`] in words, or [`SignerError::Unavailable`] when it has ended or does
/// not answer in time, [`SignerError::Failed`] when it answers nonsense.
pub fn open(
    socket: OwnedFd,
    settings: ModuleSettings,
    pin: Zeroizing<Vec<u8>>,
    patience: Duration,
) -> Result<Opened, SignerError> {
    let unusable = |_| {
        SignerError::Credential(
            "the settings of the module or its PIN are too long or empty".to_owned(),
        )
    };
    let opening = WorkerRequest::Open(settings).to_frame().map_err(unusable)?;
    let pin = WorkerRequest::Pin(pin).to_frame().map_err(unusable)?;
    let descriptor = u32::try_from(socket.as_raw_fd())
        .map_err(|_| SignerError::Failed("the worker's socket is none".to_owned()))?;
    let mut channel = Channel::new(socket, patience)?;
    channel.send(&opening)?;
    let mut pin = Some(pin);
    let mut answer = channel.receive()?;
    if answer == WorkerAnswer::PinWanted
        && let Some(pin) = pin.take()
    {
        channel.send(&pin)?;
        answer = channel.receive()?;
    }
    let public = match answer {
        WorkerAnswer::Ready(public) => public,
        WorkerAnswer::Fault(fault) => return Err(fault.error()),
        _ => return Err(out_of_turn()),
    };
    Ok(Opened {
        signer: Box::new(Token {
            public,
            channel: Some(channel),
            pin,
        }),
        reach: reach(descriptor),
    })
}

fn reach(socket: u32) -> Reach {
    let on_socket = |syscall, reason| ReachRule {
        syscall,
        equals: vec![(0, socket)],
        reason,
    };
    Reach {
        rules: vec![
            on_socket("read", "the answer of the PKCS#11 worker"),
            on_socket("write", "PIN and digest to the PKCS#11 worker"),
        ],
        tcp_ports: Vec::new(),
    }
}

/// A key behind a worker that has not signed yet, or has.
struct Token {
    public: PublicKey,
    channel: Option<Channel>,
    pin: Option<Frame>,
}

impl Signer for Token {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.public.check_digest(digest)?;
        let used = || SignerError::Failed("the worker signs one digest and has had one".to_owned());
        let mut channel = self.channel.take().ok_or_else(used)?;
        let pin = self.pin.take();
        // A worker that has gone, or said something unasked, does not get the PIN.
        channel.expect_silence()?;
        if let Some(pin) = pin {
            channel.send(&pin)?;
        }
        let asking = WorkerRequest::Sign(digest.clone()).to_frame();
        channel.send(&asking.map_err(|_| out_of_turn())?)?;
        let value = match channel.receive()? {
            WorkerAnswer::Signature(value) => value,
            WorkerAnswer::Fault(fault) => return Err(fault.error()),
            _ => return Err(out_of_turn()),
        };
        channel.expect_end()?;
        if !fits(&value, &self.public) {
            return Err(WorkerFault::Shape.error());
        }
        Ok(RawSignature {
            value,
            counter: None,
        })
    }
}

/// Whether the signature is of the kind and length that the key makes.
fn fits(value: &SignatureValue, key: &PublicKey) -> bool {
    match (value, key) {
        (SignatureValue::Ed25519(_), PublicKey::Ed25519(_)) => true,
        (SignatureValue::Ecdsa { r, s }, PublicKey::Ecdsa { curve, .. }) => {
            let length = curve.scalar_bytes();
            r.len() == length && s.len() == length
        }
        (SignatureValue::MlDsa65Ed25519 { .. }, PublicKey::MlDsa65Ed25519 { .. }) => true,
        (SignatureValue::Rsa(bytes), PublicKey::Rsa { n, .. }) => bytes.len() == n.len(),
        _ => false,
    }
}

fn out_of_turn() -> SignerError {
    SignerError::Failed("the worker answered what it was not asked".to_owned())
}
