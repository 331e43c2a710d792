//! What is not in the worker.

/// Functions of the PKCS#11 library that change a token, as symbols name them.
const FORBIDDEN: [&str; 12] = [
    "17generate_key_pair",
    "12generate_key",
    "13create_object",
    "11copy_object",
    "14destroy_object",
    "17update_attributes",
    "8wrap_key",
    "10unwrap_key",
    "10derive_key",
    "10init_token",
    "8init_pin",
    "7set_pin",
];

#[test]
fn nothing_in_the_worker_changes_a_token() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_signstar-pkcs11-worker")).unwrap();
    let contains = |name: &str| {
        let mut windows = program.windows(name.len());
        windows.any(|window| window == name.as_bytes())
    };
    // What it does have is found, so that the rest would be.
    assert!(contains("14login_with_raw"));
    for name in FORBIDDEN {
        assert!(!contains(name), "{name}");
    }
}
