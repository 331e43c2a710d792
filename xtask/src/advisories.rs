//! What the dependencies may be: `deny.toml` says it, cargo-deny checks it.

use crate::failure::Result;
use crate::program::Program;
use crate::tools::pinned::DENY;
use crate::workspace::Workspace;

/// How long the database of advisories may take to arrive, in seconds.
const FETCH_SECONDS: &str = "120";

/// Checks bans, licences and sources; advisories too when their database can be had, which
/// `not_checked` is told otherwise.
pub(crate) fn check(not_checked: impl FnOnce(&str)) -> Result<()> {
    DENY.ensure()?;
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
