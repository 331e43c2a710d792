//! The fuzz targets on the stable compiler: their seeds and mutations of them.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[path = "../fuzz/fuzz_targets/bodies.rs"]
mod bodies;
#[path = "../../signstar-backends/testkit/src/smoke.rs"]
mod smoke;

use nethsm_cli::files;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/");

fn run(target: &str, inputs: usize, body: fn(&[u8])) {
    smoke::run(&format!("{SEEDS}{target}"), inputs, body);
}

/// A mutation of what is refused at the door tells nothing.
#[test]
fn every_seed_is_read() {
    let seeds = |target: &str| {
        let folder = std::fs::read_dir(format!("{SEEDS}{target}")).unwrap();
        let paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        assert!(!paths.is_empty());
        paths
            .into_iter()
            .map(|path| (std::fs::read(&path).unwrap(), path))
    };
    let now = std::time::SystemTime::UNIX_EPOCH;
    for (bytes, path) in seeds("pkcs12") {
        let opened = files::pkcs12(&bytes, "long enough", 300);
        let opened = opened.unwrap_or_else(|text| panic!("{}: {text}", path.display()));
        assert!(opened.certificate.is_some(), "{}", path.display());
    }
    for (bytes, path) in seeds("validity") {
        assert!(files::validity(&bytes, now).is_some(), "{}", path.display());
    }
    for (bytes, path) in seeds("joiner_kit") {
        assert!(files::joiner_kit(&bytes).is_some(), "{}", path.display());
    }
    for (bytes, path) in seeds("desired") {
        let text = String::from_utf8(bytes).unwrap();
        assert!(files::desired(&text).is_ok(), "{}", path.display());
    }
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
