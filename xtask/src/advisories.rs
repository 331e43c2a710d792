//! What the dependencies may be: `deny.toml` says it, cargo-deny checks it.

use crate::failure::{Because, Result, none_of};
use crate::program::Program;
use crate::tools::pinned::DENY;
use crate::workspace::Workspace;

/// How long the database of advisories may take to arrive, in seconds.
const FETCH_SECONDS: &str = "120";

/// Checks bans, licences and sources; advisories too when their database can be had, which
/// `not_checked` is told otherwise.
pub(crate) fn check(not_checked: impl FnOnce(&str)) -> Result<()> {
    DENY.ensure()?;
    let path = Workspace::get()?.path("deny.toml");
    let rules = std::fs::read_to_string(&path).because("cannot read deny.toml")?;
    let today = Program::new("date").args(["--utc", "+%F"]).output()?;
    none_of(
        &overdue(&rules, today.trim()),
        "judge them again in deny.toml",
    )?;
    cargo_deny()?
        .args(["check", "bans", "licenses", "sources"])
        .run()?;
    if !fetch()? {
        not_checked("advisories: their database cannot be reached");
        return Ok(());
    }
    cargo_deny()?
        .args(["check", "--disable-fetch", "advisories"])
        .run()
}

fn fetch() -> Result<bool> {
    Ok(Program::new("timeout")
        .arg(FETCH_SECONDS)
        .arg(DENY.path()?)
        .args(["--workspace", "fetch", "db"])
        .folder(&Workspace::get()?.workspace_root)
        .env("GIT_TERMINAL_PROMPT", "0")
        .succeeds())
}

fn cargo_deny() -> Result<Program> {
    Ok(Program::new(DENY.path()?)
        .folder(&Workspace::get()?.workspace_root)
        .args(["--log-level", "error", "--locked", "--workspace"]))
}

/// The ignored advisories whose entry has no day, or whose day has passed.
fn overdue(rules: &str, today: &str) -> Vec<String> {
    let entries = rules
        .lines()
        .filter(|line| line.trim_start().starts_with("{ id = "));
    entries
        .filter(|entry| {
            let day = entry.split("until ").nth(1).and_then(|rest| rest.get(..10));
            // Days of this form are in order when their texts are.
            day.is_none_or(|day| day < today)
        })
        .map(|entry| format!("ignored for too long: {}", entry.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::overdue;

    #[test]
    fn an_ignored_advisory_has_a_day_that_has_not_passed() {
        let rules = "    { id = \"A\", reason = \"x; until 2027-06-30\" },\n\
                     { id = \"B\", reason = \"x; until 2026-01-01\" },\n{ id = \"C\" },";
        assert_eq!(overdue(rules, "2026-11-22").len(), 2);
        assert!(
            overdue(rules, "2026-11-22")
                .iter()
                .all(|entry| !entry.contains("\"A\""))
        );
    }
}
