//! The rules for polkit, run by the engine that polkitd has in Debian and Arch: Duktape.

use std::process::Command;

use crate::place::{packaging, run, text, Place};

/// What polkitd gives to rules, as far as ours use it.
const POLKIT: &str = r#"
var rules = [];
var polkit = {
    Result: { NO: "no", YES: "yes", NOT_HANDLED: null },
    addRule: function(rule) { rules.push(rule); }
};
function ask(id, groups, reader) {
    var action = { id: id, lookup: function(key) { return key == "reader" ? reader : undefined; } };
    var subject = { isInGroup: function(group) { return groups.indexOf(group) >= 0; } };
    print(rules.map(function(rule) { return rule(action, subject); }).join());
}
"#;

const PCSC: &str = "org.debian.pcsc-lite.access_pcsc";
const CARD: &str = "org.debian.pcsc-lite.access_card";

/// What the rules answer to each question.
fn answers(rules: &str, questions: &[(&str, &str, &str)]) -> Vec<String> {
    let place = Place::new();
    place.put("polkit.js", POLKIT);
    place.put("rules.js", rules);
    let ask = |(action, groups, reader): &(&str, &str, &str)| {
        format!("ask({action:?}, [{groups}], {reader:?});\n")
    };
    place.put("ask.js", &questions.iter().map(ask).collect::<String>());
    let files = ["polkit.js", "rules.js", "ask.js"].map(|name| place.path(name));
    let said = run(Command::new("duk").args(files));
    said.lines().map(str::to_owned).collect()
}

#[test]
fn only_the_group_reaches_pcscd_and_its_cards() {
    let ours = r#""users", "signstar""#;
    let others = r#""users", "signer", "plugdev""#;
    let questions = [
        (PCSC, ours, ""),
        (CARD, ours, "Reader A 00"),
        (PCSC, others, ""),
        (CARD, others, "Reader A 00"),
        (PCSC, "", ""),
        ("org.freedesktop.login1.power-off", ours, ""),
        ("org.freedesktop.login1.power-off", others, ""),
    ];
    let rules = text("polkit/50-signstar.rules");
    assert_eq!(
        answers(&rules, &questions),
        ["yes", "yes", "no", "no", "no", "", ""]
    );
}

#[test]
fn a_list_of_readers_keeps_the_group_away_from_others() {
    let rules = text("polkit/50-signstar.rules");
    let changed = rules.replace("var readers = [];", r#"var readers = ["Reader A 00"];"#);
    assert_ne!(rules, changed);
    let ours = r#""signstar""#;
    let questions = [
        (PCSC, ours, ""),
        (CARD, ours, "Reader A 00"),
        (CARD, ours, "Reader B 00"),
        (CARD, r#""users""#, "Reader A 00"),
    ];
    assert_eq!(answers(&changed, &questions), ["yes", "yes", "no", "no"]);
}

#[test]
fn the_rules_are_read_before_those_of_the_distribution() {
    let folder = std::fs::read_dir(packaging().join("polkit")).unwrap();
    for entry in folder {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // polkitd reads by name; at the same number ours come after `50-default.rules`, which has
        // no rule, only administrators.
        assert!(name.ends_with(".rules") && *name < *"60-", "{name}");
    }
}
