//! Looking at a card: who it is, what is in its signing slot, what its PIN may still cost.

use std::time::Duration;

use card_backend::CardBackend;
use openpgp_card::Error;
use openpgp_card::ocard::data::ApplicationRelatedData;
use openpgp_card::ocard::{KeyType, OpenPGP, StatusBytes, Transaction};
use signstar_core::{PublicKey, SignerError};

use crate::fault::{Fault, at_step};
use crate::gate::{Keeper, Lasting};
use crate::link::Link;
use crate::{Ident, key};

/// SELECT of the OpenPGP application.
const SELECT: [u8; 12] = [
    0x00, 0xa4, 0x04, 0x00, 0x06, 0xd2, 0x76, 0x00, 0x01, 0x24, 0x01, 0x00,
];
/// GET DATA of the application identifier.
const GET_IDENT: [u8; 5] = [0x00, 0xca, 0x00, 0x4f, 0x00];
/// Below this many tries left a card is not used: one mistyped PIN would block it.
pub(crate) const TRIES_MIN: u8 = 2;
/// From here on a card can be told to forget a PIN (OpenPGP card 3.4.1, section 7.2.2: VERIFY with P1 = FF).
const FORGETS_SINCE: u16 = 0x0300;

/// Who the card in a reader is; `None` if it is no OpenPGP card.
pub(crate) fn ident(link: &mut dyn Link, wait: Duration) -> Result<Option<Ident>, Fault> {
    let mut card = link.lock(wait)?;
    if !done(&card.transmit(&SELECT)?) {
        return Ok(None);
    }
    let answer = card.transmit(&GET_IDENT)?;
    // RID and application, version, manufacturer, serial number, two bytes of nothing.
    let [.., m1, m2, s1, s2, s3, s4, _, _, 0x90, 0x00] = answer.as_slice() else {
        return Ok(None);
    };
    let manufacturer = u16::from_be_bytes([*m1, *m2]);
    let serial = u32::from_be_bytes([*s1, *s2, *s3, *s4]);
    Ok((answer.len() == 18).then(|| Ident::new(manufacturer, serial)))
}

fn done(answer: &[u8]) -> bool {
    // Some cards tell about themselves when they are selected, and have more to say.
    matches!(answer, [.., 0x90, 0x00] | [.., 0x61, _])
}

/// The card behind a gate, for errors that name it.
#[derive(Clone)]
pub(crate) struct Look {
    pub(crate) card: Ident,
    pub(crate) keeper: Keeper,
}

/// What is on a card, apart from its key.
pub(crate) struct State {
    pub(crate) tries: u8,
    pub(crate) version: u16,
    pub(crate) lasting: Lasting,
    pub(crate) touch: Touch,
    pub(crate) related: ApplicationRelatedData,
}

/// Whether the signing slot waits for a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    NotAsked,
    Asked,
}

impl Look {
    /// An error of the card library, in our words.
    pub(crate) fn error(&self, step: &str, error: &Error) -> SignerError {
        at_step(step, error, self.keeper.fault(), self.card)
    }

    /// The card library's card.
    pub(crate) fn connect(
        &self,
        gate: Box<dyn CardBackend + Send + Sync>,
    ) -> Result<OpenPGP, SignerError> {
        OpenPGP::new(gate).map_err(|error| self.error("selecting the OpenPGP application", &error))
    }

    /// Selects the application and reads who the card is and how it is; it must be the one.
    pub(crate) fn state(&self, card: &mut Transaction<'_>) -> Result<State, SignerError> {
        card.select()
            .map_err(|error| self.error("selecting the OpenPGP application", &error))?;
        let read = |card: &mut Transaction<'_>| -> Result<(String, State), Error> {
            let related = card.application_related_data()?;
            let application = related.application_id()?;
            let (ident, version) = (application.ident(), application.version());
            let pin = related.pw_status_bytes()?;
            let lasting = match pin.pw1_cds_valid_once() {
                true => Lasting::OneSignature,
                false => Lasting::Session,
            };
            let touch = match related.uif_pso_cds()? {
                Some(flag) if flag.touch_policy().touch_required() => Touch::Asked,
                _ => Touch::NotAsked,
            };
            let state = State {
                tries: pin.err_count_pw1(),
                version,
                lasting,
                touch,
                related,
            };
            Ok((ident, state))
        };
        let (ident, state) =
            read(card).map_err(|error| self.error("reading what is on it", &error))?;
        if ident != self.card.to_string() {
            return Err(SignerError::Unavailable(format!(
                "card {}: another card is in its reader now",
                self.card
            )));
        }
        Ok(state)
    }

    /// Refuses a card that one mistake would block.
    pub(crate) fn check_tries(&self, tries: u8) -> Result<(), SignerError> {
        if tries >= TRIES_MIN {
            return Ok(());
        }
        let left = if tries == 0 { "no try" } else { "one try" };
        Err(SignerError::Credential(format!(
            "card {}: its PIN has {left} left, so it is not sent; verify or unblock it at a console",
            self.card
        )))
    }

    /// Refuses a card that would let everybody sign once it has seen the PIN.
    pub(crate) fn check_forgetting(&self, state: &State) -> Result<(), SignerError> {
        if state.lasting == Lasting::OneSignature || state.version >= FORGETS_SINCE {
            return Ok(());
        }
        Err(SignerError::Failed(format!(
            "card {}: it takes its PIN for more than one signature, and a card before version 3.0 cannot be \
             told to forget it; have it ask each time (gpg --card-edit, admin, forcesig)",
            self.card
        )))
    }

    /// Refuses a card that wants its PIN hashed: nothing here can.
    pub(crate) fn check_derivation(
        &self,
        card: &mut Transaction<'_>,
        state: &State,
    ) -> Result<(), SignerError> {
        let step = "reading how it takes its PIN";
        let capable = state
            .related
            .extended_capabilities()
            .map_err(|error| self.error(step, &error))?
            .kdf_do();
        if !capable {
            return Ok(());
        }
        match card.kdf_do() {
            Ok(object) if object.kdf_algo() == 0 => Ok(()),
            Ok(_) => Err(SignerError::Failed(format!(
                "card {}: it wants its PIN hashed (KDF object), which is not supported; switch that \
                 off on the card",
                self.card
            ))),
            Err(Error::CardStatus(StatusBytes::ReferencedDataNotFound)) => Ok(()),
            Err(error) => Err(self.error(step, &error)),
        }
    }

    /// The public key in the signing slot.
    pub(crate) fn public_key(&self, card: &mut Transaction<'_>) -> Result<PublicKey, SignerError> {
        match card.public_key(KeyType::Signing) {
            Ok(material) => key::public_key(&material, self.card),
            Err(error) => Err(self.error("reading the public key of its signing slot", &error)),
        }
    }

    /// How many signatures the key in the signing slot has made.
    pub(crate) fn counter(&self, card: &mut Transaction<'_>) -> Result<u32, SignerError> {
        card.security_support_template()
            .map(|template| template.signature_count())
            .map_err(|error| self.error("reading its signature counter", &error))
    }
}
