//! Whether what the simulator has signed is a signature by its key.

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use super::{Judge, key_of};
use crate::client::Client;
use crate::{octets, openssl};

impl Judge {
    /// Asks for the keys that the recorded client did not ask for, and verifies what they signed.
    pub(crate) fn verify_the_rest(&mut self, client: &Client) -> Vec<String> {
        let mut problems = Vec::new();
        for (exchange, signature) in std::mem::take(&mut self.unverified) {
            let request = &exchange["request"];
            let path = request["path"].as_str().unwrap();
            let key = key_of(path).unwrap();
            let login = request["headers"]["Authorization"].as_str().unwrap();
            let login = ("Authorization".to_owned(), login.to_owned());
            let asked = format!("/api/v1/keys/{key}/public.pem");
            let received = client.send("GET", &asked, &[login], None);
            self.public.insert(key.to_owned(), received.text());
            if !self.is_signature(&exchange, path, &signature) {
                problems.push(format!("{}: wrong signature", exchange["seq"]));
            }
        }
        problems
    }

    pub(super) fn is_signature(&mut self, exchange: &Value, path: &str, signature: &[u8]) -> bool {
        let request = octets(&exchange["request"]["body"]).unwrap();
        let request: Value = serde_json::from_slice(&request).unwrap();
        let message = Base64::decode_vec(request["message"].as_str().unwrap()).unwrap();
        let key = key_of(path).unwrap();
        let Some(public) = self.public.get(key) else {
            self.unverified.push((exchange.clone(), signature.to_vec()));
            return true;
        };
        let mode = request["mode"].as_str().unwrap();
        let digest = format!("digest:{}", mode.trim_start_matches("PSS_").to_lowercase());
        let options: &[&str] = match mode {
            "PKCS1" => &["-pkeyopt", "rsa_padding_mode:pkcs1"],
            // OpenSSL's program does not take an empty file for a message.
            "EdDSA" if message.is_empty() => return is_ed25519(public, signature),
            "EdDSA" => &["-rawin"],
            "ECDSA" => &[],
            "BIP340" => return is_bip340(public, &message, signature),
            _ => &[
                "-pkeyopt",
                "rsa_padding_mode:pss",
                "-pkeyopt",
                &digest,
                "-pkeyopt",
                "rsa_pss_saltlen:digest",
            ],
        };
        openssl::verifies(public, &message, signature, options)
    }
}

/// Whether `signature` is one of nothing.
fn is_ed25519(public: &str, signature: &[u8]) -> bool {
    let body: String = public
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = Base64::decode_vec(&body).unwrap();
    let key = der.last_chunk().unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).unwrap();
    key.verify_strict(&[], &signature.try_into().unwrap())
        .is_ok()
}

fn is_bip340(public: &str, message: &[u8], signature: &[u8]) -> bool {
    use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
    let body: String = public
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = Base64::decode_vec(&body).unwrap();
    // The last 64 octets are the point's coordinates, of which BIP 340 knows the first.
    let x = &der[der.len() - 64..der.len() - 32];
    let key = k256::schnorr::VerifyingKey::from_bytes(x).unwrap();
    let signature = k256::schnorr::Signature::try_from(signature).unwrap();
    key.verify_prehash(message, &signature).is_ok()
}
