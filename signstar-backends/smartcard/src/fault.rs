//! What goes wrong between us and a card, and how it is told.

use std::time::Duration;

use card_backend::SmartcardError;
use openpgp_card::ocard::StatusBytes;
use signstar_core::SignerError;

use crate::Ident;

/// What goes wrong below the card application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// pcscd cannot be reached.
    NoService,
    /// The connection to pcscd broke, or the reader did.
    Lost,
    /// There is no card where one was.
    Removed,
    /// Somebody else has held the reader for all of the time that we wait.
    Occupied(Duration),
    /// The conversation went where it must not go: a command that is not ours to send, one too
    /// many, or an answer that is none. The text is ours.
    Forbidden(&'static str),
}

impl Fault {
    /// For the caller of this crate.
    pub(crate) fn into_error(self, card: Ident) -> SignerError {
        match self {
            Self::NoService => SignerError::Unavailable(format!(
                "card {card}: pcscd does not answer: start pcscd.socket, and let the account that \
                 signs reach it"
            )),
            Self::Lost => SignerError::Unavailable(format!(
                "card {card}: it answers no more: it was taken out, or the connection to its reader \
                 or to pcscd broke"
            )),
            Self::Removed => SignerError::Unavailable(format!("card {card}: it was taken out")),
            Self::Occupied(waited) => SignerError::Busy(format!(
                "card {card}: another program has held the reader for {} s (scdaemon does, if it \
                 runs)",
                waited.as_secs()
            )),
            Self::Forbidden(what) => SignerError::Failed(format!("card {card}: {what}")),
        }
    }
}

/// The card library wants its own; what we know stays with the gate.
impl From<Fault> for SmartcardError {
    fn from(_: Fault) -> Self {
        Self::Error(String::new())
    }
}

/// An error of the card library at `step`, unless the gate knows better. What the card has answered
/// is not part of the text.
pub(crate) fn at_step(
    step: &str,
    error: &openpgp_card::Error,
    known: Option<Fault>,
    card: Ident,
) -> SignerError {
    if let Some(fault) = known {
        return fault.into_error(card);
    }
    let why = match error {
        openpgp_card::Error::CardStatus(StatusBytes::ReferencedDataNotFound) => "it has no such",
        openpgp_card::Error::CardStatus(_) => "it refused",
        _ => "its answer makes no sense",
    };
    SignerError::Failed(format!("card {card}: {step}: {why}"))
}
