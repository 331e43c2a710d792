//! Every command to the card and every answer passes here.
//!
//! The card library is a general one: it can reset a card, and it repeats a command when an answer
//! asks for that, a PIN too. So what passes is decided here: the few commands of [`Purpose`], a
//! bounded number of them, one signature and one PIN. The library never sees the PIN: it is put
//! into the command on the way out, and taken away from here by that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use card_backend::{CardBackend, CardCaps, CardTransaction, PinType, SmartcardError};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::link::{Exchange, Link};

/// Commands between a lock and its end. Signing takes six; the public key of RSA-4096 comes in a
/// few pieces where a reader knows short answers only.
const EXCHANGES_MAX: u32 = 64;
/// Bytes of one answer; the largest that is needed is a public key of RSA-4096.
pub(crate) const ANSWER_BYTES_MAX: usize = 4096;
/// Status: there is more to fetch.
const MORE: u8 = 0x61;
/// Status: the same command again, with another length for its answer.
const AGAIN: u8 = 0x6c;
/// The least that every card takes in one command.
const COMMAND_BYTES_MIN: u16 = 255;

/// What may be asked of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Look at it, and sign.
    Sign,
    /// Look at it, and fill the signing slot.
    #[cfg(feature = "provision")]
    Provision,
}

impl Purpose {
    /// The number of the PIN that it needs (OpenPGP card 3.4.1, section 7.2.2).
    const fn pin(self) -> u8 {
        match self {
            Self::Sign => 0x81,
            #[cfg(feature = "provision")]
            Self::Provision => 0x83,
        }
    }
}

/// What is said between a lock and its end.
struct Conversation {
    purpose: Purpose,
    wait: Duration,
    exchanges: u32,
    signatures: u32,
    pin: Option<Zeroizing<Vec<u8>>>,
    lasting: Lasting,
    shown: bool,
    fault: Option<Fault>,
}

/// How long a card takes a PIN for verified (OpenPGP card 3.4.1, section 4.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// For one signature.
    OneSignature,
    /// Until it is told otherwise, or reset.
    Session,
}

/// The gate as its keeper sees it: it arms it, and asks afterwards what went wrong.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Mutex<Conversation>>);

impl Keeper {
    /// A gate in front of `link`, for the card library.
    pub(crate) fn new(
        link: Box<dyn Link>,
        purpose: Purpose,
        wait: Duration,
    ) -> (Self, Box<dyn CardBackend + Send + Sync>) {
        let keeper = Self(Arc::new(Mutex::new(Conversation {
            purpose,
            wait,
            exchanges: 0,
            signatures: 0,
            pin: None,
            lasting: Lasting::OneSignature,
            shown: false,
            fault: None,
        })));
        let gate = Gate {
            keeper: keeper.clone(),
            link,
        };
        (keeper, Box::new(gate))
    }

    /// Lets `pin` pass once. Where it is `lasting`, the card is told to forget it at the end of the
    /// lock, so that nobody else may sign because we have shown the PIN. Where this process is ended before
    /// that, pcscd resets the card, since it finds it locked (pcsc-lite 1.9.9).
    pub(crate) fn admit(&self, pin: &[u8], lasting: Lasting) {
        let mut conversation = self.conversation();
        conversation.pin = Some(Zeroizing::new(pin.to_vec()));
        conversation.lasting = lasting;
    }

    /// Takes the PIN away if it was not used; whether it has been sent.
    pub(crate) fn withdraw(&self) -> bool {
        self.conversation().pin.take().is_none()
    }

    /// What went wrong below the card application since the last time.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.conversation().fault.take()
    }

    fn conversation(&self) -> MutexGuard<'_, Conversation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, fault: Fault) -> SmartcardError {
        let error = fault.clone().into();
        self.conversation().fault.get_or_insert(fault);
        error
    }
}

struct Gate {
    keeper: Keeper,
    link: Box<dyn Link>,
}

impl CardBackend for Gate {
    /// Sizes that the library would stumble over are made those of the simplest card.
    fn limit_card_caps(&self, caps: CardCaps) -> CardCaps {
        CardCaps::new(
            caps.ext_support() && caps.max_cmd_bytes() >= COMMAND_BYTES_MIN,
            caps.chaining_support(),
            caps.max_cmd_bytes().max(COMMAND_BYTES_MIN),
            caps.max_rsp_bytes().max(COMMAND_BYTES_MIN),
            caps.pw1_max_len(),
            caps.pw3_max_len(),
        )
    }

    fn transaction(
        &mut self,
        _: Option<&[u8]>,
    ) -> Result<Box<dyn CardTransaction + Send + Sync + '_>, SmartcardError> {
        let wait = {
            let mut conversation = self.keeper.conversation();
            conversation.exchanges = 0;
            conversation.signatures = 0;
            conversation.shown = false;
            conversation.wait
        };
        match self.link.lock(wait) {
            Ok(exchange) => Ok(Box::new(Passage {
                keeper: self.keeper.clone(),
                exchange,
            })),
            Err(fault) => Err(self.keeper.note(fault)),
        }
    }
}

/// The gate while the card is locked.
struct Passage<'g> {
    keeper: Keeper,
    exchange: Box<dyn Exchange + Send + Sync + 'g>,
}

