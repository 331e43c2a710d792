//! One key on several devices: what is asked of which, and that nothing is asked twice unseen.

use std::time::Duration;

use signstar_core::SignerError;
use signstar_nethsm::{Order, Settings};
use signstar_nethsm_simulator::Fault;
use signstar_testkit::nethsm::{NetHsm, PASSPHRASE, credentials};

use crate::support::{READ, SIGN, digest, kind, signs};

const KEY: &str = "packages";
const SEED: [u8; 32] = [7; 32];

/// Devices with the same key and operator, and how the key is reached on all of them.
fn replicas(count: usize) -> (Vec<NetHsm>, Settings) {
    let devices: Vec<NetHsm> = (0..count).map(|_| NetHsm::simulated()).collect();
    for device in &devices {
        device.import(KEY, &SEED);
        device.add_operator("signer");
    }
    let labels = ["first", "second", "third"];
    let places = devices.iter().zip(labels);
    let settings = Settings {
        key: KEY.to_owned(),
        devices: places.map(|(device, label)| device.device(label)).collect(),
        credentials: credentials("signer", PASSPHRASE),
        order: Order::Listed,
        connect_wait: Duration::from_secs(2),
        wait: Duration::from_secs(5),
    };
    (devices, settings)
}

fn uses(devices: &[NetHsm]) -> Vec<u64> {
    devices
        .iter()
        .map(|device| device.simulator().key_uses(KEY))
        .collect()
}

#[test]
fn devices_are_asked_in_the_order_of_the_list_or_in_turn() {
    let (devices, mut settings) = replicas(3);
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    for _ in 0..3 {
        signs(opened.signer.as_mut());
    }
    assert_eq!(uses(&devices), [3, 0, 0]);
    settings.order = Order::RoundRobin(1);
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    for _ in 0..4 {
        signs(opened.signer.as_mut());
    }
    assert_eq!(uses(&devices), [4, 2, 1]);
}

#[test]
fn two_of_three_devices_may_be_down() {
    let (devices, settings) = replicas(3);
    devices[0].simulator().power_off();
    devices[1].simulator().power_off();
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    signs(opened.signer.as_mut());
    assert_eq!(uses(&devices), [0, 0, 1]);
    devices[2].simulator().power_off();
    let refused = signstar_nethsm::open(&settings).err().unwrap();
    assert_eq!(kind(&refused), "unavailable");
    assert!(
        refused.to_string().contains("cannot be reached"),
        "{refused}"
    );
    for label in ["first", "second", "third"] {
        assert!(refused.to_string().contains(label), "{refused}");
    }
}

/// What makes the next device worth asking is said first, so that it can be recorded.
#[test]
fn another_device_is_asked_when_asked_again_and_never_before() {
    for fault in [
        Fault::Status(412, String::new()),
        Fault::Status(429, String::new()),
        Fault::Status(500, String::new()),
        Fault::Status(503, "nonsense".to_owned()),
        Fault::Status(401, String::new()),
        Fault::CloseBefore,
        Fault::CloseAfter,
        Fault::Cut,
    ] {
        let (devices, settings) = replicas(2);
        let mut opened = signstar_nethsm::open(&settings).unwrap();
        let first = devices[0].simulator();
        first.fail_next(Some(SIGN), fault.clone(), 1);
        let refused = opened.signer.sign(&digest("signed")).unwrap_err();
        assert_eq!(kind(&refused), "again", "{fault:?}: {refused}");
        assert!(refused.to_string().contains("first"), "{refused}");
        assert_eq!(devices[1].simulator().requests(SIGN), 0, "{fault:?}");
        assert_eq!(signs(opened.signer.as_mut()), Some(1), "{fault:?}");
        let asked = devices
            .iter()
            .map(|device| device.simulator().requests(SIGN));
        assert_eq!(asked.collect::<Vec<_>>(), [1, 1], "{fault:?}");
    }
}

#[test]
fn the_list_goes_on_with_the_device_that_has_answered() {
    let (devices, settings) = replicas(3);
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    let fault = Fault::Status(412, String::new());
    devices[0].simulator().fail_next(Some(SIGN), fault, 1);
    let refused = opened.signer.sign(&digest("signed")).unwrap_err();
    assert_eq!(kind(&refused), "again");
    for _ in 0..3 {
        signs(opened.signer.as_mut());
    }
    assert_eq!(uses(&devices), [0, 3, 0]);
}

/// The time is for all devices together: where the first has used it up, nobody is asked again.
#[test]
fn a_round_ends_with_its_time() {
    let (devices, mut settings) = replicas(2);
    settings.wait = Duration::from_secs(1);
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    let fault = Fault::Delay(Duration::from_secs(4));
    devices[0].simulator().fail_next(Some(SIGN), fault, 1);
    let refused = opened.signer.sign(&digest("x")).unwrap_err();
    assert_eq!(kind(&refused), "unavailable", "{refused}");
    assert_eq!(devices[1].simulator().requests(SIGN), 0);
}

