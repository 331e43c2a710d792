//! Knobs, and corners of the interface that the recordings do not show.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::device::{ADMIN, Device, OPERATOR, SIGN, UNLOCK};
use base64ct::{Base64, Encoding as _};
use serde_json::Value;
use signstar_nethsm_simulator::{DeviceOptions, Options, Version};

fn with(device: DeviceOptions) -> Options {
    Options {
        device,
        ..Options::default()
    }
}

#[test]
fn version_4_knows_no_labels_and_no_learners() {
    let device = Device::provisioned(with(DeviceOptions {
        version: Version::V4_0,
        ..DeviceOptions::default()
    }));
    let body = r#"{"mechanisms":["EdDSA_Signature"],"type":"Curve25519","label":"x"}"#;
    assert_eq!(device.status(ADMIN, "POST keys/generate", body), 400);
    assert_eq!(
        device.json(ADMIN, "GET system/info")["softwareVersion"],
        "4.0"
    );
    let members = device.json(ADMIN, "GET cluster/members");
    assert!(members[0].get("learner").is_none() && members[0].get("id").is_some());
}

#[test]
fn old_firmware_sends_a_body_with_304() {
    for (quirk, bodies) in [(false, 0), (true, 1)] {
        let device = Device::provisioned(with(DeviceOptions {
            body_with_304: quirk,
            ..DeviceOptions::default()
        }));
        let tag = "PUT users/operator/tags/berlin";
        assert_eq!(device.status(ADMIN, tag, ""), 204);
        let login = Base64::encode_string(ADMIN.as_bytes());
        let request = format!(
            "PUT /api/v1/users/operator/tags/berlin HTTP/1.1\r\nHost: x\r\n\
             Authorization: Basic {login}\r\nContent-Length: 0\r\n\r\n"
        );
        // The connection goes on after it.
        let answers = device.client.send_raw(request.repeat(2).as_bytes());
        let answers = String::from_utf8(answers).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 304").count(), 2, "{answers}");
        let found = answers.matches("{\"message\":\"\"}").count();
        assert_eq!(found, 2 * bodies, "{answers}");
    }
}

#[test]
fn http_leads_to_https() {
    let device = Device::start(Options {
        listen_http: Some(([127, 0, 0, 1], 0).into()),
        ..Options::default()
    });
    let mut stream = TcpStream::connect(device.running.http_address().unwrap()).unwrap();
    let request = b"GET /api/v1/info?x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 301 "), "{text}");
    let place = format!(
        "location: https://{}/api/v1/info?x=1\r\n",
        device.running.address()
    );
    assert!(text.contains(&place), "{text}");
}

#[test]
fn exchanges_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exchanges");
    let device = Device::provisioned(Options {
        record: Some(path.clone()),
        ..Options::default()
    });
    assert_eq!(device.status(OPERATOR, "POST keys/ed/sign", SIGN), 200);
    let text = std::fs::read_to_string(path).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(text.lines().count(), 4);
    assert_eq!(last["request"]["body"]["text"], SIGN);
    assert_eq!(last["response"]["status"], 200);
}

/// OpenSSL verifies what the server signs the handshake with.
#[test]
fn every_type_of_tls_key_is_presented_at_once() {
    let device = Device::provisioned(Options::default());
    for (key_type, wanted) in [
        (r#"{"type":"RSA","length":2048}"#, "rsa"),
        (r#"{"type":"RSA","length":1024}"#, "rsa"),
        (r#"{"type":"Curve25519"}"#, "ed25519"),
        (r#"{"type":"EC_P384"}"#, "ecdsa"),
        (r#"{"type":"EC_P521"}"#, "ecdsa"),
        (r#"{"type":"EC_P256"}"#, "ecdsa"),
    ] {
        let before = device.running.fingerprint();
        assert_eq!(
            device.status(ADMIN, "POST config/tls/generate", key_type),
            204
        );
        assert_ne!(device.running.fingerprint(), before);
        let output = Command::new("openssl")
            .args(["s_client", "-cipher", "DEFAULT@SECLEVEL=0", "-connect"])
            .arg(device.running.address().to_string())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{key_type}: {error}");
        let signed = text
            .lines()
            .find(|line| line.starts_with("peer signature type"));
        assert!(signed.unwrap().contains(wanted), "{key_type}: {text}");
        assert!(text.contains("keyfender"));
    }
}

#[test]
fn what_is_too_long_or_of_no_use_is_refused_in_order() {
    let device = Device::provisioned(Options::default());
    let long = "x".repeat(1024 * 1024 + 1);
    assert_eq!(device.status(ADMIN, "POST users", &long), 413);
    // Who may not is not told how much they might.
    assert_eq!(device.status(OPERATOR, "POST users", &long), 403);
    assert_eq!(device.status("", "POST users", &long), 401);
    let address = format!("GET info?{}", "x".repeat(2000));
    assert_eq!(device.status("", &address, ""), 414);
    assert_eq!(device.status(ADMIN, "DELETE info", ""), 405);
    assert_eq!(device.status(ADMIN, "GET nothing", ""), 404);
    let large = format!(
        r#"{{"mode":"EdDSA","message":"{}"}}"#,
        "AAAA".repeat(500_000)
    );
    assert_eq!(device.status(OPERATOR, "POST keys/ed/sign", &large), 200);
    assert_eq!(device.status(ADMIN, "POST lock", ""), 204);
    assert_eq!(device.status("", "POST users", &long), 412);
    assert_eq!(device.status("", "POST unlock", UNLOCK), 204);
}

#[test]
fn a_namespace_keeps_to_itself() {
    let device = Device::provisioned(Options::default());
    device.add_user("ns~admin", "Administrator", "nadminnadmin");
    let ns_admin = "ns~admin:nadminnadmin";
    assert_eq!(device.status(ns_admin, "GET keys", ""), 403);
    assert_eq!(device.status(ADMIN, "PUT namespaces/ns", ""), 204);
    let body = r#"{"mechanisms":["EdDSA_Signature"],"type":"Curve25519","id":"ed"}"#;
    assert_eq!(device.status(ns_admin, "POST keys/generate", body), 201);
    let of = |user: &str| device.json(user, "GET keys/ed")["public"].clone();
    assert_ne!(of(ns_admin), of(ADMIN));
    // An administrator of none may look at its users and do nothing to them.
    assert_eq!(device.status(ADMIN, "GET users/ns~admin", ""), 200);
    assert_eq!(device.status(ADMIN, "DELETE users/ns~admin", ""), 403);
    let passphrase = r#"{"passphrase":"anotheranother"}"#;
    assert_eq!(
        device.status(ADMIN, "POST users/ns~admin/passphrase", passphrase),
        403
    );
    assert_eq!(device.status(ns_admin, "GET config/time", ""), 403);
    assert_eq!(device.status(ADMIN, "DELETE namespaces/ns", ""), 204);
    assert_eq!(device.status(ns_admin, "GET keys", ""), 403);
    assert_eq!(device.status(ADMIN, "PUT namespaces/ns", ""), 204);
    assert_eq!(device.json(ns_admin, "GET keys"), Value::Array(Vec::new()));
}
