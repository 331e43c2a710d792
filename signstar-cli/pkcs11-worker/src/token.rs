//! The token: found by what the URI says, whatever its slot's number is today, and logged in to once.

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::MechanismType;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use signstar_core::{Frame, WorkerFault as Fault};
use signstar_pkcs11::Uri;

use crate::fault;

/// A credential, wiped when it is dropped.
pub type Pin = Frame;

/// A token with an open session.
pub struct Token {
    library: Pkcs11,
    slot: Slot,
    /// The session.
    pub session: Session,
}

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Signing changes nothing.
    Read,
    /// A key is made.
    Write,
}

/// The one token that `uri` names.
///
/// # Errors
/// There is none or several, it takes no more sessions, or its PIN is such that none must be sent.
pub fn find(library: &Pkcs11, uri: &Uri, access: Access) -> Result<Token, Fault> {
    let slots = library.get_slots_with_token();
    let slots = slots.map_err(|error| fault::of(&error, Fault::Module))?;
    let matches = |slot: &Slot| {
        // One that cannot be asked is not ours, or will be missed.
        let info = library.get_token_info(*slot);
        info.is_ok_and(|info| is_named(&info, uri))
    };
    let mut found = slots.into_iter().filter(matches);
    let slot = found.next().ok_or(Fault::TokenMissing)?;
    if found.next().is_some() {
        return Err(Fault::TokenAmbiguous);
    }
    let session = match access {
        Access::Read => library.open_ro_session(slot),
        Access::Write => library.open_rw_session(slot),
    };
    let token = Token {
        library: library.clone(),
        slot,
        session: session.map_err(|error| fault::of(&error, Fault::TokenGone))?,
    };
    // Better now than after an upload.
    token.check_pin()?;
    Ok(token)
}

fn is_named(info: &TokenInfo, uri: &Uri) -> bool {
    let is = |wanted: &Option<String>, value: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == value)
    };
    is(&uri.token, info.label())
        && is(&uri.serial, info.serial_number())
        && is(&uri.manufacturer, info.manufacturer_id())
        && is(&uri.model, info.model())
}

impl Token {
    /// What the token says of itself.
    ///
    /// # Errors
    /// [`Fault::TokenGone`].
    pub fn info(&self) -> Result<TokenInfo, Fault> {
        let info = self.library.get_token_info(self.slot);
        info.map_err(|error| fault::of(&error, Fault::TokenGone))
    }

    /// Whether the token makes key pairs by the mechanism.
    pub fn makes_by(&self, mechanism: MechanismType) -> bool {
        let info = self.library.get_mechanism_info(self.slot, mechanism);
        info.is_ok_and(|info| info.generate_key_pair())
    }

    /// Logs in, once.
    ///
    /// # Errors
    /// The PIN is wrong, or such that none must be sent.
    pub fn log_in(&self, mut pin: Pin) -> Result<(), Fault> {
        self.check_pin()?;
        let pin = RawAuthPin::new(Box::new(std::mem::take(&mut *pin)));
        self.session
            .login_with_raw(UserType::User, &pin)
            .map_err(|error| fault::of(&error, Fault::Module))
    }

    /// Refuses before the PIN is sent where a wrong one would do harm, or none can be right.
    fn check_pin(&self) -> Result<(), Fault> {
        let info = self.info()?;
        if info.user_pin_locked() {
            return Err(Fault::PinLocked);
        }
        if info.user_pin_final_try() {
            return Err(Fault::PinFinalTry);
        }
        if !info.user_pin_initialized() || info.user_pin_to_be_changed() {
            return Err(Fault::PinUnusable);
        }
        if info.protected_authentication_path() {
            return Err(Fault::PinPad);
        }
        Ok(())
    }
}
