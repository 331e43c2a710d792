//! The fuzz targets on the stable compiler: their seeds and mutations of them.

#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

#[path = "../fuzz/fuzz_targets/bodies.rs"]
mod bodies;
#[path = "../../testkit/src/smoke.rs"]
mod smoke;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/");

fn run(target: &str, inputs: usize, body: fn(&[u8])) {
    smoke::run(&format!("{SEEDS}{target}"), inputs, body);
}

#[test]
fn signatures_have_the_lengths_of_their_kind() {
    run("signature", 100_000, bodies::signature);
}

#[test]
fn public_keys_have_the_lengths_of_their_kind() {
    run("public_key", 50_000, bodies::public_key);
}

#[test]
fn what_devices_say_is_short_printable_and_not_in_our_texts() {
    run("refused", 100_000, bodies::refused);
}

#[test]
fn keys_are_found_inside_of_certificates_or_nowhere() {
    run("certificate", 100_000, bodies::certificate);
}

#[test]
fn what_is_read_as_der_has_one_spelling() {
    run("der", 100_000, bodies::der);
}
