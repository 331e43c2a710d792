//! The fuzz targets on the stable compiler: their seeds and mutations of them.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[path = "../fuzz/fuzz_targets/bodies.rs"]
mod bodies;
#[path = "../../signstar-backends/testkit/src/smoke.rs"]
mod smoke;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/");

fn run(target: &str, inputs: usize, body: fn(&[u8])) {
    smoke::run(&format!("{SEEDS}{target}"), inputs, body);
}

#[test]
fn keys_in_pkcs12_files_are_the_same_however_they_are_written() {
    run("pkcs12", 20_000, bodies::pkcs12);
}

#[test]
fn certificates_say_the_same_in_pem_and_der() {
    run("validity", 20_000, bodies::validity);
}

#[test]
fn joiner_kits_are_read_again_as_they_were() {
    run("joiner_kit", 50_000, bodies::joiner_kit);
}

#[test]
fn what_was_sealed_in_a_backup_comes_out_of_it() {
    run("backup", 5_000, bodies::backup);
}

#[test]
fn what_devices_shall_be_is_written_as_it_was_read() {
    run("desired", 5_000, bodies::desired);
}