#[test]
fn what_no_other_device_would_do_better_ends_at_once() {
    for status in [400, 403, 404, 413, 302] {
        let (devices, settings) = replicas(2);
        let before = devices[1].simulator().all_requests();
        let mut opened = signstar_nethsm::open(&settings).unwrap();
        let fault = Fault::Status(status, String::new());
        devices[0].simulator().fail_next(Some(SIGN), fault, 1);
        let refused = opened.signer.sign(&digest("x")).unwrap_err();
        assert_ne!(kind(&refused), "again", "{status}");
        assert_eq!(devices[1].simulator().all_requests(), before, "{status}");
    }
}

#[test]
fn all_devices_are_asked_once_and_the_last_one_ends_it() {
    let (devices, settings) = replicas(3);
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    for device in &devices {
        let fault = Fault::Status(503, String::new());
        device.simulator().fail_next(Some(SIGN), fault, 1);
    }
    let kinds: Vec<&str> = (0..3)
        .map(|_| kind(&opened.signer.sign(&digest("x")).unwrap_err()))
        .collect();
    assert_eq!(kinds, ["again", "again", "unavailable"]);
    for device in &devices {
        assert_eq!(device.simulator().requests(SIGN), 1);
    }
    // Another digest begins with the first one again.
    signs(opened.signer.as_mut());
    assert_eq!(uses(&devices), [1, 0, 0]);
}

#[test]
fn a_wrong_passphrase_is_sent_to_one_device_only() {
    let (devices, mut settings) = replicas(2);
    settings.credentials = credentials("signer", "Not-The-Passphrase");
    let before = devices[1].simulator().connections();
    let refused = signstar_nethsm::open(&settings).err().unwrap();
    assert_eq!(kind(&refused), "credential");
    assert_eq!(devices[1].simulator().connections(), before);
}

#[test]
fn a_device_that_was_not_looked_at_must_have_the_same_key() {
    let (devices, settings) = replicas(2);
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    use signstar_nethsm::sdk::apis::default_api::keys_key_id_delete;
    devices[1]
        .administrate(|admin| admin.call(|at| keys_key_id_delete(at, KEY)))
        .unwrap();
    devices[1].import(KEY, &[8; 32]);
    let fault = Fault::Status(412, String::new());
    devices[0].simulator().fail_next(Some(SIGN), fault, 1);
    assert_eq!(
        kind(&opened.signer.sign(&digest("x")).unwrap_err()),
        "again"
    );
    let refused = opened.signer.sign(&digest("x")).unwrap_err();
    assert!(matches!(&refused, SignerError::Failed(text) if text.contains("another key")));
    assert_eq!(devices[1].simulator().requests(SIGN), 0, "it was not asked");
}

/// Each place of the list has sockets of its own, so one device can stand there twice.
#[test]
fn a_device_that_is_not_there_is_passed_over_and_a_wrong_certificate_ends_nothing() {
    let device = NetHsm::start();
    let key = device.generate("p256");
    let mut settings = device.settings(&key);
    let here = settings.devices.remove(0);
    let mut away = here.clone();
    away.label = "away".to_owned();
    away.address = "127.0.0.1:1".parse().unwrap();
    let mut another = here.clone();
    another.label = "another".to_owned();
    another.trust = signstar_nethsm::client::Trust::Pin("5a".repeat(32).parse().unwrap());
    settings.devices = vec![away.clone(), another.clone(), here];
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    for counter in 1..=3 {
        assert_eq!(signs(opened.signer.as_mut()), Some(counter));
    }
    settings.devices = vec![away, another];
    let refused = signstar_nethsm::open(&settings).err().unwrap();
    assert!(refused.to_string().contains("does not prove who it is"));
}

/// A restart takes the connection away; the next signature makes another one.
#[test]
fn a_device_that_was_restarted_is_asked_over_a_new_connection() {
    use signstar_nethsm::sdk::apis::default_api::config_unattended_boot_put;
    use signstar_nethsm::sdk::models::{Switch, UnattendedBootConfig};
    let (devices, settings) = replicas(1);
    let on = UnattendedBootConfig::new(Switch::On);
    devices[0]
        .administrate(|admin| admin.call(|at| config_unattended_boot_put(at, on)))
        .unwrap();
    let mut opened = signstar_nethsm::open(&settings).unwrap();
    let simulator = devices[0].simulator();
    let (read, connections) = (simulator.requests(READ), simulator.connections());
    signs(opened.signer.as_mut());
    assert_eq!(
        simulator.connections(),
        connections,
        "one connection for all"
    );
    simulator.power_off();
    simulator.power_on();
    // Switching it on has taken some, to see that it answers.
    let connections = simulator.connections();
    signs(opened.signer.as_mut());
    assert_eq!(simulator.connections(), connections + 1);
    assert_eq!(simulator.requests(READ), read + 2, "the count, twice");
    // Both sockets are used up: a third connection there is none.
    simulator.power_off();
    simulator.power_on();
    let refused = opened.signer.sign(&digest("x")).unwrap_err();
    assert_eq!(kind(&refused), "unavailable", "{refused}");
}
