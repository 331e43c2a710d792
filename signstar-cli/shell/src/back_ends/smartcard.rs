//! Keys on OpenPGP cards, `[key.NAME.smartcard]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use signstar_core::{Failure, Opened, Refusal, SigningKey};
use signstar_smartcard::{Ident, Location};
use zeroize::Zeroizing;

use super::{BackEnd, Device};
use crate::config::Table;
use crate::trusted_file::{self, Kind};

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "smartcard",
    environment: &[],
    read,
};

/// A PIN has at most 127 characters.
const PIN_BYTES_MAX: u64 = 256;

/// What `[key.NAME.smartcard]` says.
pub struct Smartcard {
    /// The card.
    pub card: Ident,
    /// The file with the user's PIN.
    pub pin: PathBuf,
}

fn read(mut table: Table<'_, '_>) -> Option<Box<dyn Device>> {
    let card = table.text("card").and_then(|text| match text.parse() {
        Ok(card) => Some(card),
        Err(error) => {
            table.problem_with("card", error);
            None
        }
    });
    let pin = table.path("pin");
    table.finish();
    Some(Box::new(Smartcard {
        card: card?,
        pin: pin?,
    }))
}

impl Smartcard {
    /// Opens the card, whatever key it holds. Others that use it are waited for until `wait` is
    /// over, each time.
    ///
    /// # Errors
    /// The PIN cannot be read, or the card cannot be used.
    pub fn open_any(&self, wait: Duration) -> Result<Opened, Failure> {
        let file = trusted_file::read(&self.pin, Kind::Secret, PIN_BYTES_MAX)
            .map_err(|error| Failure::new(Refusal::Credential, error))?;
        // A line end at the end is the editor's, not the PIN's.
        let pin = file.strip_suffix(b"\n").unwrap_or(&file);
        let location = Location {
            card: self.card,
            wait,
        };
        signstar_smartcard::open(&location, Zeroizing::new(pin.to_vec())).map_err(Failure::from)
    }
}

impl Device for Smartcard {
    fn open(&self, _: &SigningKey, wait: Duration) -> Result<Opened, Failure> {
        self.open_any(wait)
    }

    fn secrets(&self) -> Vec<&Path> {
        vec![&self.pin]
    }
}
