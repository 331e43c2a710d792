//! Where in a file a value stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Value;

/// The tables of a file that the login shell takes, with the place of everything in them.
pub(super) struct Origins<'t> {
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Origins<'t> {
    /// Reads it; what is no TOML was refused before.
    pub(super) fn read(text: &'t str) -> Self {
        let (root, _) = DeTable::parse_recoverable(text);
        Self { text, root }
    }

    /// All values of the table at `path`: those of `known`, in their order, each from the file or
    /// else with its default; then the others that are in the file, tables below included.
    pub(super) fn values(&self, path: &[&str], known: &[(&str, Option<String>)]) -> Vec<Value> {
        let mut written = Vec::new();
        let mut table = Some(self.root.get_ref());
        for name in path {
            table = table.and_then(|table| inner(table, name));
        }
        if let Some(table) = table {
            self.flatten("", table, &mut written);
        }
        let mut values = Vec::new();
        for (name, default) in known {
            let at = written.iter().position(|value: &Value| value.name == *name);
            match (at, default) {
                (Some(at), _) => values.push(written.remove(at)),
                (None, Some(default)) => values.push(Value {
                    name: (*name).to_owned(),
                    value: default.clone(),
                    line: None,
                }),
                (None, None) => {}
            }
        }
        values.extend(written);
        values
    }

    fn flatten(&self, prefix: &str, table: &DeTable<'_>, values: &mut Vec<Value>) {
        for (name, value) in table {
            let name = format!("{prefix}{}", name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => self.flatten(&format!("{name}."), inner, values),
                _ => values.push(Value {
                    name,
                    value: self.text.get(value.span()).unwrap_or_default().to_owned(),
                    line: Some(self.line(value.span().start)),
                }),
            }
        }
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.bytes().take(offset);
        1 + before.filter(|&byte| byte == b'\n').count()
    }
}

fn inner<'a, 't>(table: &'a DeTable<'t>, wanted: &str) -> Option<&'a DeTable<'t>> {
    let mut entries = table.iter();
    let (_, value) = entries.find(|(name, _)| name.get_ref() == wanted)?;
    match value.get_ref() {
        DeValue::Table(inner) => Some(inner),
        _ => None,
    }
}
