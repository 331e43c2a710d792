//! What tests can make go wrong goes wrong as they say, and the counters tell what was done.

use std::time::{Duration, Instant};

use crate::client::Received;
use crate::device::{ADMIN, Device, OPERATOR, SIGN, UNLOCK};
use signstar_nethsm_simulator::{Fault, Options, State};

const SIGN_OPERATION: &str = "keys_key_id_sign_post";

fn sign(device: &Device) -> std::io::Result<Received> {
    device.try_ask(OPERATOR, "POST keys/ed/sign", SIGN)
}

#[test]
fn a_status_is_answered_as_often_as_asked_and_nothing_is_signed() {
    let device = Device::provisioned(Options::default());
    let fault = Fault::Status(503, "{\"message\":\"busy\"}".to_owned());
    device.running.fail_next(Some(SIGN_OPERATION), fault, 2);
    assert_eq!(device.status(OPERATOR, "GET keys/ed", ""), 200);
    for status in [503, 503, 200] {
        assert_eq!(sign(&device).unwrap().status, status);
    }
    assert_eq!(device.running.key_uses("ed"), 1);
    assert_eq!(device.running.requests(SIGN_OPERATION), 3);
}

#[test]
fn connections_are_closed_before_or_after_the_signature() {
    let device = Device::provisioned(Options::default());
    for (fault, uses) in [(Fault::CloseBefore, 0), (Fault::CloseAfter, 1)] {
        device.running.fail_next(None, fault, 1);
        assert!(sign(&device).is_err());
        assert_eq!(device.running.key_uses("ed"), uses);
    }
    assert_eq!(sign(&device).unwrap().status, 200);
}

#[test]
fn answers_are_spoilt_cut_and_made_long() {
    let device = Device::provisioned(Options::default());
    let right = sign(&device).unwrap().text();
    device.running.fail_next(None, Fault::Flip, 1);
    let spoilt = sign(&device).unwrap().text();
    let differ = spoilt.bytes().zip(right.bytes()).filter(|(a, b)| a != b);
    assert_eq!((spoilt.len(), differ.count()), (right.len(), 1));
    device.running.fail_next(None, Fault::Oversize(100_000), 1);
    assert_eq!(sign(&device).unwrap().body.len(), right.len() + 100_000);
    device.running.fail_next(None, Fault::Cut, 1);
    assert!(sign(&device).is_err());
    let raw = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec();
    device.running.fail_next(None, Fault::Raw(raw), 1);
    assert_eq!(sign(&device).unwrap().text(), "{}");
}

#[test]
fn answers_are_held_back_and_drip() {
    let device = Device::provisioned(Options::default());
    for fault in [
        Fault::Delay(Duration::from_millis(200)),
        Fault::Drip(Duration::from_millis(2)),
    ] {
        device.running.fail_next(None, fault, 1);
        let begun = Instant::now();
        assert_eq!(sign(&device).unwrap().status, 200);
        assert!(begun.elapsed() >= Duration::from_millis(200));
    }
    let latency = Duration::from_millis(150);
    let slow = Device::start(Options {
        latency,
        ..Options::default()
    });
    let begun = Instant::now();
    assert_eq!(slow.status("", "GET info", ""), 200);
    assert!(begun.elapsed() >= latency);
}

#[test]
fn a_wrong_passphrase_keeps_its_user_out_for_a_second() {
    let device = Device::provisioned(Options::default());
    assert_eq!(device.status("operator:wrongwrong", "GET keys", ""), 401);
    assert_eq!(device.status(OPERATOR, "GET keys", ""), 429);
    assert_eq!(device.status(ADMIN, "GET keys", ""), 200);
    device.running.advance(Duration::from_millis(1000));
    assert_eq!(device.status(OPERATOR, "GET keys", ""), 200);
}

#[test]
fn without_its_store_the_device_fails_after_a_minute() {
    let device = Device::provisioned(Options::default());
    device.running.set_store_present(false);
    assert_eq!(device.status(OPERATOR, "GET keys", ""), 401);
    assert_eq!(device.running.state(), State::Operational);
    device.running.advance(Duration::from_secs(60));
    assert_eq!(device.running.state(), State::Failed);
    assert_eq!(device.status(OPERATOR, "GET keys", ""), 412);
    device.running.set_store_present(true);
    assert_eq!(device.status(OPERATOR, "GET keys", ""), 200);
}

#[test]
fn a_failed_device_is_forced_into_a_new_cluster_by_its_unlock_passphrase() {
    let device = Device::provisioned(Options::default());
    device.running.set_failed(true);
    let force = "POST cluster/force-new";
    assert_eq!(device.status(ADMIN, force, ""), 401);
    assert_eq!(device.status("unlock:unlockunlock", force, ""), 204);
    // It restarts.
    device.wait_for(State::Locked);
    assert_eq!(device.status("", "POST unlock", UNLOCK), 204);
    assert_eq!(device.status("unlock:unlockunlock", force, ""), 412);
}

#[test]
fn the_power_can_be_taken_away() {
    let device = Device::provisioned(Options::default());
    assert_eq!(sign(&device).unwrap().status, 200);
    device.running.power_off();
    assert!(!device.client.is_listening());
    assert!(sign(&device).is_err());
    device.running.power_on();
    assert_eq!(device.running.state(), State::Locked);
    assert_eq!(device.status("", "POST unlock", UNLOCK), 204);
    // What was counted in memory only is lost.
    assert_eq!(device.json(OPERATOR, "GET keys/ed")["operations"], 0);
    assert_eq!(device.running.key_uses("ed"), 1);
}
