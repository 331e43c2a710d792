use signstar_core::Hasher;

use super::*;

const TEXT: &[u8] = b"this is sample text";

fn state() -> Vec<u8> {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(TEXT).unwrap();
    hasher.export().bytes
}

fn request() -> Value {
    json!({
        "version": "1.0.0",
        "required": {
            "input": { "type": "sha2-0.11-SHA512-state", "content": state() },
            "output": { "type": "OpenPGPv4" },
        },
        "optional": { "request-time": 1_728_913_277, "anything": [{}] },
    })
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<HashState, Failure> {
    let mut request = request();
    change(&mut request);
    read(request.to_string().as_bytes())
}

/// What is said of a request that is not taken.
fn refused(change: impl FnOnce(&mut Value)) -> String {
    changed(change).map(|_| ()).unwrap_err().text
}

#[test]
fn the_state_comes_out_as_the_client_has_sent_it() {
    let read = changed(|_| ()).unwrap();
    assert_eq!(read.bytes, state());
    assert_eq!(Hasher::resume(&read, 19).unwrap().bytes(), 19);
}

#[test]
fn states_of_earlier_clients_are_the_same_without_two_bytes() {
    let earlier = |length: u8, last: u8| {
        let mut earlier = state();
        earlier.insert(80, length);
        earlier.push(last);
        changed(|request| request["required"]["input"]["content"] = json!(earlier)).unwrap()
    };
    assert_eq!(earlier(64, 0).bytes, state());
    for (length, last) in [(48, 0), (64, 1)] {
        let other = earlier(length, last);
        assert_eq!(other.bytes.len(), 210);
        assert!(Hasher::resume(&other, u64::MAX).is_err());
    }
}

#[test]
fn versions_are_told_apart_by_their_first_number() {
    for version in ["1.0.0", "1.7.13", "1.0.0-rc.1", "1.2.0+build"] {
        assert!(changed(|request| request["version"] = json!(version)).is_ok());
    }
    for version in [
        "2.0.0", "0.9.0", "1", "1.0", "1.0.0.0", "1.a.0", "", "v1.0.0", "-1.0.0",
    ] {
        let said = refused(|request| request["version"] = json!(version));
        assert_eq!(said, "the request is not of version 1", "{version}");
    }
}

#[test]
fn whatever_is_required_must_be_understood() {
    let changes: [fn(&mut Value); 9] = [
        |required| required["input"]["type"] = json!("sha2-0.11-SHA256-state"),
        |required| required["output"]["type"] = json!("OpenPGPv6"),
        |required| required["deadline"] = json!("now"),
        |required| required["input"]["salt"] = json!([1]),
        |required| required["output"]["armor"] = json!(false),
        |required| required["input"]["content"] = json!([256]),
        |required| required["input"]["content"] = json!([-1]),
        |required| required["input"]["content"] = json!("00"),
        |required| *required = json!({}),
    ];
    for change in changes {
        assert_eq!(
            refused(|request| change(&mut request["required"])),
            REQUIRED
        );
    }
}

#[test]
fn something_else_is_no_request() {
    for name in ["version", "required", "optional"] {
        let said = refused(|request| {
            request.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(said, FORM);
    }
    assert_eq!(refused(|request| request["optional"] = json!([])), FORM);
    for bytes in [&b""[..], b"{", b"[]", b"null", b"\xff"] {
        assert_eq!(read(bytes).unwrap_err().text, FORM);
    }
}
