//! What is sent in place of what was recorded.

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use super::{Judge, key_of};
use crate::{octets, openssl};

impl Judge {
    /// The body to send: with the simulator's own backup, and what is encrypted for its own keys.
    pub(crate) fn body(&self, exchange: &Value, body: Vec<u8>) -> Vec<u8> {
        let seq = exchange["seq"].as_u64().unwrap();
        let path = exchange["request"]["path"].as_str().unwrap();
        if path.ends_with("/system/restore") && seq < 492 {
            return self.with_own_backup(body);
        }
        let Ok(text) = String::from_utf8(body.clone()) else {
            return body;
        };
        let text = self.ours(&text);
        if let (Some("gen-rsa"), true) = (key_of(path), path.ends_with("/decrypt"))
            && let Some(text) = self.for_own_key(exchange, &text)
        {
            return text.into_bytes();
        }
        text.into_bytes()
    }

    /// The recorded form with the simulator's backup, cut and spoilt where the recorded one is.
    fn with_own_backup(&self, body: Vec<u8>) -> Vec<u8> {
        let Some((recorded, ours)) = &self.backup else {
            return body;
        };
        let Some(start) = find(&body, b"_NETHSM_BACKUP_") else {
            return body;
        };
        let end = start + find(&body[start..], b"\r\n------record").unwrap();
        let sent = &body[start..end];
        if sent.len() < recorded.len() {
            return [&body[..start], &ours[..sent.len()], &body[end..]].concat();
        }
        // Spoilt octets are counted from the end: the simulator's backup has another length.
        let mut file = ours.clone();
        let pairs = sent.iter().rev().zip(recorded.iter().rev());
        for (own, (sent, recorded)) in file.iter_mut().rev().zip(pairs) {
            if sent != recorded {
                *own = *sent;
            }
        }
        [&body[..start], &file, &body[end..]].concat()
    }

    /// What the recorded plaintext is for the simulator's key.
    fn for_own_key(&self, exchange: &Value, text: &str) -> Option<String> {
        let answer: Value = serde_json::from_slice(&octets(&exchange["response"]["body"])?).ok()?;
        let plain = Base64::decode_vec(answer["decrypted"].as_str()?).ok()?;
        let mut request: Value = serde_json::from_str(text).ok()?;
        let mode = request["mode"].as_str()?.to_owned();
        let hash = format!(
            "rsa_oaep_md:{}",
            mode.trim_start_matches("OAEP_").to_lowercase()
        );
        let mgf = format!(
            "rsa_mgf1_md:{}",
            mode.trim_start_matches("OAEP_").to_lowercase()
        );
        let options: &[&str] = match mode.as_str() {
            "PKCS1" => &["-pkeyopt", "rsa_padding_mode:pkcs1"],
            "RAW" => &["-pkeyopt", "rsa_padding_mode:none"],
            _ => &[
                "-pkeyopt",
                "rsa_padding_mode:oaep",
                "-pkeyopt",
                &hash,
                "-pkeyopt",
                &mgf,
            ],
        };
        let block = openssl::encrypted(self.public.get("gen-rsa")?, &plain, options);
        request["encrypted"] = Value::String(Base64::encode_string(&block));
        Some(request.to_string())
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
