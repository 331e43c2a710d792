//! Looking at cards, and filling their signing slot. Only the operator's tools have this.
//!
//! The administrator's PIN is sent once for each call, never to a card on which it has one try left,
//! and the card forgets it at the end of the call; a card before version 3.0 cannot be told to, and keeps it
//! until it is taken out or reset.

mod import;
mod kind;

use std::time::Duration;

use openpgp_card::Error;
use openpgp_card::ocard::crypto::PublicKeyMaterial;
use openpgp_card::ocard::data::{Fingerprint, KeyGenerationTime, TouchPolicy};
use openpgp_card::ocard::{KeyType, OpenPGP, StatusBytes, Transaction};
use signstar_core::{KeyKind, PublicKey, SecretMaterial, SignerError};
use zeroize::Zeroizing;

use crate::gate::{Keeper, Lasting, Purpose};
use crate::link::Link;
use crate::reader::Readers;
use crate::slot::{self, Look, State, TRIES_MIN};
use crate::{Ident, Location, find, key};

pub use kind::KINDS;

/// Cards that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// OpenPGP cards, in the order of their readers.
    pub cards: Vec<Ident>,
    /// How many readers are held by a program that shares them with nobody (scdaemon does).
    pub occupied: usize,
}

/// Whether signing waits for somebody who touches the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It does not, or the card has no such thing.
    NotNeeded,
    /// It does.
    Needed,
    /// It does, and only another key changes that.
    NeededForever,
}

/// Whether a key may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// A slot with a key in it stays as it is.
    Keep,
    /// A key in the slot is overwritten.
    Replace,
}

/// How a card is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Who it is.
    pub card: Ident,
    /// The key in its signing slot, if that can sign here.
    pub key: Option<PublicKey>,
    /// When the key was made, in seconds since 1970, as the card says.
    pub created: Option<u32>,
    /// The key's OpenPGP fingerprint, as somebody has written it to the card.
    pub fingerprint: Option<[u8; 20]>,
    /// How many signatures the key has made.
    pub counter: u32,
    /// How often the user's PIN may still be wrong.
    pub tries: u8,
    /// How often the administrator's PIN may still be wrong.
    pub tries_admin: u8,
    /// Whether signing waits for a touch.
    pub touch: Touch,
}

/// Cards that are there. `wait` is for those who are using one.
///
/// # Errors
/// [`SignerError::Unavailable`] without pcscd.
pub fn list(wait: Duration) -> Result<Listing, SignerError> {
    let readers = Readers::connect().map_err(|_| {
        SignerError::Unavailable("pcscd does not answer: start pcscd.socket".to_owned())
    })?;
    let mut listing = Listing {
        cards: Vec::new(),
        occupied: readers.occupied,
    };
    for mut reader in readers.connected {
        match slot::ident(&mut reader, wait) {
            Ok(ident) => listing.cards.extend(ident),
            Err(_) => listing.occupied += 1,
        }
    }
    Ok(listing)
}

/// How the card at `location` is. Nothing is sent that costs a try.
///
/// # Errors
/// It cannot be reached, or what it says makes no sense.
pub fn status(location: &Location) -> Result<Status, SignerError> {
    Administration::open(find(location)?, location)?.status()
}

/// Makes a key in the signing slot. RSA takes a real card minutes.
///
/// The card notes the time as that of the key's creation and loses the fingerprint of an earlier
/// one: [`set_fingerprint`] once the certificate is made.
///
/// # Errors
/// Those of [`status`]; [`SignerError::Credential`] if the card refuses `pin`, the administrator's,
/// or would block it; [`SignerError::Failed`] if it cannot have such a key, or has one that is to be
/// kept.
pub fn generate(
    location: &Location,
    pin: &Zeroizing<Vec<u8>>,
    kind: KeyKind,
    touch: Touch,
    present: Present,
) -> Result<Status, SignerError> {
    let mut card = Administration::open(find(location)?, location)?;
    card.generate(pin, kind, touch, present)?;
    card.status()
}

