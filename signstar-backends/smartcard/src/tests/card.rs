//! A virtual card, and a way to it that sees and spoils what passes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use signstar_core::{Digest, HashAlgorithm, Hasher, SignerError};
use signstar_testkit::key::TestKey;
use signstar_virtual_card::{ADMIN_PIN, MANUFACTURER, Touch, USER_PIN, VirtualCard};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::link::{Exchange, Link};
use crate::provision::{Administration, Present, Status, Touch as Policy};
use crate::signer::Smartcard;
use crate::{Ident, Location};

/// What is done to an answer.
pub(super) type Spoil = fn(&[u8]) -> Result<Vec<u8>, Fault>;

/// What passes between us and a card.
#[derive(Default)]
pub(super) struct Tap {
    /// Commands that were sent, and how many of them came back.
    pub(super) commands: Vec<Vec<u8>>,
    /// The number of the command, from 0, from whose answer on answers are spoiled, and how.
    pub(super) spoil: Option<(usize, Spoil)>,
    /// Whether that is all of them, or one.
    pub(super) lasting: bool,
    /// The card that is in the reader from the next lock on.
    pub(super) next: Option<Arc<VirtualCard>>,
}

impl Tap {
    /// How many of the commands were VERIFY with a PIN.
    pub(super) fn pins(&self) -> usize {
        let shows = |command: &&Vec<u8>| command[1] == 0x20 && command[2] == 0;
        self.commands.iter().filter(shows).count()
    }
}

/// A reader in this process.
pub(super) struct Slot {
    card: Arc<VirtualCard>,
    pub(super) tap: Arc<Mutex<Tap>>,
}

impl Slot {
    pub(super) fn holding(card: &Arc<VirtualCard>) -> (Box<dyn Link>, Arc<Mutex<Tap>>) {
        let slot = Self {
            card: Arc::clone(card),
            tap: Arc::default(),
        };
        let tap = Arc::clone(&slot.tap);
        (Box::new(slot), tap)
    }
}

impl Link for Slot {
    fn lock(&mut self, _: Duration) -> Result<Box<dyn Exchange + Send + Sync + '_>, Fault> {
        if let Some(next) = self.tap.lock().unwrap().next.take() {
            self.card = next;
        }
        Ok(Box::new(Locked(self)))
    }

    fn descriptors(&self) -> Vec<u32> {
        Vec::new()
    }
}

struct Locked<'s>(&'s Slot);

impl Exchange for Locked<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault> {
        let answer = self.0.card.execute(command);
        let mut tap = self.0.tap.lock().unwrap();
        let number = tap.commands.len();
        tap.commands.push(command.to_vec());
        match tap.spoil {
            Some((at, spoil)) if at == number || (tap.lasting && at < number) => spoil(&answer),
            _ => Ok(answer),
        }
    }
}

pub(super) const SERIAL: u32 = 0x0102_0304;

pub(super) fn ident() -> Ident {
    Ident::new(MANUFACTURER, SERIAL)
}

pub(super) fn location() -> Location {
    Location {
        card: ident(),
        wait: Duration::from_secs(5),
    }
}

pub(super) fn pin(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

/// A card that somebody touches when it asks.
pub(super) fn blank() -> Arc<VirtualCard> {
    Arc::new(VirtualCard::new(SERIAL, Touch::Given))
}

/// A card with the test key `name`.
pub(super) fn holding(name: &str) -> Arc<VirtualCard> {
    let card = blank();
    import(&card, name, Policy::NotNeeded);
    card
}

pub(super) fn import(card: &Arc<VirtualCard>, name: &str, touch: Policy) {
    let key = TestKey::named(name);
    let public = key.signing_key();
    let numbers = (&key.material(), public.public_key());
    administration(card)
        .import(&pin(ADMIN_PIN), numbers, 1, touch, Present::Keep)
        .unwrap();
}

pub(super) fn administration(card: &Arc<VirtualCard>) -> Administration {
    Administration::open(Slot::holding(card).0, &location()).unwrap()
}

pub(super) fn status(card: &Arc<VirtualCard>) -> Status {
    administration(card).status().unwrap()
}

/// Opens the card with `pin_text`.
pub(super) fn open(
    card: &Arc<VirtualCard>,
    pin_text: &str,
) -> (Result<Smartcard, SignerError>, Arc<Mutex<Tap>>) {
    let (link, tap) = Slot::holding(card);
    (Smartcard::new(link, &location(), pin(pin_text)), tap)
}

/// Opens the card, which must work.
pub(super) fn signer(card: &Arc<VirtualCard>) -> (Smartcard, Arc<Mutex<Tap>>) {
    let (signer, tap) = open(card, USER_PIN);
    (signer.unwrap(), tap)
}

pub(super) fn digest(text: &str) -> Digest {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(text.as_bytes()).unwrap();
    hasher.finish()
}
