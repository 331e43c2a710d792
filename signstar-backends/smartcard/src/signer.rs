//! Signing.

use std::mem::ManuallyDrop;

use openpgp_card::Error;
use openpgp_card::ocard::{OpenPGP, StatusBytes, Transaction};
use signstar_core::{Digest, PublicKey, RawSignature, SignatureValue, Signer, SignerError};
use zeroize::Zeroizing;

use crate::gate::{Keeper, Purpose};
use crate::link::Link;
use crate::slot::{Look, State, Touch};
use crate::{Location, key};

/// The signature counter has three bytes and stays at its end (OpenPGP card 3.4.1, section 4.3.3).
const COUNTER_MAX: u32 = 0x00ff_ffff;
/// Lengths of a user's PIN, in bytes (OpenPGP card 3.4.1, section 4.3.1).
const PIN_BYTES: std::ops::RangeInclusive<usize> = 6..=127;

/// An open card.
pub(crate) struct Smartcard {
    // Dropping it would close its socket, which the confined shell must not do.
    card: ManuallyDrop<OpenPGP>,
    look: Look,
    public: PublicKey,
    touch: Touch,
    /// Until the card has refused it.
    pin: Option<Zeroizing<Vec<u8>>>,
}

impl Smartcard {
    /// Looks at the card behind `link`, which must be that of `location`.
    pub(crate) fn new(
        link: Box<dyn Link>,
        location: &Location,
        pin: Zeroizing<Vec<u8>>,
    ) -> Result<Self, SignerError> {
        if !PIN_BYTES.contains(&pin.len()) {
            return Err(SignerError::Credential(format!(
                "card {}: a PIN has {} to {} characters",
                location.card,
                PIN_BYTES.start(),
                PIN_BYTES.end()
            )));
        }
        let (keeper, gate) = Keeper::new(link, Purpose::Sign, location.wait);
        let look = Look {
            card: location.card,
            keeper,
        };
        let mut card = ManuallyDrop::new(look.connect(gate)?);
        let mut locked = lock(&mut card, &look)?;
        let state = look.state(&mut locked)?;
        look.check_tries(state.tries)?;
        look.check_forgetting(&state)?;
        look.check_derivation(&mut locked, &state)?;
        let public = look.public_key(&mut locked)?;
        // One that cannot be read would only show when the PIN has been sent.
        look.counter(&mut locked)?;
        drop(locked);
        Ok(Self {
            card,
            look,
            public,
            touch: state.touch,
            pin: Some(pin),
        })
    }
}

impl Signer for Smartcard {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        (self.touch == Touch::Asked).then_some("the card waits for a touch")
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.public.check_digest(digest)?;
        for _ in 1..ATTEMPTS_MAX {
            let mut told = Told::Nothing;
            match self.attempt(digest, &mut told) {
                // Somebody else has reset the card while it was ours, or it is gone.
                Err(SignerError::Unavailable(_)) if told == Told::Nothing => {}
                outcome => return outcome,
            }
        }
        self.attempt(digest, &mut Told::Nothing)
    }
}

/// How often a card is locked for one signature at most, as long as it has not seen the PIN.
const ATTEMPTS_MAX: u32 = 3;

/// What a card knows of a signature that did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Nothing: it may be asked again.
    Nothing,
    /// Perhaps the PIN, and more.
    Pin,
}

impl Smartcard {
    fn attempt(&mut self, digest: &Digest, told: &mut Told) -> Result<RawSignature, SignerError> {
        let Some(pin) = &self.pin else {
            return Err(SignerError::Credential(format!(
                "card {}: it has refused the PIN before",
                self.look.card
            )));
        };
        let mut locked = lock(&mut self.card, &self.look)?;
        let state = self.look.state(&mut locked)?;
        self.look.check_tries(state.tries)?;
        self.look.check_forgetting(&state)?;
        let before = self.look.counter(&mut locked)?;
        *told = Told::Pin;
        self.look.keeper.admit(pin, state.lasting);
        let shown = show(&mut locked, pin.len(), &self.look);
        self.look.keeper.withdraw();
        if let Err(error) = shown {
            // Whatever the answer was, it is not tried again.
            self.pin = None;
            return Err(error);
        }
        let value = compute(&mut locked, &state, &self.public, digest, &self.look)?;
        let counter = self.look.counter(&mut locked)?;
        if counter != before.saturating_add(1).min(COUNTER_MAX) {
            return Err(SignerError::Failed(format!(
                "card {}: its signature counter did not advance by one",
                self.look.card
            )));
        }
        Ok(RawSignature {
            value,
            counter: Some(counter.into()),
        })
    }
}

fn lock<'c>(card: &'c mut OpenPGP, look: &Look) -> Result<Transaction<'c>, SignerError> {
    card.transaction()
        .map_err(|error| look.error("locking it", &error))
}

/// Has the gate send the PIN: the library gets as many zeros.
fn show(card: &mut Transaction<'_>, length: usize, look: &Look) -> Result<(), SignerError> {
    let refused = |left: &str| {
        SignerError::Credential(format!(
            "card {}: it refused the PIN{left}; it is not sent again",
            look.card
        ))
    };
    match card.verify_pw1_sign(vec![0; length].into()) {
        Ok(()) => Ok(()),
        Err(Error::CardStatus(StatusBytes::PasswordNotChecked(tries))) => {
            Err(refused(&format!(" ({tries} tries left)")))
        }
        Err(Error::CardStatus(StatusBytes::AuthenticationMethodBlocked)) => {
            Err(refused(" (no try left)"))
        }
        Err(Error::CardStatus(StatusBytes::SecurityStatusNotSatisfied)) => Err(refused("")),
        Err(error) => Err(look.error("showing it the PIN", &error)),
    }
}

fn compute(
    card: &mut Transaction<'_>,
    state: &State,
    public: &PublicKey,
    digest: &Digest,
    look: &Look,
) -> Result<SignatureValue, SignerError> {
    let (algorithm, bytes) = key::request(public, digest);
    match card.signature_for_hash(algorithm, bytes) {
        Ok(answer) => key::signature(public, &answer).ok_or_else(|| {
            SignerError::Failed(format!(
                "card {}: its signature has another form than its key",
                look.card
            ))
        }),
        // The PIN was right: what is missing is a touch, if the card wants one.
        Err(Error::CardStatus(
            StatusBytes::SecurityStatusNotSatisfied
            | StatusBytes::SecurityRelatedIssues
            | StatusBytes::ConditionOfUseNotSatisfied,
        )) if state.touch == Touch::Asked => Err(SignerError::Unavailable(format!(
            "card {}: it waited for a touch that did not come",
            look.card
        ))),
        Err(error) => Err(look.error("signing", &error)),
    }
}
