//! An account: which key signs for it, within which bounds, and for whom.

use std::collections::BTreeMap;

use signstar_core::{InputPolicy, Policy, Refusal, SshIdentity, INPUT_BYTES_MAX_DEFAULT};

use super::input::{self, AllowedCaller, Rules};
use super::{Key, Table};

/// An account that may ask for signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name of its key.
    pub key: String,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The smallest artifact, in bytes.
    pub input_bytes_min: u64,
    /// The largest artifact, in bytes.
    pub input_bytes_max: u64,
    /// What its artifacts may say of themselves, beside what the key asks.
    pub rules: Rules,
    /// Whom it is for, by a name of the operator's; without any, for whomever sshd lets in.
    pub callers: BTreeMap<String, AllowedCaller>,
    /// Bounds of one session.
    pub bounds: Bounds,
    /// How many sessions may run at a time.
    pub sessions_max: u64,
}

/// What one session may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From start to end of the upload, in seconds.
    pub deadline_seconds: u64,
    /// In so many seconds …
    pub progress_seconds: u64,
    /// … at least so many bytes must arrive.
    pub progress_bytes: u64,
    /// Address space of the process, in bytes.
    pub memory_bytes_max: u64,
}

pub(super) fn read(
    mut table: Table<'_, '_>,
    key_names: &[String],
    keys: &BTreeMap<String, Key>,
) -> Option<User> {
    let key = table.text("key");
    if key.as_ref().is_some_and(|key| !key_names.contains(key)) {
        table.problem_with("key", "names no [key.NAME] table");
    }
    let disabled = table.flag("disabled");
    let largest = i64::MAX.unsigned_abs();
    let input_bytes_max = table.number("input-bytes-max", 1..=largest, INPUT_BYTES_MAX_DEFAULT);
    let input_bytes_min = table.number("input-bytes-min", 1..=largest, 1);
    if input_bytes_min > input_bytes_max {
        table.problem_with("input-bytes-min", "is more than `input-bytes-max`");
    }
    let signing = key.as_ref().and_then(|name| keys.get(name));
    let kind = signing.and_then(|key| key.input.kind());
    let rules = table
        .table("rules")
        .map(|table| input::read_rules(table, kind));
    let callers: BTreeMap<String, AllowedCaller> = table
        .named_tables("callers")
        .into_iter()
        .map(|(name, table)| (name, input::read_caller(table, kind)))
        .collect();
    let ruled = rules.is_some() || callers.values().any(|caller| !caller.rules.is_empty());
    if ruled && kind.is_none() && signing.is_some() {
        table.problem("rules need a key whose input is inspected");
    }
    let bounds = Bounds {
        deadline_seconds: table.number("deadline-seconds", 1..=86_400, 3600),
        progress_seconds: table.number("progress-seconds", 1..=3600, 30),
        progress_bytes: table.number("progress-bytes", 1..=1 << 30, 64 << 10),
        memory_bytes_max: table.number("memory-bytes-max", 16 << 20..=1 << 30, 64 << 20),
    };
    let sessions_max = table.number("sessions-max", 1..=1024, 16);
    table.finish();
    Some(User {
        key: key?,
        disabled,
        input_bytes_min,
        input_bytes_max,
        rules: rules.unwrap_or_default(),
        callers,
        bounds,
        sessions_max,
    })
}

impl User {
    /// What this account may have signed with `key`, which signs what `input` says.
    pub fn policy(&self, key: &Key, input: InputPolicy) -> Policy {
        Policy {
            input_bytes_min: self.input_bytes_min,
            input_bytes_max: self.input_bytes_max,
            declaring: key.declaring,
            input,
            hash_states: false,
        }
    }

    /// The rules for artifacts of `identity`, beside the key's.
    ///
    /// # Errors
    /// The account is for others.
    pub fn rules_for(&self, identity: &SshIdentity) -> Result<Vec<&Rules>, Refusal> {
        let matching = self.callers.values().filter(|caller| caller.is(identity));
        let theirs: Vec<&Rules> = matching.map(|caller| &caller.rules).collect();
        match theirs.is_empty() && !self.callers.is_empty() {
            true => Err(Refusal::CallerUnknown),
            false => Ok(std::iter::once(&self.rules).chain(theirs).collect()),
        }
    }
}
