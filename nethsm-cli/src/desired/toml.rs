//! TOML and JSON: what a file says, and what devices understand.

use serde_json::Value;
use toml_edit::{DocumentMut, Item};

/// A TOML value as JSON; dates, which nothing here has, are nothing.
pub(super) fn json_of(item: &Item) -> Option<Value> {
    if let Some(table) = item.as_table_like() {
        let fields = table
            .iter()
            .map(|(name, item)| Some((name.to_owned(), json_of(item)?)));
        return Some(Value::Object(fields.collect::<Option<_>>()?));
    }
    if let Some(items) = item.as_array() {
        let items = items
            .iter()
            .map(|value| json_of(&Item::Value(value.clone())));
        return Some(Value::Array(items.collect::<Option<_>>()?));
    }
    let text = item.as_str().map(Value::from);
    let number = item.as_integer().map(Value::from);
    text.or(number).or_else(|| item.as_bool().map(Value::from))
}

/// JSON as TOML.
fn toml_of(value: &Value) -> Option<Item> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => toml_edit::value(*value),
        Value::Number(number) => toml_edit::value(number.as_i64()?),
        Value::String(text) => toml_edit::value(text.as_str()),
        Value::Array(items) => {
            let items = items
                .iter()
                .filter_map(toml_of)
                .filter_map(|item| item.into_value().ok());
            toml_edit::value(items.collect::<toml_edit::Array>())
        }
        Value::Object(fields) => {
            let mut table = toml_edit::Table::new();
            table.set_implicit(true);
            for (name, field) in fields {
                if let Some(item) = toml_of(field) {
                    table.insert(name, item);
                }
            }
            Item::Table(table)
        }
    })
}

/// A file's text.
pub(super) fn written(value: &Value) -> String {
    let mut document = DocumentMut::new();
    for (name, field) in value.as_object().into_iter().flatten() {
        if let Some(item) = toml_of(field) {
            document.insert(name, item);
        }
    }
    document.to_string()
}
