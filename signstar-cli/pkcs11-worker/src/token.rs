//! The token: found by what the URI says, whatever its slot's number is today, and logged in to once.

use cryptoki::context::Pkcs11;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use signstar_core::{Frame, WorkerFault as Fault};
use signstar_pkcs11::Uri;

use crate::fault;

/// A credential, wiped when it is dropped.
pub(crate) type Pin = Frame;

/// A token with an open session.
pub(crate) struct Token {
    library: Pkcs11,
    slot: Slot,
    /// The session, read-only: signing changes nothing.
    pub(crate) session: Session,
}

/// The one token that `uri` names.
pub(crate) fn find(library: &Pkcs11, uri: &Uri) -> Result<Token, Fault> {
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
    let session = library.open_ro_session(slot);
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
    /// Logs in, once.
    pub(crate) fn log_in(&self, mut pin: Pin) -> Result<(), Fault> {
        self.check_pin()?;
        let pin = RawAuthPin::new(Box::new(std::mem::take(&mut *pin)));
        self.session
            .login_with_raw(UserType::User, &pin)
            .map_err(|error| fault::of(&error, Fault::Module))
    }

    /// Refuses before the PIN is sent where a wrong one would do harm, or none can be right.
    fn check_pin(&self) -> Result<(), Fault> {
        let info = self.library.get_token_info(self.slot);
        let info = info.map_err(|error| fault::of(&error, Fault::TokenGone))?;
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