impl Passage<'_> {
    /// Sends a command and fetches all of its answer. The library must not see an answer that asks
    /// for something: it would send the command again, or stumble.
    fn converse(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut answer = self.send(command)?;
        while let [data @ .., MORE, count] = answer.as_slice() {
            let rest = self.send(&[0x00, 0xc0, 0x00, 0x00, *count])?;
            answer = [data, &rest].concat();
            if answer.len() > ANSWER_BYTES_MAX {
                return Err(Fault::Forbidden("its answer never comes to an end"));
            }
        }
        match answer.as_slice() {
            [.., AGAIN, _] => Err(Fault::Forbidden("it asked for a command again")),
            _ => Ok(answer),
        }
    }

    fn send(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault> {
        let sent = self.judge(command)?;
        let answer = self.exchange.transmit(&sent)?;
        match (2..=ANSWER_BYTES_MAX).contains(&answer.len()) {
            true => Ok(answer),
            false => Err(Fault::Forbidden("an answer of no use")),
        }
    }

    /// The command as it is sent.
    fn judge(&self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut conversation = self.keeper.conversation();
        conversation.exchanges += 1;
        if conversation.exchanges > EXCHANGES_MAX {
            return Err(Fault::Forbidden("it never comes to an end"));
        }
        let mut sent = Zeroizing::new(command.to_vec());
        match kind(conversation.purpose, command) {
            Kind::Plain => {}
            Kind::Signature => {
                // The parts of a long command follow one another; the last one signs.
                let last = command.first() == Some(&0);
                conversation.signatures += u32::from(last);
                if conversation.signatures > 1 {
                    return Err(Fault::Forbidden("it asked for the same signature again"));
                }
            }
            Kind::Pin => {
                let Some(pin) = conversation.pin.take() else {
                    return Err(Fault::Forbidden("it asked for the PIN again"));
                };
                put(&pin, &mut sent)?;
                conversation.shown = true;
            }
            Kind::Other => return Err(Fault::Forbidden("a command that is not needed")),
        }
        Ok(sent)
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        let conversation = self.keeper.conversation();
        let purpose = conversation.purpose;
        let forget = conversation.shown && conversation.lasting == Lasting::Session;
        drop(conversation);
        if forget {
            // VERIFY with P1 = FF. A card before 3.0 does not know it: none signs whose PIN lasts
            // (`check_forgetting`), and the administrator's is said to last there. One that is gone has
            // forgotten.
            let _ = self.exchange.transmit(&[0x00, 0x20, 0xff, purpose.pin()]);
        }
    }
}

/// Replaces the zeros at the end of a VERIFY by the PIN, which are as long.
fn put(pin: &[u8], command: &mut [u8]) -> Result<(), Fault> {
    // CLA, INS, P1, P2 and a length in one byte or in three.
    let header = command.len().checked_sub(pin.len());
    let header = header.filter(|header| matches!(header, 5 | 7));
    let place = header.and_then(|header| command.get_mut(header..));
    let place = place.filter(|place| place.iter().all(|&byte| byte == 0));
    let place = place.ok_or(Fault::Forbidden("a command for the PIN of another form"))?;
    place.copy_from_slice(pin);
    Ok(())
}

/// What a command does.
enum Kind {
    Plain,
    Signature,
    Pin,
    Other,
}

/// By OpenPGP card 3.4.1, section 7.1.
fn kind(purpose: Purpose, command: &[u8]) -> Kind {
    let [class, instruction, p1, p2, ..] = command else {
        return Kind::Other;
    };
    match (purpose, class, instruction, p1, p2) {
        // SELECT, GET DATA, GET RESPONSE, reading a public key.
        (_, 0x00, 0xa4, 0x04, 0x00)
        | (_, 0x00, 0xca, _, _)
        | (_, 0x00, 0xc0, 0x00, 0x00)
        | (_, 0x00 | 0x10, 0x47, 0x81, 0x00) => Kind::Plain,
        // VERIFY of the one PIN.
        (_, 0x00, 0x20, 0x00, number) if *number == purpose.pin() => Kind::Pin,
        // PSO: COMPUTE DIGITAL SIGNATURE.
        (Purpose::Sign, 0x00 | 0x10, 0x2a, 0x9e, 0x9a) => Kind::Signature,
        // Attributes, fingerprint, time and touch policy of the signing slot; its key.
        #[cfg(feature = "provision")]
        (Purpose::Provision, 0x00 | 0x10, 0xda, 0x00, 0xc1 | 0xc7 | 0xce | 0xd6)
        | (Purpose::Provision, 0x00 | 0x10, 0x47, 0x80, 0x00)
        | (Purpose::Provision, 0x00 | 0x10, 0xdb, 0x3f, 0xff) => Kind::Plain,
        _ => Kind::Other,
    }
}

impl CardTransaction for Passage<'_> {
    fn transmit(&mut self, command: &[u8], _: usize) -> Result<Vec<u8>, SmartcardError> {
        self.converse(command)
            .map_err(|fault| self.keeper.note(fault))
    }

    fn feature_pinpad_verify(&self) -> bool {
        false
    }

    fn feature_pinpad_modify(&self) -> bool {
        false
    }

    fn pinpad_verify(
        &mut self,
        _: PinType,
        _: &Option<CardCaps>,
    ) -> Result<Vec<u8>, SmartcardError> {
        Err(self.keeper.note(Fault::Forbidden("there is no PIN pad")))
    }

    fn pinpad_modify(
        &mut self,
        _: PinType,
        _: &Option<CardCaps>,
    ) -> Result<Vec<u8>, SmartcardError> {
        Err(self.keeper.note(Fault::Forbidden("there is no PIN pad")))
    }

    fn was_reset(&self) -> bool {
        false
    }
}
