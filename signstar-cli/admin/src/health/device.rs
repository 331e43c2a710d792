//! Whether a device can be reached and holds the key of the certificate, and how it is.
//!
//! It is opened as the login shell opens it, which sends no PIN to a card.

use signstar::config::Key;
use signstar::enclave;
use signstar_core::Refusal;

use super::{Check, State};
use crate::device;
use crate::settings::Settings;

/// A card with fewer tries of its PIN has seen a wrong one; the login shell refuses one with one.
const TRIES_WELL: u64 = 3;
const TRIES_MIN: u64 = 2;

const NAME: &str = "device";

pub(super) fn check(settings: &Settings, name: &str, key: &Key) -> Check {
    // What can be seen is told whatever else is wrong.
    let seen = device::look(settings, name).ok();
    let tries = seen.as_ref().and_then(device::Seen::tries);
    let opened = enclave::open_certificate(key)
        .and_then(|signing| enclave::open_device(key, &signing).map(|opened| (signing, opened)));
    let mut check = match (opened, tries) {
        (Err(failure), _) => {
            let state = match failure.refusal {
                // Somebody signs right now.
                Refusal::Busy => State::Warning,
                _ => State::Critical,
            };
            Check::new(NAME, state, failure.detail)
        }
        (Ok(_), Some(tries)) if tries < TRIES_WELL => {
            let state = match tries < TRIES_MIN {
                true => State::Critical,
                false => State::Warning,
            };
            let text = format!("the device's PIN was wrong: {tries} tries left");
            Check::new(NAME, state, text)
        }
        (Ok(_), None) if seen.as_ref().is_some_and(device::Seen::pin_was_wrong) => {
            let text = "the token's PIN was wrong, and it may lock";
            Check::new(NAME, State::Warning, text)
        }
        (Ok((signing, _)), _) => {
            let text = format!("the device holds {}", signing.fingerprint());
            Check::new(NAME, State::Ok, text)
        }
    };
    if let Some(tries) = tries {
        check = check.measuring("pin_tries", tries);
    }
    if let Some(signatures) = seen.as_ref().and_then(device::Seen::signatures) {
        check = check.measuring("signatures", signatures);
    }
    check
}
