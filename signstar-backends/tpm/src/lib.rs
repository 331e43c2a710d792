//! A key in a TPM 2.0, which never leaves it.
//!
//! The key lies at a persistent handle, or in two files that only this TPM can load. It signs
//! digests: ECDSA on P-256, P-384 and P-521, RSA of 2048 to 4096 bits by PKCS#1 v1.5, as far as
//! the TPM has them. It may want an auth value, a state of the machine (PCR policy), or both.
//!
//! # What the bus learns
//! Every session with the TPM is salted for its storage key (*parent*), whose Name stands in the
//! configuration: it was noted when the key was made, at a console, and it is the hash of the
//! storage key's public area, computed here over the very bytes to which the salt is encrypted.
//! So who listens on the bus, or answers in the TPM's place, learns neither auth value nor
//! anything from which it could be guessed, and no answer that matters can be changed unseen:
//! authorisation is an HMAC under that salt, never a password. The digest is encrypted on its way
//! too, and the key's public area is read under such a session when the device is opened.
//! Who can answer in the TPM's place can still refuse to, or use up the tries of its owner.
//!
//! # What happens when
//! Opening reads both public areas. Each signature takes one session of its own, which ends with
//! it; nothing is held in the TPM between, so that any number of processes share the kernel's
//! resource manager (`/dev/tpmrm0`). What fails after a session has begun is left to it: it
//! clears up when the process ends.
//!
//! A refused authorisation is never tried again. tpm2-tss repeats a command, up to five times,
//! where the TPM answers that it has not begun it (`TPM_RC_RETRY`, `TPM_RC_YIELDED`,
//! `TPM_RC_TESTING`); after that the device is busy.
//!
//! # What it does not protect against
//! tpm2-tss keeps the auth value for the time of one signature, and what it computes from it may
//! stay in memory until the process ends. A TPM has no counter of a key's signatures. Waiting for an answer
//! has no limit here: the caller has a deadline.
//!
//! A process that was taken over can send any command to the device, since a filter sees no commands. It can
//! have the key sign for as long as it lives. Where the owner's auth value is empty, it can make keys and
//! remove them (TPM2_EvictControl, TPM2_Clear with an empty lockout auth), and so destroy this one; with an
//! empty lockout auth it can also change how guesses are counted. It can use up the tries that the TPM
//! allows, which locks out every key with an auth value on it. So set auth values for owner, endorsement and
//! lockout (`tpm2_changeauth`), and keep a copy of a key whose loss would hurt: there is none of one that was
//! made in a TPM, so let another key be able to take its place.
//!
//! # Embedding
//! A tool that signs by itself opens the key so, and goes on as `signstar_core` shows. What
//! [`ENVIRONMENT`] lists must be in the environment before there is a second thread: best by whoever
//! starts the tool (`Environment=TSS2_LOG=all+none` in a unit).
//!
//! ```no_run
//! use signstar_tpm::{KeyPlace, Parent, Settings, open};
//! use zeroize::Zeroizing;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `signstar-admin device storage-key` prints both lines of the parent.
//! let name = "000b0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
//! let settings = Settings {
//!     device: "/dev/tpmrm0".into(),
//!     parent: Parent { handle: "0x81000001".parse()?, name: name.parse()? },
//!     key: KeyPlace::Persistent("0x81000002".parse()?),
//!     registers: None,
//! };
//! let auth = Zeroizing::new(std::fs::read("/run/tool/packages.auth")?);
//! let mut opened = open(&settings, Some(auth))?;
//! let signer = opened.signer.as_mut();
//! # Ok(())
//! # }
//! ```
//!
//! # What is deliberately absent
//! OpenPGP, files, variables of the environment, the choice of another way to the TPM than a
//! device, and (without the feature `provision`) every command that makes, moves or removes a key
//! or changes a setting of the TPM. Parents with an auth value of their own.
//!
//! tpm2-tss writes errors to standard error unless `TSS2_LOG` is `all+none` when it is first used:
//! see [`ENVIRONMENT`].

mod connection;
mod error;
mod public;
mod session;
mod settings;
mod signer;

#[cfg(feature = "provision")]
pub mod provision;

use signstar_core::{Opened, SignerError};
use zeroize::Zeroizing;

pub use settings::{Handle, InvalidSetting, KeyPlace, Name, Parent, Registers, Settings};

/// What must be in the environment of a process, before it has a second thread, so that the
/// system's TPM library writes nothing: names and values.
pub const ENVIRONMENT: [(&str, &str); 1] = [("TSS2_LOG", "all+none")];

/// Opens the device and finds the key. `auth` is its auth value, of at most 32 bytes, if it has
/// one. The signer lives until the process ends: its device is never closed.
///
/// # Errors
/// [`SignerError::Unavailable`] if the device cannot be reached, [`SignerError::Credential`] if
/// the auth value cannot be one, [`SignerError::Failed`] if storage key or key are not what the
/// settings say or cannot sign.
pub fn open(settings: &Settings, auth: Option<Zeroizing<Vec<u8>>>) -> Result<Opened, SignerError> {
    signer::open(settings, auth)
}
