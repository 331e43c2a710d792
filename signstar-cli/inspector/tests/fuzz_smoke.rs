//! The fuzz targets on the stable compiler: their seeds and mutations of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by a panic"
)]

#[path = "../fuzz/fuzz_targets/bodies.rs"]
mod bodies;
#[path = "../../../signstar-backends/testkit/src/smoke.rs"]
mod smoke;

use std::fs;

use signstar_inspector::{ArtifactKind, list};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/");

fn run(target: &str, inputs: usize, body: fn(&[u8])) {
    smoke::run(&format!("{SEEDS}{target}"), inputs, body);
}

/// What is damaged is sound before.
#[test]
fn seeds_are_taken() {
    let seeds = |target: &str| {
        let entries = fs::read_dir(format!("{SEEDS}{target}")).unwrap();
        let contents: Vec<Vec<u8>> = entries
            .map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect();
        assert!(!contents.is_empty());
        contents
    };
    for packed in seeds("container") {
        list(packed.as_slice()).unwrap();
    }
    for plain in seeds("archive") {
        list(bodies::support::gzip(&plain).as_slice()).unwrap();
    }
    for image in seeds("image") {
        bodies::support::look(ArtifactKind::Iso, &[], image.as_slice()).unwrap();
    }
    for input in seeds("package") {
        assert!(bodies::inspect_package(&input).is_ok());
    }
    for input in seeds("database") {
        assert!(bodies::inspect_database(&input).unwrap().is_ok());
    }
    for input in seeds("file_list") {
        assert!(bodies::inspect_file_list(&input).is_ok());
    }
}

#[test]
fn containers_say_the_same_however_they_come() {
    run("container", 10_000, bodies::container);
}

#[test]
fn archives_lead_nowhere_but_down() {
    run("archive", 10_000, bodies::archive);
}

#[test]
fn packages_are_what_they_say_in_both_places() {
    run("package", 10_000, bodies::package);
}

#[test]
fn descriptions_have_the_names_of_their_folders() {
    run("database", 20_000, bodies::database);
}

#[test]
fn images_have_their_size_and_a_descriptor() {
    run("image", 5_000, bodies::image);
}

#[test]
fn lists_of_files_are_true_or_blamed() {
    run("file_list", 10_000, bodies::file_list);
}

#[test]
fn orders_have_one_spelling_and_rules_one_meaning() {
    run("order", 20_000, bodies::order);
}
