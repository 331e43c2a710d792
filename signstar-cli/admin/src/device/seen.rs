//! What is to be seen of a device, for people and for programs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use signstar_certificate::fingerprint;
use signstar_core::PublicKey;
use signstar_pkcs11::provision::PinState;

use super::Held;
use crate::expiry;

/// A device that was looked at.
#[derive(Serialize)]
pub(crate) struct Seen {
    /// What to call it, for people.
    pub(crate) device: String,
    /// The kind of its key, if it has one that can sign here.
    pub(crate) kind: Option<String>,
    pub(crate) created: Option<String>,
    pub(crate) fingerprint: Option<String>,
    /// What else is to be seen: tries, counters.
    pub(crate) state: BTreeMap<&'static str, Value>,
}

impl Seen {
    /// An opened device, of which nothing more is to be seen.
    pub(crate) fn of(held: &Held) -> Self {
        let public = held.signer.public_key();
        let mut seen = Self::new(held.place.clone(), Some(public));
        if let Some(stored) = held.stored {
            seen.created = Some(expiry::shown(Some(stored.created)));
            seen.fingerprint = stored
                .version
                .and_then(|version| fingerprint(public, stored.created, version));
        }
        seen
    }

    pub(crate) fn new(device: String, key: Option<&PublicKey>) -> Self {
        Self {
            device,
            kind: key.map(PublicKey::name),
            created: None,
            fingerprint: None,
            state: BTreeMap::new(),
        }
    }

    /// How many signatures its key has made, if it counts them.
    pub(crate) fn signatures(&self) -> Option<u64> {
        self.state.get("signatures")?.as_u64()
    }

    /// How often the PIN that signs may still be wrong, if it says so.
    pub(crate) fn tries(&self) -> Option<u64> {
        self.state.get("tries")?.as_u64()
    }

    /// Whether the token says that its PIN was wrong. It does not say how often.
    pub(crate) fn pin_was_wrong(&self) -> bool {
        let state = self.state.get("pin").and_then(Value::as_str);
        state == Some(PinState::CountLow.name())
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for part in [&self.kind, &self.fingerprint, &Some(self.device.clone())] {
            text.extend(part.iter().map(|part| format!(" {part}")));
        }
        for (name, value) in &self.state {
            let value = match value {
                Value::String(value) => value.clone(),
                other => other.to_string(),
            };
            text += &format!(", {} {value}", name.replace('_', " "));
        }
        text
    }
}
