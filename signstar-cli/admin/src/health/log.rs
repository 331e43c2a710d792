//! Intents without an outcome, in the records.

use std::path::Path;
use std::time::SystemTime;

use signstar::config::SinkChoice;

use super::{Check, State};
use crate::audit::check::{Checker, Kind};
use crate::audit::{chosen, read, since, words};
use crate::cli::Health;
use crate::failure::Failure;
use crate::settings::Settings;

const NAME: &str = "log";

/// Nothing, where no log is named and the configured sink is none that can be read.
pub(super) fn check(
    settings: &Settings,
    config: &Path,
    options: &Health,
    now: SystemTime,
) -> Result<Option<Check>, Failure> {
    let is_file = matches!(settings.config.audit.sink, SinkChoice::File { .. });
    if options.log.is_empty() && !is_file {
        return Ok(None);
    }
    let mut checker = Checker::plain(since(options.since.as_deref(), now)?);
    for log in &chosen(&options.log, config)? {
        if let Err(failure) = read(log, &mut |entry| checker.take(entry)) {
            return Ok(Some(Check::new(NAME, State::Unknown, failure.text)));
        }
    }
    let checked = checker.finish(now, *options.running);
    let unmatched = checked.count(&[Kind::IntentWithoutOutcome]);
    let others = checked.count(&[]).saturating_sub(unmatched);
    let text = match (unmatched, others) {
        (0, 0) => "every intent has an outcome".to_owned(),
        (_, 0) => format!(
            "{} without an outcome: see audit check",
            words::count(unmatched, "intent", "intents")
        ),
        (0, _) => format!(
            "the records have {}: see audit check",
            words::count(others, "problem", "problems")
        ),
        _ => format!(
            "{} without an outcome, and the records have {} more: see audit check",
            words::count(unmatched, "intent", "intents"),
            words::count(others, "problem", "problems")
        ),
    };
    let state = match unmatched + others {
        0 => State::Ok,
        _ => State::Warning,
    };
    let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
    Ok(Some(
        Check::new(NAME, state, text)
            .measuring("unmatched_intents", number(unmatched))
            .measuring("log_problems", number(others)),
    ))
}
