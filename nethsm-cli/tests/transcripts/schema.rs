//! What commands say in JSON, judged by the published schema and a validator that nobody here wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use crate::transcript::{self, Said};
use crate::{leaves, played};

/// Reads schemas by command and pairs of command and answer; prints what does not fit. An answer with
/// a field that is not in the schema must not fit: that is tried with each.
const VALIDATOR: &str = r#"
import json, sys
from jsonschema import Draft202012Validator
schemas, said = json.load(open(sys.argv[1]))
for name, schema in schemas.items():
    Draft202012Validator.check_schema(schema)
validators = {name: Draft202012Validator(schema) for name, schema in schemas.items()}
for name, value in said:
    for error in validators[name].iter_errors(value):
        print(name, error.message[:300], json.dumps(value)[:600])
        break
    if name not in sys.argv[2].split(",") and validators[name].is_valid({**value, "no such field": 1}):
        print(name, "takes any field")
"#;

/// Answers that are the device's own words, in which newer ones have more.
const DEVICES_OWN: [&str; 4] = ["config export", "health diagnose", "schema", "system info"];

#[test]
fn every_command_says_in_json_what_the_schema_says() {
    let said: Vec<Said> = played(transcript::play_in_json)
        .into_iter()
        .flatten()
        .collect();
    let schemas: BTreeMap<String, Value> = leaves()
        .into_keys()
        .map(|path| {
            let schema = nethsm_cli::schema(&path).unwrap_or_else(|| panic!("{path}: no schema"));
            (path, schema)
        })
        .collect();
    let seen: BTreeSet<&String> = said.iter().map(|(command, _)| command).collect();
    let missing: Vec<&String> = schemas.keys().filter(|path| !seen.contains(path)).collect();
    assert!(missing.is_empty(), "nothing was said by {missing:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("said.json");
    std::fs::write(&path, json!([schemas, said]).to_string()).unwrap();
    let output = Command::new("python3")
        .args(["-c", VALIDATOR])
        .arg(&path)
        .arg(DEVICES_OWN.join(","))
        .output()
        .unwrap();
    let problems = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert!(problems.is_empty(), "{problems}");
}
