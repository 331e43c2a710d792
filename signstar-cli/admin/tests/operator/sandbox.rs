//! `sandbox …`

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use crate::json;
use crate::place::Place;

#[test]
fn every_attempt_to_break_out_is_stopped() {
    let place = Place::new();
    let tested = json(
        &place
            .admin(&["sandbox", "selftest", "--output", "json"])
            .done(),
    );
    let attempts = tested["attempts"].as_array().unwrap();
    assert!(attempts.len() >= 50, "{}", attempts.len());
    for tried in attempts {
        assert_eq!(
            (&tried["filter"], &tried["stopped"]),
            (&"killed".into(), &true.into()),
            "{tried}"
        );
    }
    let open = attempts
        .iter()
        .find(|tried| tried["name"] == "open-read")
        .unwrap();
    assert_eq!(
        (&open["unconfined"], &open["landlock"]),
        (&"succeeds".into(), &"refused".into())
    );
}

#[test]
fn an_attempt_ends_as_its_defence_says() {
    let ends = |defence| {
        let admin = env!("CARGO_BIN_EXE_signstar-admin");
        Command::new(admin)
            .args(["sandbox", "attempt", "open-read", defence])
            .status()
            .unwrap()
    };
    assert_eq!(ends("none").code(), Some(0));
    assert_eq!(ends("landlock").code(), Some(10));
    assert_eq!(ends("filter").signal(), Some(31), "SIGSYS");
}
