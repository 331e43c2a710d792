//! Variables of the environment: what they say, and what counts more.

use crate::stage::Stage;

/// What the program says on standard output with these variables.
fn said(stage: &Stage, line: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = stage.command(line);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn every_way_to_say_yes_and_no_is_understood() {
    let stage = Stage::operational();
    for (value, long) in [
        ("1", true),
        ("yes", true),
        ("true", true),
        ("on", true),
        ("0", false),
        ("no", false),
        ("false", false),
        ("off", false),
        ("", false),
    ] {
        let (status, text) = said(&stage, "user list", &[("NETHSM_USER_LIST_LONG", value)]);
        assert_eq!(status, 0, "{value}: {text}");
        assert_eq!(text.contains("ROLE"), long, "{value}: {text}");
    }
    let (status, text) = said(&stage, "user remove metrics", &[("NETHSM_YES", "0")]);
    assert_eq!(status, 2, "{text}");
    let (status, text) = said(&stage, "user remove metrics", &[("NETHSM_YES", "1")]);
    assert_eq!(status, 0, "{text}");
}

#[test]
fn the_command_line_counts_more_than_a_variable_and_one_command_has_not_that_of_another() {
    let stage = Stage::operational();
    let variables = [
        ("NETHSM_KEY_GENERATE_ID", "from-variable"),
        ("NETHSM_KEY_GENERATE_LABEL", "Of all"),
    ];
    let (status, text) = said(&stage, "key generate EC_P256", &variables);
    assert_eq!(
        (status, text.as_str()),
        (0, "added from-variable (EC_P256)\n")
    );
    let (_, text) = said(&stage, "key generate EC_P256 --id typed", &variables);
    assert_eq!(text, "added typed (EC_P256)\n");
    let (_, text) = said(&stage, "key list --label Other", &variables);
    assert_eq!(text, "");
    let (_, text) = said(
        &stage,
        "key list",
        &[("NETHSM_KEY_LIST_LABEL", "Of all"), variables[0]],
    );
    assert_eq!(text, "from-variable\ntyped\n");
}

#[test]
fn a_factory_reset_is_not_agreed_to_by_a_variable() {
    let stage = Stage::operational();
    let variables = [
        ("NETHSM_SYSTEM_FACTORY_RESET_CONFIRM", "0000000000"),
        ("NETHSM_YES", "1"),
    ];
    let (status, text) = said(&stage, "system factory-reset", &variables);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("--confirm 0000000000"), "{text}");
    assert_eq!(stage.cli("state").1, "Operational\n");
    let (status, text) = stage.cli("system factory-reset --confirm 0000000000");
    assert_eq!(status, 0, "{text}");
}
