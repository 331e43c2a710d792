//! What is said of tags, of users and of keys alike.

use serde_json::json;
use signstar_nethsm::client::Answer;

use crate::failure::Failure;
use crate::report::Report;

/// Those that there are.
pub(crate) fn listed(id: &str, tags: &[String]) -> Result<Report, Failure> {
    let text: String = tags.iter().map(|tag| format!("{tag}\n")).collect();
    Report::new(text, &json!({ "id": id, "tags": tags }))
}

/// One has come, or was there before.
pub(crate) fn added<T>(answer: &Answer<T>, id: &str, tag: &str) -> Report {
    let value = json!({ "id": id, "tag": tag });
    Report::changed(answer, &format!("{id} has the tag {tag}"), value)
}

/// One has gone.
pub(crate) fn removed(id: &str, tag: &str) -> Report {
    let value = json!({ "id": id, "tag": tag, "changed": true });
    Report::done(format!("{id} has not the tag {tag} any more"), value)
}
