//! The client by itself: what it says, and what it keeps to itself.

use signstar_nethsm::client::{Address, ClientError, Outcome};
use signstar_nethsm::sdk::apis::default_api::{
    keys_get, keys_key_id_get, keys_key_id_restrictions_tags_tag_put,
};
use signstar_testkit::nethsm::{ADMIN, NetHsm, PASSPHRASE};

#[test]
fn the_devices_own_words_stand_beside_the_error() {
    let device = NetHsm::start();
    let key = device.generate("ed25519");
    device
        .administrate(|admin| {
            admin.call(|at| keys_key_id_restrictions_tags_tag_put(at, "others", &key))
        })
        .unwrap();
    use signstar_nethsm::sdk::apis::default_api::keys_key_id_sign_post;
    use signstar_nethsm::sdk::models::{SignMode, SignRequestData};
    let mut operator = device.client(&device.operator, PASSPHRASE);
    let request = SignRequestData::new(SignMode::EdDsa, "AAAA".to_owned());
    let refused = operator
        .call(|at| keys_key_id_sign_post(at, &key, request))
        .unwrap_err();
    assert_eq!(refused.message(), Some("tags restriction not met"));
    assert!(!refused.to_string().contains("tags restriction"));
}

#[test]
fn nothing_to_change_is_said() {
    let device = NetHsm::start();
    let key = device.generate("ed25519");
    for expected in [Outcome::Done, Outcome::Unchanged] {
        let answer = device
            .administrate(|admin| {
                admin.call(|at| keys_key_id_restrictions_tags_tag_put(at, "builders", &key))
            })
            .unwrap();
        assert_eq!(answer.outcome, expected);
    }
}

/// Before version 5 a device sends a body along, which must not be taken for the next answer.
#[test]
fn a_body_where_there_must_be_none_does_no_harm() {
    use signstar_nethsm_simulator::{DeviceOptions, Options, Simulator};
    let options = Options {
        device: DeviceOptions {
            body_with_304: true,
            ..DeviceOptions::default()
        },
        ..Options::default()
    };
    let device = NetHsm::of(Simulator::start(options).unwrap());
    let key = device.generate("ed25519");
    for _ in 0..3 {
        device.administrate(|admin| {
            admin
                .call(|at| keys_key_id_restrictions_tags_tag_put(at, "builders", &key))
                .unwrap();
            let read = admin.call(|at| keys_key_id_get(at, &key)).unwrap();
            assert_eq!(read.value.operations, 0);
        });
    }
}

#[test]
fn a_client_and_its_configuration_show_no_passphrase() {
    let device = NetHsm::simulated();
    let mut client = device.client(ADMIN.0, ADMIN.1);
    let shown = format!("{client:?} {:?}", device.settings("key"));
    assert!(shown.contains(ADMIN.0), "{shown}");
    assert!(
        !shown.contains(ADMIN.1) && !shown.contains(PASSPHRASE),
        "{shown}"
    );
    client.call(|at| keys_get(at, None, None)).unwrap();
}

#[test]
fn connections_are_used_again() {
    let device = NetHsm::simulated();
    let before = device.simulator().connections();
    let mut client = device.client(ADMIN.0, ADMIN.1);
    for _ in 0..10 {
        client.call(|at| keys_get(at, None, None)).unwrap();
    }
    assert_eq!(device.simulator().connections(), before + 1);
}

#[test]
fn addresses_are_read_as_people_write_them() {
    for (text, read) in [
        ("192.0.2.1", "192.0.2.1:443"),
        ("192.0.2.1:8443", "192.0.2.1:8443"),
        ("[2001:db8::1]", "[2001:db8::1]:443"),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ("hsm.example.org", "hsm.example.org:443"),
        ("https://192.0.2.1:8443/api/v1", "192.0.2.1:8443"),
        ("https://192.0.2.1/api/v1/", "192.0.2.1:443"),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), read);
    }
    for text in [
        "",
        ":443",
        "a:0",
        "a:65536",
        "a:+1",
        "a b",
        "http://a",
        "a/b",
        "2001:db8::1",
        "[::1",
        "[a]:1",
        "user@a",
        "a:",
        "[::1]1",
        "é",
    ] {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
    let name: Address = "no-such-host.invalid".parse().unwrap();
    assert_eq!(name.ip(), None);
    assert!(matches!(name.resolve(), Err(ClientError::Unreachable(_))));
}
