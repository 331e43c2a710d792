//! The signing slot of an OpenPGP card, reached through pcscd.
//!
//! A card is chosen by its [`Ident`], never by its place. It is looked at when it is opened: the
//! public key, how often the PIN may still be wrong (with one try left the card is refused), the
//! signature counter. It is locked only to be looked at and to sign: select, the same card?, tries,
//! counter, PIN, signature, counter. So a card serves many processes, whose uploads may be slow.
//!
//! # The PIN
//! It is sent once for a signature and never again after the card has refused it. Waiting and
//! connecting again happen before it is sent, not after. What a card answers to it decides nothing
//! but this: `gate.rs` does not let a second one through, whatever the card library does.
//!
//! A card that takes its PIN for more than one signature is told to forget it afterwards. Cards before
//! version 3.0 cannot be told; they must ask for each signature (`forcesig` in `gpg --card-edit`), or are
//! refused.
//!
//! # Touch
//! A card with a touch policy waits for a touch while it signs, some 15 seconds, and then says the
//! same as if the PIN were missing. Nothing here waits longer than the card, and the caller is told
//! before (`Signer::waits_for`).
//!
//! # What it does not protect against
//! Whoever can talk to pcscd can use up the tries of a PIN, or hold the reader; so can a process of ours that
//! was taken over, and it has the PIN and every other card and reader of that pcscd: it can use up the
//! administrator's tries, too, reset cards, and fill slots where it knows that PIN. So let a signing host
//! have no other cards, an administrator's PIN of its own, and a copy of the key where losing it matters. A
//! reader or a USB line that is listened to gives the PIN away; it does not give the key away.
//!
//! # Embedding
//! A tool that signs by itself opens the key so, while it has one thread, and goes on as `signstar_core`
//! shows. It needs a C compiler's linker and libpcsclite:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use signstar_smartcard::{Location, open};
//! use zeroize::Zeroizing;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let location = Location {
//!     // As `signstar-admin device list` and GnuPG say it: manufacturer and serial number.
//!     card: "000F:01234567".parse()?,
//!     wait: Duration::from_secs(10),
//! };
//! // Without a line end.
//! let pin = Zeroizing::new(std::fs::read("/run/tool/packages.pin")?);
//! let mut opened = open(&location, pin)?;
//! let signer = opened.signer.as_mut();
//! # Ok(())
//! # }
//! ```
//!
//! # What is deliberately absent
//! OpenPGP's packets, files, PIN pads, PINs that the card wants hashed (KDF objects), other slots than
//! the signing one, resetting a card, unblocking or changing a PIN; and without the feature
//! `provision` a way to make, import or replace a key: `gate.rs` holds such commands back.

mod fault;
mod gate;
mod ident;
mod key;
mod link;
#[cfg(feature = "provision")]
pub mod provision;
mod reader;
mod signer;
mod slot;

use std::time::{Duration, Instant};

use fault::Fault;
use link::Link;
use reader::Readers;
use signer::Smartcard;
use signstar_core::{Opened, Reach, ReachRule, Signer, SignerError};
use zeroize::Zeroizing;

pub use ident::{Ident, NoIdent};

/// Between two searches for a card whose reader is held by another program.
const PAUSE: Duration = Duration::from_millis(100);

/// The only flag of what is sent to pcscd.
const MSG_NOSIGNAL: u32 = 0x4000;

/// A key in the signing slot of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The card.
    pub card: Ident,
    /// How long to wait for others that use the card: when it is opened, and before it signs.
    pub wait: Duration,
}

/// Opens the card at `location`. `pin` is the user's PIN; it is sent when a digest is signed, not
/// before.
///
/// The process should do so with one thread: the new socket is found by looking at what is open
/// before and after.
///
/// # Errors
/// [`SignerError::Unavailable`] without pcscd or the card; [`SignerError::Busy`] if another program
/// holds the card beyond the wait; [`SignerError::Credential`] if the PIN cannot be one, or has one
/// try left or none; [`SignerError::Failed`] if there is no key that can sign.
pub fn open(location: &Location, pin: Zeroizing<Vec<u8>>) -> Result<Opened, SignerError> {
    let link = find(location)?;
    let reach = reach(&link.descriptors());
    let signer: Box<dyn Signer> = Box::new(Smartcard::new(link, location, pin)?);
    Ok(Opened { signer, reach })
}

/// The reader with the card. While one is held by another program the card may be in it, so the
/// search goes on until the wait is over.
fn find(location: &Location) -> Result<Box<dyn Link>, SignerError> {
    let start = Instant::now();
    loop {
        let readers = Readers::connect().map_err(|fault| fault.into_error(location.card))?;
        let occupied = readers.occupied;
        let cards = readers.connected.len();
        let left = location.wait.saturating_sub(start.elapsed());
        match choose(readers, location.card, left)? {
            Some(found) => return Ok(found),
            None if occupied == 0 => return Err(absent(location.card, cards)),
            None if left.is_zero() => {
                return Err(Fault::Occupied(location.wait).into_error(location.card));
            }
            None => std::thread::sleep(PAUSE),
        }
    }
}

/// The one of `readers` with `card` in it; the others are left alone. Those that are locked come
/// last.
fn choose(
    readers: Readers,
    card: Ident,
    wait: Duration,
) -> Result<Option<Box<dyn Link>>, SignerError> {
    let start = Instant::now();
    let (mut locked, mut failure) = (Vec::new(), None);
    for mut reader in readers.connected {
        match slot::ident(&mut reader, Duration::ZERO) {
            Ok(Some(ident)) if ident == card => return Ok(Some(Box::new(reader))),
            Ok(_) => {}
            Err(Fault::Occupied(_)) => locked.push(reader),
            // It may have been the one.
            Err(fault) => failure = Some(fault),
        }
    }
    for mut reader in locked {
        match slot::ident(&mut reader, wait.saturating_sub(start.elapsed())) {
            Ok(Some(ident)) if ident == card => return Ok(Some(Box::new(reader))),
            Ok(_) => {}
            Err(Fault::Occupied(_)) => failure = Some(Fault::Occupied(wait)),
            Err(fault) => failure = Some(fault),
        }
    }
    failure.map_or(Ok(None), |fault| Err(fault.into_error(card)))
}

fn absent(card: Ident, others: usize) -> SignerError {
    let seen = match others {
        0 => "no reader has a card that can be used".to_owned(),
        1 => "there is one other card".to_owned(),
        count => format!("there are {count} other cards"),
    };
    SignerError::Unavailable(format!("card {card}: not there ({seen})"))
}

/// What pcsc-lite's library calls for a command.
fn reach(descriptors: &[u32]) -> Reach {
    let mut rules = Vec::new();
    for &descriptor in descriptors {
        rules.push(ReachRule {
            syscall: "sendto",
            equals: vec![(0, descriptor), (3, MSG_NOSIGNAL), (4, 0), (5, 0)],
            reason: "a command, to pcscd",
        });
        rules.push(ReachRule {
            syscall: "read",
            equals: vec![(0, descriptor)],
            reason: "the card's answer, from pcscd",
        });
    }
    rules.push(ReachRule {
        syscall: "clock_nanosleep",
        equals: vec![(1, 0)],
        reason: "a card that others use is asked for again and again",
    });
    Reach {
        rules,
        tcp_ports: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
