//! `config explain`

use crate::machine::Machine;

const TOML: &str = "etc/signstar/signstar.toml";

#[test]
fn every_value_is_shown_with_its_line_or_as_default() {
    let machine = Machine::equipped();
    machine.change(
        TOML,
        "[user.signer]\n",
        "[user.signer]\ninput-bytes-max = 0x1000\n",
    );
    let (status, found) = machine.json(&["config", "explain"]);
    assert_eq!(status, 0);
    let text = machine.read(TOML);
    let line = |start: &str| {
        let at = text.lines().position(|line| line.starts_with(start));
        at.map(|index| index + 1)
    };
    let user = &found["users"][0];
    let value = |table: &serde_json::Value, name: &str| {
        let values = table["values"].as_array().unwrap();
        let value = values.iter().find(|value| value["name"] == name);
        value
            .map(|value| (value["value"].clone(), value["line"].as_u64()))
            .unwrap_or_else(|| panic!("no {name} in {table:#}"))
    };
    let number = |line: Option<usize>| line.map(|line| u64::try_from(line).unwrap());
    assert_eq!(
        value(user, "input-bytes-max"),
        ("0x1000".into(), number(line("input-bytes-max")))
    );
    assert_eq!(value(user, "sessions-max"), ("16".into(), None));
    let key = &found["keys"][0];
    assert_eq!(
        value(key, "software.secret-key"),
        (
            "\"/etc/signstar/packages.secret.pgp\"".into(),
            number(line("secret-key"))
        )
    );
    assert_eq!(value(key, "hash"), ("sha512".into(), None));
    let shown = machine.done(&["cert", "show", "--key", "packages", "--output", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(key["fingerprint"], shown["signing_key"]);
    let audit = found["audit"].as_array().unwrap();
    assert_eq!(audit[0]["name"], "sink");

    let text = machine.done(&["config", "explain"]);
    for part in [
        "[user.signer] may have what is inspected as pacman-package of up to 4096 bytes signed at a time, by [key.packages] in software",
        "  sessions-max = 16 (default)\n",
        "  input-bytes-max = 0x1000 (line ",
        "[key.packages] signs with ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_is_switched_off_is_said() {
    let machine = Machine::equipped();
    machine.change(
        TOML,
        "[key.packages]\n",
        "[key.packages]\ndisabled = true\n",
    );
    let (_, found) = machine.json(&["config", "explain"]);
    assert_eq!(found["users"][0]["refused"], "[key.packages] is disabled");
    assert_eq!(found["users"][0]["means"], "may have nothing signed");
}

#[test]
fn every_key_of_the_reference_is_shown() {
    let machine = Machine::equipped();
    let text = machine.done(&["config", "explain"]);
    let page = include_str!("../../../../docs/configuration.md");
    for section in ["user.NAME", "key.NAME"] {
        let (_, rest) = page.split_once(&format!("\n## `[{section}]`\n")).unwrap();
        let section = rest.split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let mut count = 0;
        for row in rows {
            let cells: Vec<&str> = row.split(" | ").collect();
            // Tables are shown where they are.
            if ["table", "tables"].contains(&cells[1]) {
                continue;
            }
            let name = cells[0].trim_matches(['|', ' ', '`']);
            assert!(text.contains(&format!("  {name} = ")), "{name}: {text}");
            count += 1;
        }
        assert!(count > 4, "{count}");
    }
}
