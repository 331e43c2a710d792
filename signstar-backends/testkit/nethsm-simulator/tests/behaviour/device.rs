//! A provisioned device with an operator, and requests to it in one line.

use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use serde_json::Value;
use signstar_nethsm_simulator::{Options, Running, Simulator, State};

use crate::client::{Client, Received};

pub(crate) const ADMIN: &str = "admin:adminadmin";
pub(crate) const OPERATOR: &str = "operator:operatorop";
pub(crate) const UNLOCK: &str = r#"{"passphrase":"unlockunlock"}"#;
pub(crate) const SIGN: &str = r#"{"mode":"EdDSA","message":"aGVsbG8="}"#;

pub(crate) struct Device {
    pub(crate) running: Running,
    pub(crate) client: Client,
}

impl Device {
    /// A device that is new.
    pub(crate) fn start(options: Options) -> Self {
        let running = Simulator::start(options).unwrap();
        let client = Client::new(running.address());
        Self { running, client }
    }

    /// One that has an operator and the key `ed`.
    pub(crate) fn provisioned(options: Options) -> Self {
        let device = Self::start(options);
        device.provision();
        device
    }

    pub(crate) fn provision(&self) {
        let body = r#"{"unlockPassphrase":"unlockunlock","adminPassphrase":"adminadmin",
            "systemTime":"2026-11-22T09:12:29Z"}"#;
        assert_eq!(self.ask("", "POST provision", body).status, 204);
        self.add_user("operator", "Operator", "operatorop");
        let body = r#"{"mechanisms":["EdDSA_Signature"],"type":"Curve25519","id":"ed"}"#;
        assert_eq!(self.ask(ADMIN, "POST keys/generate", body).status, 201);
    }

    pub(crate) fn add_user(&self, name: &str, role: &str, passphrase: &str) {
        let body = format!(r#"{{realName:"x",role:"{role}",passphrase:"{passphrase}"}}"#);
        let received = self.ask(ADMIN, &format!("PUT users/{name}"), &body);
        assert_eq!(received.status, 201, "{}", received.text());
    }

    fn headers(user: &str, body: &str) -> Vec<(String, String)> {
        let header = |name: &str, value: String| (name.to_owned(), value);
        let mut headers = Vec::new();
        if !user.is_empty() {
            let login = Base64::encode_string(user.as_bytes());
            headers.push(header("Authorization", format!("Basic {login}")));
        }
        if !body.is_empty() {
            headers.push(header("Content-Type", "application/json".to_owned()));
        }
        headers
    }

    /// The answer to `METHOD path`.
    pub(crate) fn ask(&self, user: &str, what: &str, body: &str) -> Received {
        self.try_ask(user, what, body).unwrap()
    }

    /// The same by another client, for what is asked at the same time.
    pub(crate) fn ask_by(client: &Client, user: &str, what: &str, body: &str) -> Received {
        let (method, path) = what.split_once(' ').unwrap();
        let path = format!("/api/v1/{path}");
        let headers = Self::headers(user, body);
        let body = (!body.is_empty()).then_some(body.as_bytes());
        client.send(method, &path, &headers, body)
    }

    pub(crate) fn try_ask(&self, user: &str, what: &str, body: &str) -> std::io::Result<Received> {
        let (method, path) = what.split_once(' ').unwrap();
        let path = format!("/api/v1/{path}");
        let headers = Self::headers(user, body);
        let body = (!body.is_empty()).then_some(body.as_bytes());
        self.client.try_send(method, &path, &headers, body)
    }

    /// Sends octets as they are.
    pub(crate) fn send(&self, user: &str, path: &str, media: &str, body: &[u8]) -> Received {
        let mut headers = Self::headers(user, "");
        headers.push(("Content-Type".to_owned(), media.to_owned()));
        let path = format!("/api/v1/{path}");
        self.client.send("POST", &path, &headers, Some(body))
    }

    /// Puts a PEM file.
    pub(crate) fn pem(client: &Client, user: &str, path: &str, pem: &str) -> Received {
        let mut headers = Self::headers(user, "");
        let media = "application/x-pem-file".to_owned();
        headers.push(("Content-Type".to_owned(), media));
        let path = format!("/api/v1/{path}");
        client.send("PUT", &path, &headers, Some(pem.as_bytes()))
    }

    /// Switches it on again.
    pub(crate) fn power_on(&self) {
        self.running.power_on();
        self.client.forget();
    }

    /// Waits until it is in a state: it restarts.
    pub(crate) fn wait_for(&self, state: State) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.running.state() != state || !self.client.is_listening() {
            assert!(Instant::now() < until, "{:?}", self.running.state());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.client.forget();
    }

    pub(crate) fn status(&self, user: &str, what: &str, body: &str) -> u16 {
        self.ask(user, what, body).status
    }

    pub(crate) fn json(&self, user: &str, what: &str) -> Value {
        serde_json::from_slice(&self.ask(user, what, "").body).unwrap()
    }
}
