//! `key bench`: how many signatures a key makes in a second.
//!
//! What is measured is what somebody at this place has of the device: from the request to the answer, over
//! connections that are there already. Each signature is over other random bytes, is a real one, and counts among
//! the key's operations.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use clap::Args;
use serde_json::{Value, json};
use signstar_nethsm::client::{Client, ClientError};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::SignRequestData;
use zeroize::Zeroizing;

use super::key_id;
use super::sign::{How, message};
use crate::device::{Device, OPERATOR};
use crate::failure::Failure;
use crate::progress::Count;
use crate::report::Report;
use crate::table::table;

/// What is hashed and signed, in bytes: as much as the longest digest.
const INPUT_BYTES: usize = 64;

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// The key
    id: String,
    #[command(flatten)]
    how: How,
    /// Up to how many connections at the same time: 1, 2, 4 and so on, and this many
    #[arg(long, value_name = "COUNT", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,
    /// How long to sign with each number of connections
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
}

pub(super) fn bench(device: &mut Device, options: &Bench) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    device.rehearse("keys_key_id_sign_post")?;
    let time = Duration::from_secs(options.seconds.into());
    let steps = steps(options.connections.into());
    let requests = requests(device, id, options)?;
    let what = format!("{} signs with {id}", device.label);
    let count = Count::of(&what, steps.len());
    let mut rates = Vec::new();
    for connections in steps {
        let clients = (0..connections).map(|_| device.another(OPERATOR));
        let clients: Vec<Client> = clients.collect::<Result<_, _>>()?;
        rates.push(measured(device, id, &requests, clients, time)?);
        count.one_more();
    }
    drop(count);
    let rows: Vec<[String; 4]> = rates
        .iter()
        .map(|rate| {
            [
                rate.connections.to_string(),
                format!("{:.1}", rate.per_second()),
                format!("{:.1}", rate.milliseconds(rate.took.len() / 2)),
                format!(
                    "{:.1}",
                    rate.milliseconds(rate.took.len().saturating_sub(1))
                ),
            ]
        })
        .collect();
    let headers = ["CONNECTIONS", "SIGNATURES/S", "MEDIAN MS", "SLOWEST MS"];
    let rates: Vec<Value> = rates.iter().map(Rate::value).collect();
    Report::new(table(headers, &rows), &json!({ "id": id, "rates": rates }))
}

/// 1, 2, 4 … and `most`.
fn steps(most: usize) -> Vec<usize> {
    let doubled = std::iter::successors(Some(1_usize), |count| count.checked_mul(2));
    let mut steps: Vec<usize> = doubled.take_while(|count| *count < most).collect();
    steps.push(most);
    steps
}

/// Different things to sign, so that no cache answers.
fn requests(
    device: &mut Device,
    id: &str,
    options: &Bench,
) -> Result<Vec<SignRequestData>, Failure> {
    let mut requests = Vec::new();
    for _ in 0..64 {
        let mut input = Zeroizing::new(vec![0; INPUT_BYTES]);
        getrandom::fill(&mut input)
            .map_err(|_| Failure::failed("the system has no random bytes"))?;
        let message = message(device, id, &options.how, input)?;
        let encoded = Base64::encode_string(&message);
        requests.push(SignRequestData::new(options.how.mode().sdk(), encoded));
    }
    Ok(requests)
}

/// What so many connections have come to.
#[derive(Debug)]
struct Rate {
    connections: usize,
    /// From when all were connected until the last answer.
    elapsed: Duration,
    /// How long each signature took, the shortest first.
    took: Vec<Duration>,
}

impl Rate {
    fn per_second(&self) -> f64 {
        let count = u32::try_from(self.took.len()).unwrap_or(u32::MAX);
        f64::from(count) / self.elapsed.as_secs_f64()
    }

    fn milliseconds(&self, place: usize) -> f64 {
        self.took
            .get(place)
            .map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
    }

    fn value(&self) -> Value {
        let rounded = |number: f64| (number * 10.0).round() / 10.0;
        json!({
            "connections": self.connections,
            "signatures": self.took.len(),
            "seconds": rounded(self.elapsed.as_secs_f64()),
            "per_second": rounded(self.per_second()),
            "median_milliseconds": rounded(self.milliseconds(self.took.len() / 2)),
            "slowest_milliseconds": rounded(self.milliseconds(self.took.len().saturating_sub(1))),
        })
    }
}

/// Signs over all of `clients` for `time`; what is begun in it is finished.
fn measured(
    device: &mut Device,
    id: &str,
    requests: &[SignRequestData],
    mut clients: Vec<Client>,
    time: Duration,
) -> Result<Rate, Failure> {
    let sign = |client: &mut Client, request: &SignRequestData| {
        client
            .call(|asking| default_api::keys_key_id_sign_post(asking, id, request.clone()))
            .map(drop)
    };
    let mut failed = |error: &ClientError| {
        let user = device.user(OPERATOR).unwrap_or_default();
        device.failure(error, OPERATOR, &user, "keys_key_id_sign_post")
    };
    // The first one connects, and does not count.
    for (client, request) in clients.iter_mut().zip(requests.iter().cycle()) {
        sign(client, request).map_err(|error| failed(&error))?;
    }
    let connections = clients.len();
    let found = Mutex::new(Ok(Vec::new()));
    let begun = Instant::now();
    thread::scope(|scope| {
        for (place, mut client) in clients.into_iter().enumerate() {
            let (found, sign) = (&found, &sign);
            scope.spawn(move || {
                let mut took = Vec::new();
                let mut wrong = None;
                for request in requests.iter().cycle().skip(place) {
                    let asked = Instant::now();
                    if asked.duration_since(begun) >= time {
                        break;
                    }
                    if let Err(error) = sign(&mut client, request) {
                        wrong = Some(error);
                        break;
                    }
                    took.push(asked.elapsed());
                }
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                match (wrong, found.as_mut()) {
                    (Some(error), _) => *found = Err(error),
                    (None, Ok(all)) => all.append(&mut took),
                    (None, Err(_)) => {}
                }
            });
        }
    });
    let elapsed = begun.elapsed();
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut took = found.map_err(|error| failed(&error))?;
    took.sort_unstable();
    Ok(Rate {
        connections,
        elapsed,
        took,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_double_up_to_what_is_asked_for() {
        assert_eq!(steps(1), [1]);
        assert_eq!(steps(2), [1, 2]);
        assert_eq!(steps(6), [1, 2, 4, 6]);
        assert_eq!(steps(8), [1, 2, 4, 8]);
    }

    #[test]
    fn figures_are_those_of_what_was_measured() {
        let rate = Rate {
            connections: 2,
            elapsed: Duration::from_millis(2_000),
            took: [10, 20, 30, 940].map(Duration::from_millis).to_vec(),
        };
        let value = rate.value();
        assert_eq!(value["per_second"], 2.0);
        assert_eq!(value["median_milliseconds"], 30.0);
        assert_eq!(value["slowest_milliseconds"], 940.0);
    }
}
