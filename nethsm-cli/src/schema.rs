//! `schema`: what commands say with `--output json` and `--output yaml`, as JSON Schema (2020-12).
//!
//! The schema of each command's answer for one device stands in docs/nethsm-cli.schema.json, written by hand;
//! the tests validate with it what every command of the transcripts says. A new field may come with a
//! new release; one that is there stays, with its type.

use clap::Args;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::report::Report;

const PUBLISHED: &str = include_str!("../../docs/nethsm-cli.schema.json");

#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// The command, as key list [default: all of them]
    command: Vec<String>,
}

/// The whole of it: `$defs` has a schema for each command, with dashes for the spaces in its name, of what
/// it says of one device.
///
/// # Errors
/// None but for a broken build.
fn published() -> Result<Value, Failure> {
    serde_json::from_str(PUBLISHED).map_err(Failure::failed)
}

/// The schema of everything that the command at `path`, as `key list`, says in JSON: the answer of one
/// device, of several, or a rehearsal. Nothing where there is no such command.
///
/// Lengths are in bytes, durations in seconds, times in UTC as RFC 3339 has them; statuses are those of the
/// manual page.
pub fn schema(path: &str) -> Option<Value> {
    let mut whole = published().ok()?;
    let name = path.replace(' ', "-");
    let definitions = whole.get_mut("$defs")?.as_object_mut()?;
    let answer = definitions.get(&name)?.clone();
    let needed = ["pem", "written", "bytes"];
    let mut own: serde_json::Map<String, Value> = definitions
        .iter()
        .filter(|(name, _)| needed.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    own.insert("answer".to_owned(), answer);
    own.insert(
        "rehearsal".to_owned(),
        json!({
            "description": "With --dry-run: what would have been asked for first.",
            "type": "object",
            "required": ["dry_run", "would"],
            "properties": { "dry_run": { "const": true }, "would": { "type": "string" } },
            "additionalProperties": false,
        }),
    );
    own.insert(
        "several".to_owned(),
        json!({
            "description": "Of several devices, in the order in which they are named.",
            "type": "object",
            "required": ["devices"],
            "properties": {
                "devices": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["device", "exit"],
                        "properties": {
                            "device": { "type": "string" },
                            "exit": { "type": "integer", "minimum": 0, "maximum": 12 },
                            "result": {
                                "anyOf": [
                                    { "$ref": "#/$defs/answer" }, { "$ref": "#/$defs/rehearsal" },
                                ],
                            },
                            "problem": { "type": "string" },
                        },
                        "oneOf": [{ "required": ["result"] }, { "required": ["problem"] }],
                        "additionalProperties": false,
                    },
                },
                "time": { "type": "string" },
            },
            "additionalProperties": false,
        }),
    );
    Some(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("nethsm-cli {path}"),
        "anyOf": [
            { "$ref": "#/$defs/answer" },
            { "$ref": "#/$defs/several" },
            { "$ref": "#/$defs/rehearsal" },
        ],
        "$defs": own,
    }))
}

pub(crate) fn perform(options: &Schema) -> Result<Report, Failure> {
    let path = options.command.join(" ");
    let found = match path.as_str() {
        "" => published()?,
        path => schema(path).ok_or_else(|| {
            Failure::usage(
                "there is no such command: it is written as in its manual page, key list",
            )
        })?,
    };
    Report::new(format!("{found:#}\n"), &found)
}
