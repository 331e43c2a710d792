//! What is the same and what is not: the values of the simulator that stand for recorded ones, and
//! the comparison of answers.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use crate::client::{Client, Received};
use crate::{octets, openssl};

/// Headers that are compared; the others are of the connection and of the time.
const COMPARED: [&str; 8] = [
    "content-type",
    "vary",
    "cache-control",
    "www-authenticate",
    "allow",
    "location",
    "etag",
    "transfer-encoding",
];
/// The first exchange after the recorded keys and users came back with a restored backup.
const RESTORED: u64 = 494;

/// What was learned from the simulator's answers.
#[derive(Default)]
pub(crate) struct Judge {
    /// Recorded identifiers, tags and ciphertexts, and the simulator's.
    names: Vec<(String, String)>,
    /// Public keys by name, PEM.
    public: BTreeMap<String, String>,
    backup: Option<(Vec<u8>, Vec<u8>)>,
    /// Signatures by keys that nobody asked for yet: the exchange, and the signature.
    unverified: Vec<(Value, Vec<u8>)>,
}

impl Judge {
    /// `text` with the simulator's values in place of recorded ones.
    pub(crate) fn ours(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (recorded, ours) in &self.names {
            text = text.replace(recorded, ours);
        }
        text
    }

    pub(crate) fn header(&self, name: &str, value: &str) -> String {
        match name {
            "If-None-Match" => self.ours(value),
            _ => value.to_owned(),
        }
    }

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

    /// What differs.
    pub(crate) fn compare(&mut self, exchange: &Value, received: &Received) -> Vec<String> {
        let response = &exchange["response"];
        let mut problems = Vec::new();
        let status = response["status"].as_u64().unwrap();
        if u64::from(received.status) != status {
            let body = received.text();
            problems.push(format!(
                "status {} instead of {status} {body}",
                received.status
            ));
            return problems;
        }
        let seq = exchange["seq"].as_u64().unwrap();
        if seq == RESTORED {
            self.names.clear();
            self.public.clear();
        }
        let body = octets(&response["body"]).unwrap_or_default();
        self.learn(exchange, &body, received);
        self.compare_headers(response, received, &mut problems);
        if let Err(problem) = self.compare_bodies(exchange, &body, received) {
            problems.push(format!("body: {problem}"));
        }
        problems
    }

    fn learn(&mut self, exchange: &Value, recorded: &[u8], received: &Received) {
        let response = &exchange["response"];
        let path = exchange["request"]["path"].as_str().unwrap();
        let json = |octets: &[u8]| serde_json::from_slice::<Value>(octets).unwrap_or(Value::Null);
        let (recorded_json, ours) = (json(recorded), json(&received.body));
        // Identifiers that the device chose, and what it encrypted with a key of its own making.
        let own = key_of(path).is_some_and(|key| key.starts_with("gen-"));
        for field in ["id", "encrypted"] {
            let is_random = |text: &str| match field {
                "id" => is_chosen(text),
                _ => own,
            };
            if let (Some(recorded), Some(ours)) =
                (recorded_json[field].as_str(), ours[field].as_str())
                && recorded.len() == ours.len()
                && is_random(recorded)
                && is_random(ours)
            {
                self.names.push((recorded.to_owned(), ours.to_owned()));
            }
        }
        let etag = recorded_headers(response)
            .into_iter()
            .find(|(name, _)| name == "etag");
        if let (Some((_, recorded)), Some(ours)) = (etag, received.header("etag")) {
            let bare = |tag: &str| tag.trim_matches('"').to_owned();
            let (recorded, ours) = (bare(&recorded), bare(ours));
            // Those of what is stored are hashes of ciphertexts, the others of what is shown.
            if recorded.len() == 128 && ours.len() == 128 {
                self.names.push((recorded, ours));
            }
        }
        if path.ends_with("/system/backup") && received.status == 200 {
            self.backup = Some((recorded.to_vec(), received.body.clone()));
        }
        if let (Some(key), true) = (
            key_of(path),
            path.ends_with("/public.pem") && received.status == 200,
        ) {
            self.public.insert(key.to_owned(), received.text());
        }
    }

    fn compare_headers(&self, response: &Value, received: &Received, problems: &mut Vec<String>) {
        let recorded = recorded_headers(response);
        for name in COMPARED {
            let wanted = recorded.iter().find(|(header, _)| header == name);
            let wanted = wanted.map(|(_, value)| self.ours(value));
            let got = received.header(name).map(str::to_owned);
            if wanted != got {
                problems.push(format!("header {name}: {got:?} instead of {wanted:?}"));
            }
        }
        // What has another ETag on the device has another one here.
        let got = received.header("etag").unwrap_or_default();
        let got = got.trim_matches('"');
        let mut meanings = self.names.iter().filter(|(_, ours)| ours == got);
        if let Some((first, _)) = meanings.next()
            && meanings.any(|(other, _)| other != first)
        {
            problems.push("header etag: it has not changed".to_owned());
        }
    }

    fn compare_bodies(
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

    fn is_signature(&mut self, exchange: &Value, path: &str, signature: &[u8]) -> bool {
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

    /// What differs in octets of a connection; names of headers in any case and order.
    pub(crate) fn raw(&self, recorded: &str, received: &[u8]) -> Vec<String> {
        let received = String::from_utf8_lossy(received);
        let (wanted, got) = (answers(&self.ours(recorded)), answers(&received));
        if wanted.len() != got.len() {
            return vec![format!("{received:?} instead of {recorded:?}")];
        }
        let mut problems = Vec::new();
        for (wanted, got) in wanted.into_iter().zip(got) {
            if wanted.0 != got.0 {
                problems.push(format!("first line {:?} instead of {:?}", got.0, wanted.0));
            }
            if wanted.1 != got.1 {
                problems.push(format!("headers {:?} instead of {:?}", got.1, wanted.1));
            }
            if wanted.2 != got.2 {
                problems.push(format!("body {:?} instead of {:?}", got.2, wanted.2));
            }
        }
        problems
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

/// Whether an identifier is one that the device chose: 20 hexadecimal digits, in a namespace or not.
fn is_chosen(id: &str) -> bool {
    let id = id.split_once('~').map_or(id, |(_, id)| id);
    id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The key that a path is about.
fn key_of(path: &str) -> Option<&str> {
    path.strip_prefix("/api/v1/keys/")?.split('/').next()
}

fn recorded_headers(response: &Value) -> Vec<(String, String)> {
    let headers = response["headers"].as_array().unwrap().iter();
    headers
        .map(|header| {
            let name = header[0].as_str().unwrap().to_lowercase();
            (name, header[1].as_str().unwrap().to_owned())
        })
        .collect()
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

type Answer = (String, Vec<String>, String);

/// First line, headers in lower case and order, and body of each answer.
fn answers(text: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap().to_owned();
        let mut headers: Vec<String> = lines
            .map(str::to_lowercase)
            .filter(|line| !line.starts_with("date:"))
            .collect();
        headers.sort();
        let length = headers
            .iter()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let (body, next) = after.split_at(length);
        answers.push((first, headers, body.to_owned()));
        rest = next;
    }
    answers
}
