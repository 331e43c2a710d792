//! The fuzz targets on the stable compiler: their seeds and mutations of them.

#![allow(clippy::panic, reason = "a test fails by a panic")]

#[path = "../fuzz/fuzz_targets/bodies.rs"]
mod bodies;
#[path = "../../testkit/src/smoke.rs"]
mod smoke;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/");

#[test]
fn answers_of_the_provisioner_have_one_spelling_and_are_safe_to_show() {
    smoke::run(&format!("{SEEDS}answer"), 50_000, bodies::answer);
}

#[test]
fn the_pin_goes_to_nobody_who_has_said_more_than_one_token() {
    smoke::run(
        &format!("{SEEDS}conversation"),
        10_000,
        bodies::conversation,
    );
}
