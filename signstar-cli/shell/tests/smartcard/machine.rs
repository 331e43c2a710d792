//! A world with pcscd in it and a card in its reader.

use std::time::Duration;

use signstar_core::{Certificate, SecretKey};
use signstar_smartcard::provision::{self, Present, Status, Touch};
use signstar_smartcard::{Ident, Location};
use signstar_virtual_card::reader::{slot, Inserted, Pcscd, PORT};
use signstar_virtual_card::{VirtualCard, ADMIN_PIN, MANUFACTURER, USER_PIN};
use zeroize::Zeroizing;

use crate::scene::{until_process_waits_in, POLL};
use crate::support::built::Build;
use crate::support::configuration::PIN;
use crate::support::world::SIGNERS;
use crate::support::{until, Configuration, SigningKey, World};

/// The card's serial number.
pub(crate) const SERIAL: u32 = 0x0a0b_0c0d;

/// A machine with a key on a card. In this order: the card goes before pcscd does.
pub(crate) struct Machine {
    pub(crate) card: Option<Inserted>,
    pub(crate) pcscd: Option<Pcscd>,
    pub(crate) world: World,
}

impl Machine {
    /// With `key` on the card.
    pub(crate) fn new(key: SigningKey, configuration: &Configuration) -> Self {
        let card = VirtualCard::new(SERIAL, signstar_virtual_card::Touch::Given);
        Self::with(card, Touch::NotNeeded, key, configuration)
    }

    /// With `key` put on `card`, which waits for a touch or does not.
    pub(crate) fn with(
        card: VirtualCard,
        touch: Touch,
        key: SigningKey,
        configuration: &Configuration,
    ) -> Self {
        let configuration = configuration.clone().on_card(&ident().to_string());
        let world = World::of(Build::Devices, &configuration, key);
        let mut machine = Self {
            card: None,
            pcscd: None,
            world,
        };
        machine.start_pcscd();
        machine.insert(card);
        machine.import(touch);
        machine.set_pin(USER_PIN);
        machine
    }

    /// Starts pcscd.
    pub(crate) fn start_pcscd(&mut self) {
        let run = self.world.path("/run");
        self.pcscd = Some(Pcscd::start(&run, |command| self.world.spawn(command)));
    }

    /// Puts `card` into the reader and waits until it is seen.
    pub(crate) fn insert(&mut self, card: VirtualCard) {
        // A thread cannot be started where processes have other numbers.
        let slot = self.world.within(|| slot(PORT));
        self.card = Some(Inserted::new(card, slot));
        let wait = Duration::from_secs(5);
        until("the card is seen", || {
            let listing = self.world.within(|| provision::list(wait));
            listing.is_ok_and(|listing| !listing.cards.is_empty())
        });
    }

    /// Takes the card out.
    pub(crate) fn take(&mut self) -> VirtualCard {
        self.card.take().expect("a card is in the reader").take()
    }

    /// Writes the PIN's file.
    pub(crate) fn set_pin(&self, pin: &str) {
        self.world
            .write(PIN, format!("{pin}\n"), (0, SIGNERS), 0o440);
    }

    /// How the card is.
    pub(crate) fn status(&self) -> Status {
        self.world
            .within(|| provision::status(&location()))
            .expect("a card that answers")
    }

    /// Puts the world's key on the card.
    pub(crate) fn import(&self, touch: Touch) {
        let key = &self.world.key;
        let now = std::time::SystemTime::now();
        let certificate = Certificate::parse(&key.certificate).expect("a certificate");
        let public = certificate.signing_key(None, now).expect("a signing key");
        let secret = SecretKey::parse(&key.secret, &public.fingerprint(), None).expect("a key");
        let numbers = (&secret.into_material(), public.public_key());
        let admin = Zeroizing::new(ADMIN_PIN.as_bytes().to_vec());
        let place = location();
        self.world
            .within(|| provision::import(&place, &admin, numbers, 1, touch, Present::Keep))
            .expect("a key on the card");
    }
}

/// Waits until a shell has opened the card, is locked down, and waits for its input.
pub(crate) fn until_locked_down(id: u32) {
    until("the login shell is locked down", || {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.contains("Seccomp:\t2")
    });
    until_process_waits_in(id, POLL);
}

pub(crate) fn ident() -> Ident {
    Ident::new(MANUFACTURER, SERIAL)
}

pub(crate) fn location() -> Location {
    Location {
        card: ident(),
        wait: Duration::from_secs(20),
    }
}
