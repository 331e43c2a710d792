//! Whether two bodies say the same.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use super::{Judge, key_of};
use crate::client::Received;
use crate::openssl;

impl Judge {
    pub(super) fn compare_bodies(
        &mut self,
        exchange: &Value,
        recorded: &[u8],
        received: &Received,
    ) -> Result<(), String> {
        let path = exchange["request"]["path"].as_str().unwrap();
        let recorded = String::from_utf8_lossy(recorded).into_owned();
        let (wanted, got) = (self.ours(&recorded), received.text());
        if wanted == got {
            return Ok(());
        }
        if received.status != 200 {
            return Err(format!("{got:?} instead of {wanted:?}"));
        }
        let differ = || format!("{got:.300?} instead of {wanted:.300?}");
        if path.ends_with("/metrics") {
            return same_metrics(&wanted, &got).ok_or_else(differ);
        }
        if path.ends_with("/system/backup") {
            let frame = received.body.starts_with(b"_NETHSM_BACKUP_\x01")
                && received.body.ends_with(b"\0\0\0_NETHSM_BACKUP_END_");
            return frame.then_some(()).ok_or_else(differ);
        }
        if wanted.starts_with("-----BEGIN ") {
            let same = openssl::described(&wanted) == openssl::described(&got);
            return same.then_some(()).ok_or_else(differ);
        }
        let read =
            |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        let (wanted_json, got_json) = (read(&wanted)?, read(&got)?);
        let same = match (&wanted_json, &got_json) {
            (Value::Array(wanted), Value::Array(got)) => same_list(wanted, got),
            (Value::Object(_), Value::Object(_)) => {
                self.same_object(exchange, &wanted_json, &got_json)
            }
            _ => false,
        };
        same.then_some(()).ok_or_else(differ)
    }

    fn same_object(&mut self, exchange: &Value, wanted: &Value, got: &Value) -> bool {
        let path = exchange["request"]["path"].as_str().unwrap();
        let names = |value: &Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        if names(wanted) != names(got) {
            return false;
        }
        let length = |value: &Value| Base64::decode_vec(value.as_str().unwrap()).unwrap().len();
        if wanted.get("random").is_some() {
            return length(&wanted["random"]) == length(&got["random"]);
        }
        if wanted.get("encrypted").is_some() {
            let random_iv = exchange["name"].as_str().unwrap().contains("without iv");
            return length(&wanted["encrypted"]) == length(&got["encrypted"])
                && (random_iv || wanted["iv"] == got["iv"]);
        }
        if wanted.get("time").is_some() {
            return got["time"]
                .as_str()
                .is_some_and(|time| time.len() == 20 && time.ends_with('Z'));
        }
        if let Some(signature) = got.get("signature") {
            let text = signature.as_str().unwrap();
            let signature = Base64::decode_vec(text).unwrap();
            let right = self.is_signature(exchange, path, &signature);
            // This kind is always the same: the next one over the same message must be.
            if right && signature.len() == 64 && key_of(path) == Some("gen-curve25519") {
                let recorded = wanted["signature"].as_str().unwrap().to_owned();
                self.names.push((recorded, text.to_owned()));
            }
            return right;
        }
        // A key of the device's own making: all but the numbers of its public part.
        let mut wanted = wanted.clone();
        match (wanted["public"].as_object_mut(), got["public"].as_object()) {
            (Some(wanted), Some(got)) => {
                for (name, value) in wanted {
                    if length(value) != got.get(name).map_or(0, length) {
                        return false;
                    }
                    *value = got[name].clone();
                }
            }
            (None, None) => {}
            _ => return false,
        }
        wanted == *got
    }
}

/// Lists are sorted; with other identifiers the order is another one.
fn same_list(wanted: &[Value], got: &[Value]) -> bool {
    let sorted = |values: &[Value]| {
        let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    let ours: Vec<String> = got.iter().map(Value::to_string).collect();
    sorted(wanted) == sorted(got) && ours == sorted(got)
}

/// The counters of what was sent must be the same; those of the device's inside are other ones.
fn same_metrics(wanted: &str, got: &str) -> Option<()> {
    let read = |text: &str| serde_json::from_str::<BTreeMap<String, String>>(text).ok();
    let (wanted, got) = (read(wanted)?, read(got)?);
    let counted = |name: &str| {
        let key = ["generate", "sign", "decrypt", "encrypt"].contains(&name);
        key || name.starts_with("http response ") && name != "http response time"
    };
    for (name, value) in &wanted {
        let ours = got.get(name)?;
        if counted(name) && ours != value {
            println!("metrics: {name} is {ours} instead of {value}");
            return None;
        }
    }
    (wanted.len() == got.len()).then_some(())
}
