//! The fuzz targets on the stable compiler: their seeds and mutations of them.

#[path = "../fuzz/fuzz_targets/bodies.rs"]
mod bodies;
#[path = "../../../signstar-backends/testkit/src/smoke.rs"]
mod smoke;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/");

fn run(target: &str, inputs: usize, body: fn(&[u8])) {
    smoke::run(&format!("{SEEDS}{target}"), inputs, body);
}

#[test]
fn configurations_are_within_bounds_or_refused_with_every_place() {
    run("configuration", 10_000, bodies::configuration);
}

#[test]
fn the_last_key_that_sshd_names_is_the_caller_or_nobody_is() {
    run("user_auth", 20_000, bodies::user_auth);
}

#[test]
fn connections_are_four_words_of_one_form() {
    run("connection", 100_000, bodies::connection);
}

#[test]
fn only_the_two_shapes_of_sshd_ask_for_a_signature() {
    run("argv", 100_000, bodies::argv);
}