/// Puts a key into the signing slot. There is another copy of it wherever it came from.
///
/// `public` belongs to `material`, and the key was made `created` seconds after 1970.
///
/// # Errors
/// Those of [`generate`].
pub fn import(
    location: &Location,
    pin: &Zeroizing<Vec<u8>>,
    (material, public): (&SecretMaterial, &PublicKey),
    created: u32,
    touch: Touch,
    present: Present,
) -> Result<Status, SignerError> {
    let mut card = Administration::open(find(location)?, location)?;
    card.import(pin, (material, public), created, touch, present)?;
    card.status()
}

/// Notes the OpenPGP fingerprint of the key in the signing slot on the card, where other programs
/// look for it.
///
/// # Errors
/// Those of [`generate`].
pub fn set_fingerprint(
    location: &Location,
    pin: &Zeroizing<Vec<u8>>,
    fingerprint: [u8; 20],
) -> Result<(), SignerError> {
    let mut card = Administration::open(find(location)?, location)?;
    card.change(pin, |locked, look, _| {
        locked
            .set_fingerprint(Fingerprint::from(fingerprint), KeyType::Signing)
            .map_err(|error| look.error("writing the fingerprint", &error))
    })
}

/// A card whose slot is filled.
pub(crate) struct Administration {
    card: OpenPGP,
    look: Look,
}

impl Administration {
    pub(crate) fn open(link: Box<dyn Link>, location: &Location) -> Result<Self, SignerError> {
        let (keeper, gate) = Keeper::new(link, Purpose::Provision, location.wait);
        let look = Look {
            card: location.card,
            keeper,
        };
        let card = look.connect(gate)?;
        Ok(Self { card, look })
    }

    fn lock(&mut self) -> Result<Transaction<'_>, SignerError> {
        let look = self.look.clone();
        self.card
            .transaction()
            .map_err(|error| look.error("locking it", &error))
    }

    pub(crate) fn status(&mut self) -> Result<Status, SignerError> {
        let look = self.look.clone();
        let mut locked = self.lock()?;
        let state = look.state(&mut locked)?;
        let step = "reading what is on it";
        let failed = |error: Error| look.error(step, &error);
        let pins = state.related.pw_status_bytes().map_err(failed)?;
        let fingerprints = state.related.fingerprints().map_err(failed)?;
        let times = state.related.key_generation_times().map_err(failed)?;
        let touch = match state.related.uif_pso_cds().map_err(failed)? {
            None => Touch::NotNeeded,
            Some(flag) => match flag.touch_policy() {
                TouchPolicy::Off => Touch::NotNeeded,
                TouchPolicy::Fixed | TouchPolicy::CachedFixed => Touch::NeededForever,
                _ => Touch::Needed,
            },
        };
        let counter = look.counter(&mut locked)?;
        let key = present(&mut locked, &look)?;
        Ok(Status {
            card: look.card,
            key: key
                .as_ref()
                .and_then(|material| key::public_key(material, look.card).ok()),
            created: times.signature().map(KeyGenerationTime::get),
            fingerprint: fingerprints
                .signature()
                .and_then(|fingerprint| fingerprint.as_bytes().try_into().ok()),
            counter,
            tries: state.tries,
            tries_admin: pins.err_count_pw3(),
            touch,
        })
    }

    pub(crate) fn generate(
        &mut self,
        pin: &Zeroizing<Vec<u8>>,
        kind: KeyKind,
        touch: Touch,
        allowed: Present,
    ) -> Result<(), SignerError> {
        self.change(pin, |locked, look, state| {
            check_present(locked, look, allowed)?;
            let step = "choosing the kind of its key";
            let attributes = kind::simple(kind)
                .ok_or_else(|| SignerError::Failed(format!("cards have no {kind} keys")))?
                .matching_algorithm_attributes(locked, KeyType::Signing)
                .map_err(|error| look.error(step, &error))?;
            let changeable = state
                .related
                .extended_capabilities()
                .map_err(|error| look.error(step, &error))?
                .algo_attrs_changeable();
            if changeable {
                locked
                    .set_algorithm_attributes(KeyType::Signing, &attributes)
                    .map_err(|error| look.error(step, &error))?;
            }
            let (material, _) = locked
                .generate_key(|_, _, _| Ok(Fingerprint::from([0; 20])), KeyType::Signing)
                .map_err(|error| look.error("making the key", &error))?;
            let made = key::public_key(&material, look.card)?.kind();
            if made != kind {
                return Err(SignerError::Failed(format!(
                    "card {}: it made a key of the kind {made}",
                    look.card
                )));
            }
            set_touch(locked, look, state, touch)
        })
    }

    pub(crate) fn import(
        &mut self,
        pin: &Zeroizing<Vec<u8>>,
        (material, public): (&SecretMaterial, &PublicKey),
        created: u32,
        touch: Touch,
        allowed: Present,
    ) -> Result<(), SignerError> {
        self.change(pin, |locked, look, state| {
            check_present(locked, look, allowed)?;
            let key = import::Upload::new(material, public, created, look.card)?;
            import::check_form(locked, material, look)?;
            locked
                .key_import(&key, KeyType::Signing)
                .map_err(|error| look.error("importing the key", &error))?;
            if look.public_key(locked)? != *public {
                return Err(SignerError::Failed(format!(
                    "card {}: it holds another key than the one that was imported",
                    look.card
                )));
            }
            set_touch(locked, look, state, touch)
        })
    }

    /// Does `action` with the administrator's rights.
    fn change(
        &mut self,
        pin: &Zeroizing<Vec<u8>>,
        action: impl FnOnce(&mut Transaction<'_>, &Look, &State) -> Result<(), SignerError>,
    ) -> Result<(), SignerError> {
        let look = self.look.clone();
        let mut locked = self.lock()?;
        let state = look.state(&mut locked)?;
        let pins = state
            .related
            .pw_status_bytes()
            .map_err(|error| look.error("reading what is on it", &error))?;
        if pins.err_count_pw3() < TRIES_MIN {
            return Err(SignerError::Credential(format!(
                "card {}: the administrator's PIN has one try left or none, so it is not sent",
                look.card
            )));
        }
        look.keeper.admit(pin, Lasting::Session);
        let shown = locked.verify_pw3(vec![0; pin.len()].into());
        look.keeper.withdraw();
        shown.map_err(|error| match error {
            Error::CardStatus(
                StatusBytes::PasswordNotChecked(_)
                | StatusBytes::SecurityStatusNotSatisfied
                | StatusBytes::AuthenticationMethodBlocked,
            ) => SignerError::Credential(format!(
                "card {}: it refused the administrator's PIN",
                look.card
            )),
            error => look.error("showing it the administrator's PIN", &error),
        })?;
        action(&mut locked, &look, &state)
    }
}

