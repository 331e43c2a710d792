//! Every recorded request in order, against a fresh simulator: the answers must be those of the
//! device. What is random on the device is compared by its form; signatures, ciphertexts and requests
//! for certificates are checked by OpenSSL.

// What a test relies on it says by a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod client;
mod judge;
mod openssl;

use std::collections::BTreeMap;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use client::{Client, Received};
use judge::Judge;
use serde_json::Value;
use signstar_nethsm_simulator::{Options, Running, Simulator};

const EXCHANGES: &str = include_str!("../data/exchanges.jsonl");
const EVENTS: &str = include_str!("../data/events.txt");
const DIFFERENCES: &str = include_str!("../data/differences.txt");

/// The exchange that shows how many requests there were: the test's own come after it.
const COUNTED: u64 = 374;

fn table(text: &str) -> BTreeMap<u64, &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (seq, rest) = line.split_once(' ').unwrap();
            (seq.parse().unwrap(), rest)
        })
        .collect()
}

/// The octets of a recorded body.
pub(crate) fn octets(body: &Value) -> Option<Vec<u8>> {
    if let Some(text) = body.get("text") {
        return Some(text.as_str().unwrap().as_bytes().to_vec());
    }
    let encoded = body.get("base64")?.as_str().unwrap();
    Some(Base64::decode_vec(encoded).unwrap())
}

fn happen(event: &str, client: &Client, running: &Running) {
    match event {
        "looked" => {
            let state = client.send("GET", "/api/v1/health/state", &[], None);
            assert_eq!(state.status, 200);
        }
        "pause" => running.advance(Duration::from_millis(1100)),
        "store-gone" => running.set_store_present(false),
        "store-back" => running.set_store_present(true),
        "power-on" => running.power_on(),
        "fresh" => running.reset().unwrap(),
        _ => panic!("{event}: no such event"),
    }
}

fn replayed(client: &Client, judge: &mut Judge, exchange: &Value) -> Vec<String> {
    let request = &exchange["request"];
    if let Some(raw) = request["raw"]["text"].as_str() {
        let received = client.send_raw(raw.as_bytes());
        let recorded = exchange["response"]["raw"]["text"].as_str().unwrap();
        return judge.raw(recorded, &received);
    }
    let method = request["method"].as_str().unwrap();
    let path = judge.ours(request["path"].as_str().unwrap());
    let headers = request["headers"].as_object().unwrap().iter();
    let headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.clone(), judge.header(name, value.as_str().unwrap())))
        .collect();
    let body = octets(&request["body"]).map(|body| judge.body(exchange, body));
    let received = client.send(method, &path, &headers, body.as_deref());
    let problems = judge.compare(exchange, &received);
    settled(client, &path, &received);
    problems
}

/// After a request that ends in a restart, until the device is gone.
fn settled(client: &Client, path: &str, received: &Received) {
    let leaves = ["reboot", "shutdown", "factory-reset"];
    if received.status == 204 && leaves.iter().any(|name| path.ends_with(name)) {
        client.forget();
        while client.is_listening() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn all_recorded_exchanges_are_answered_as_by_the_device() {
    let running = Simulator::start(Options::default()).unwrap();
    let client = Client::new(running.address());
    let events = table(EVENTS);
    let differences = table(DIFFERENCES);
    assert!(differences.len() <= 10);
    let mut judge = Judge::default();
    let (mut count, mut agree, mut wrong) = (0, 0, Vec::new());
    for line in EXCHANGES.lines() {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let seq = exchange["seq"].as_u64().unwrap();
        if let Some(event) = events.get(&seq) {
            happen(event, &client, &running);
        }
        let mut problems = replayed(&client, &mut judge, &exchange);
        if seq == COUNTED {
            problems.extend(judge.verify_the_rest(&client));
        }
        count += 1;
        agree += usize::from(problems.is_empty());
        // A difference that is no longer one has to be taken off the list.
        let allowed = differences.contains_key(&seq);
        if problems.is_empty() == allowed {
            let name = exchange["name"].as_str().unwrap();
            wrong.push(format!("{seq} {name}: {}", problems.join("; ")));
        }
        assert!(
            !allowed
                || problems
                    .iter()
                    .all(|problem| !problem.starts_with("status")),
            "a status code is no difference to be allowed: {problems:?}"
        );
    }
    println!("{agree} of {count} recorded exchanges agree");
    assert!(
        wrong.is_empty(),
        "{agree} of {count} agree:\n{}",
        wrong.join("\n")
    );
    assert_eq!(count, 506);
}
