//! Requests in which a client sends the state of a SHA-512 instead of a file, and the response.
//!
//! The form is that of `signstar-request-signature`, version 1. Whatever stands under `required` must be
//! understood, so it may have no other fields; whatever stands under `optional` is not looked at.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use signstar_core::{HashAlgorithm, HashState};

use crate::failure::Failure;

/// The version of responses.
const VERSION: &str = "1.0.0";
/// Where earlier clients say how long the digest is, in bytes: between the number of blocks and the position.
const DIGEST_BYTES_AT: usize = 80;
/// How long their states are; one byte more than the digest's length stands at the end, and is nothing.
const EARLIER_BYTES: usize = 210;
const FORM: &str =
    "the input is no request for a signature: JSON with version, required and optional";
const REQUIRED: &str =
    "the request requires something else than sha2-0.11-SHA512-state and OpenPGPv4";

#[derive(Deserialize)]
struct Request {
    version: String,
    required: Value,
    #[serde(rename = "optional")]
    _optional: std::collections::BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Required {
    input: Input,
    #[serde(rename = "output")]
    _output: Output,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(rename = "type")]
    _kind: InputKind,
    content: Vec<u8>,
}

#[derive(Deserialize)]
enum InputKind {
    #[serde(rename = "sha2-0.11-SHA512-state")]
    Sha512State,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    #[serde(rename = "type")]
    _kind: OutputKind,
}

#[derive(Deserialize)]
enum OutputKind {
    #[serde(rename = "OpenPGPv4")]
    OpenPgpV4,
}

/// The state in the request `bytes`. Whether it is one is for whoever goes on from it to say.
pub(super) fn read(bytes: &[u8]) -> Result<HashState, Failure> {
    let request: Request = serde_json::from_slice(bytes).map_err(|_| Failure::usage(FORM))?;
    if !is_version_1(&request.version) {
        return Err(Failure::usage("the request is not of version 1"));
    }
    let required = Required::deserialize(request.required).map_err(|_| Failure::usage(REQUIRED))?;
    Ok(HashState {
        algorithm: HashAlgorithm::Sha512,
        bytes: today(required.input.content),
    })
}

/// `1.N.N`, and whatever semantic versions have behind that.
fn is_version_1(version: &str) -> bool {
    let (core, _) = version.split_at(version.find(['-', '+']).unwrap_or(version.len()));
    let numbers: Vec<Option<u64>> = core.split('.').map(|text| text.parse().ok()).collect();
    matches!(numbers[..], [Some(1), Some(_), Some(_)])
}

/// A state in today's layout. One that is of neither stays as it is, and is refused for its length.
fn today(mut state: Vec<u8>) -> Vec<u8> {
    let marked = state.get(DIGEST_BYTES_AT) == Some(&64) && state.last() == Some(&0);
    if state.len() == EARLIER_BYTES && marked {
        state.remove(DIGEST_BYTES_AT);
        state.pop();
    }
    state
}

/// The response with an armored signature.
pub(super) fn response(armored: &[u8]) -> Value {
    json!({ "version": VERSION, "signature": String::from_utf8_lossy(armored) })
}

#[cfg(test)]
mod tests;