/// The key in the slot, if there is one.
fn present(
    card: &mut Transaction<'_>,
    look: &Look,
) -> Result<Option<PublicKeyMaterial>, SignerError> {
    match card.public_key(KeyType::Signing) {
        Ok(material) => Ok(Some(material)),
        // Cards differ in what they say of an empty slot.
        Err(Error::CardStatus(_)) => Ok(None),
        Err(error) => Err(look.error("reading the public key of its signing slot", &error)),
    }
}

fn check_present(
    card: &mut Transaction<'_>,
    look: &Look,
    allowed: Present,
) -> Result<(), SignerError> {
    match allowed {
        Present::Replace => Ok(()),
        Present::Keep if present(card, look)?.is_none() => Ok(()),
        Present::Keep => Err(SignerError::Failed(format!(
            "card {}: there is a key in its signing slot",
            look.card
        ))),
    }
}

fn set_touch(
    card: &mut Transaction<'_>,
    look: &Look,
    state: &State,
    touch: Touch,
) -> Result<(), SignerError> {
    let failed = |error: Error| look.error("choosing whether it waits for a touch", &error);
    let policy = match touch {
        Touch::NotNeeded => TouchPolicy::Off,
        Touch::Needed => TouchPolicy::On,
        Touch::NeededForever => TouchPolicy::Fixed,
    };
    match state.related.uif_pso_cds().map_err(failed)? {
        None if touch == Touch::NotNeeded => Ok(()),
        None => Err(SignerError::Failed(format!(
            "card {}: it cannot wait for a touch",
            look.card
        ))),
        Some(flag) if flag.touch_policy() == policy => Ok(()),
        Some(mut flag) => {
            flag.set_touch_policy(policy);
            card.set_uif_pso_cds(&flag).map_err(failed)
        }
    }
}
