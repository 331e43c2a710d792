//! The fuzz targets on the stable compiler: their seeds and mutations of them.

#[path = "../fuzz/fuzz_targets/bodies.rs"]
mod bodies;
#[path = "../../signstar-backends/testkit/src/smoke.rs"]
mod smoke;

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/");

fn run(target: &str, inputs: usize, body: fn(&[u8])) {
    smoke::run(&format!("{SEEDS}{target}"), inputs, body);
}

#[test]
fn certificates_are_valid_or_refused_in_one_line() {
    run("certificate", 1_000, bodies::certificate);
}

#[test]
fn secret_key_files_open_or_are_refused_in_one_line() {
    run("secret_key", 1_000, bodies::secret_key);
}

#[test]
fn declarations_have_one_spelling() {
    run("declaration", 100_000, bodies::declaration);
}

#[test]
fn audit_lines_have_one_spelling_and_records_are_read_back() {
    run("audit_line", 50_000, bodies::audit_line);
}

#[test]
fn hash_states_are_refused_or_go_on() {
    run("hash_state", 50_000, bodies::hash_state);
}

#[test]
fn worker_messages_have_one_spelling() {
    run("worker_messages", 20_000, bodies::worker_messages);
}

#[test]
fn verdicts_have_one_spelling() {
    run("verdict", 20_000, bodies::verdict);
}
