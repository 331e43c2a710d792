//! The tokens of a module, and what is to be seen of their keys without a PIN.

use cryptoki::context::Pkcs11;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::TokenInfo;
use signstar_core::{KeyKind, WorkerFault};
use signstar_pkcs11::Uri;
use signstar_pkcs11::provision::{Answer, Fault, KINDS, KeySeen, PinState, TokenSeen};
use signstar_pkcs11_worker::{fault, public};

use crate::run::say;

/// Most keys of a token that are listed: a module that never comes to an end is not followed.
const KEYS_MAX: usize = 256;
/// Longest name of a key. Longer ones are left out.
const NAME_BYTES_MAX: usize = 255;

/// Says which tokens there are, and which keys.
pub(crate) fn list(library: &Pkcs11) -> Result<(), Fault> {
    let slots = library.get_slots_with_initialized_token();
    let slots = slots.map_err(|error| fault::of(&error, WorkerFault::Module))?;
    for slot in slots {
        // One that cannot be asked has just gone.
        let Ok(info) = library.get_token_info(slot) else {
            continue;
        };
        say(&Answer::Token(seen(&info)))?;
        let Ok(session) = library.open_ro_session(slot) else {
            continue;
        };
        for key in keys(&session)? {
            say(&Answer::Key(key))?;
        }
    }
    say(&Answer::End)
}

/// What the token says of itself.
pub(crate) fn seen(info: &TokenInfo) -> TokenSeen {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let pin = if info.user_pin_locked() {
        PinState::Locked
    } else if info.user_pin_final_try() {
        PinState::FinalTry
    } else if !info.user_pin_initialized() || info.user_pin_to_be_changed() {
        PinState::Unusable
    } else if info.protected_authentication_path() {
        PinState::Pad
    } else if info.user_pin_count_low() {
        PinState::CountLow
    } else {
        PinState::Fine
    };
    TokenSeen {
        uri: Uri {
            token: text(info.label()),
            serial: text(info.serial_number()),
            manufacturer: text(info.manufacturer_id()),
            model: text(info.model()),
            ..Uri::default()
        },
        pin,
    }
}

fn keys(session: &Session) -> Result<Vec<KeySeen>, Fault> {
    let template = [
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::Token(true),
    ];
    let found = session.iter_objects(&template);
    let found = found.map_err(|error| fault::of(&error, WorkerFault::Module))?;
    let found: Vec<ObjectHandle> = found.take(KEYS_MAX).filter_map(Result::ok).collect();
    Ok(found
        .into_iter()
        .map(|object| key(session, object))
        .collect())
}

fn key(session: &Session, object: ObjectHandle) -> KeySeen {
    let mut seen = KeySeen {
        label: None,
        id: None,
        kind: kind(session, object),
    };
    let wanted = [AttributeType::Label, AttributeType::Id];
    for attribute in session.get_attributes(object, &wanted).unwrap_or_default() {
        let fits = |bytes: &Vec<u8>| (1..=NAME_BYTES_MAX).contains(&bytes.len());
        match attribute {
            Attribute::Label(bytes) => {
                seen.label = Some(bytes)
                    .filter(fits)
                    .and_then(|bytes| String::from_utf8(bytes).ok());
            }
            Attribute::Id(bytes) => seen.id = Some(bytes).filter(fits),
            _ => {}
        }
    }
    seen
}

/// The kind of a public key that can sign here.
fn kind(session: &Session, object: ObjectHandle) -> Option<KeyKind> {
    if public::read_ml_dsa(session, object).is_ok() {
        return Some(KeyKind::MlDsa65);
    }
    let kind = public::read(session, object).ok()?.kind();
    KINDS.contains(&kind).then_some(kind)
}
