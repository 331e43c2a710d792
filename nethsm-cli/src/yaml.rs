//! JSON values as YAML 1.2.
//!
//! Texts are quoted as in JSON, of which YAML is a superset, unless they are plain words: nothing can be
//! taken for a number, a date, a truth value or a comment.

use std::fmt::Write as _;

use serde_json::Value;

/// A document.
pub(crate) fn document(value: &Value) -> String {
    let mut text = String::new();
    put(&mut text, value, 0);
    text.trim_start_matches('\n').to_owned()
}

/// Appends ` VALUE\n`, or `\n` and the lines of a collection.
fn put(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            for item in items {
                let mut inner = String::new();
                put(&mut inner, item, depth + 1);
                let indent = "  ".repeat(depth);
                // The first line of a collection shares the line with its dash.
                let inner = inner.trim_start();
                let _ = write!(text, "{indent}- {inner}");
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            for (name, field) in fields {
                let _ = write!(text, "{}{}:", "  ".repeat(depth), scalar(name));
                put(text, field, depth + 1);
            }
        }
        Value::String(word) => {
            let _ = writeln!(text, " {}", scalar(word));
        }
        other => {
            let _ = writeln!(text, " {other}");
        }
    }
}

/// A text, quoted unless it is a plain word that means nothing else.
fn scalar(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    let reserved = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let word = text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !reserved.contains(&text.to_ascii_lowercase().as_str());
    match word {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn collections_nest_and_words_are_not_taken_for_something_else() {
        let value = json!({
            "keys": [{"id": "one", "tags": ["a", "1e3"]}, {"id": "no", "tags": []}],
            "state": "Operational", "count": 2, "none": null,
        });
        assert_eq!(
            super::document(&value),
            "count: 2\nkeys:\n  - id: one\n    tags:\n      - a\n      - \"1e3\"\n  \
             - id: \"no\"\n    tags: []\nnone: null\nstate: Operational\n"
        );
    }
}
