//! What a key signs: the keys `input`, `rules`, `digest-list` and `callers` of the configuration.
//!
//! Rules are handed to the inspector as its arguments. Those of key, account and caller are judged
//! one after the other, so that each can only narrow what the others allow.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use signstar_core::{
    matches_pattern, ArtifactKind, Certificate, DigestList, Failure, InputPolicy, Refusal,
    SshIdentity,
};

use super::Table;
use crate::trusted_file::{self, FileError, Kind};

/// A list of some ten thousand digests.
const LIST_BYTES_MAX: u64 = 4 << 20;

/// As much as the certificate parser takes.
const CERTIFICATE_BYTES_MAX: u64 = 1 << 20;

/// A signature over a list is some hundred bytes, armored too.
const SIGNATURE_BYTES_MAX: u64 = 64 << 10;

/// The clock of a build machine may be ahead by so much.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(600);

/// Rules that are lists of patterns.
const PATTERNS: [&str; 6] = [
    "name",
    "base",
    "architecture",
    "packager",
    "build-tool",
    "volume",
];

/// And those that are numbers.
const BOUNDS: [&str; 2] = ["build-age-days-max", "unpacked-bytes-max"];

/// What a key signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Anything.
    Any,
    /// What the inspector finds to be of a kind, and allowed.
    Inspected(Inspected),
    /// What stands in a list.
    Listed(ListFiles),
}

/// A kind of artifact that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The kind.
    pub kind: ArtifactKind,
    /// The rules of the key.
    pub rules: Rules,
    /// How long the inspector may take for a piece, and for its verdict, in seconds.
    pub patience_seconds: u64,
}

/// What an artifact may say of itself. Empty, it allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Names of rules and their patterns, of which one must match.
    pub patterns: Vec<(&'static str, String)>,
    /// How long ago a package may have been built, in days; 0 for no bound.
    pub build_age_days_max: u64,
    /// How much it may unpack to, in bytes; 0 for no bound but the inspector's.
    pub unpacked_bytes_max: u64,
}

/// Where a list of digests is, and who must have signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFiles {
    /// The list.
    pub file: PathBuf,
    /// Its signature, and the certificate of its signer. Without them the list is root's.
    pub signed: Option<(PathBuf, PathBuf)>,
}

/// Somebody whom an account is for, and what they may have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedCaller {
    /// Fingerprint of their SSH key.
    pub ssh_key: Option<String>,
    /// Fingerprint of the authority of their SSH certificate.
    pub ssh_authority: Option<String>,
    /// Pattern for the key id of their SSH certificate.
    pub ssh_certificate: Option<String>,
    /// Rules for their artifacts.
    pub rules: Rules,
}

/// Reads what stands about it in the table of a key.
pub(super) fn read(key: &mut Table<'_, '_>) -> Option<Input> {
    let patience_seconds = key.number("inspection-seconds", 1..=3600, 60);
    let text = key.text("input");
    let mut kinds = ArtifactKind::ALL.into_iter();
    let kind = kinds.find(|kind| text.as_deref() == Some(kind.name()));
    let rules = key.table("rules").map(|table| read_rules(table, kind));
    let list = key.table("digest-list").and_then(read_list);
    let text = text?;
    if rules.is_some() && kind.is_none() {
        key.problem_with("rules", "need an input that is inspected");
    }
    match (kind, text.as_str()) {
        (Some(kind), _) => Some(Input::Inspected(Inspected {
            kind,
            rules: rules.unwrap_or_default(),
            patience_seconds,
        })),
        (None, "any") => Some(Input::Any),
        (None, "digest-list") => {
            if list.is_none() {
                key.problem("its table `digest-list` is missing");
            }
            Some(Input::Listed(list?))
        }
        (None, _) => {
            let kinds = ArtifactKind::ALL.map(ArtifactKind::name).join(", ");
            let text = format_args!("must be one of: {kinds}, digest-list, any");
            key.problem_with("input", text);
            None
        }
    }
}

fn read_list(mut table: Table<'_, '_>) -> Option<ListFiles> {
    let file = table.path("file");
    let signature = table.optional_path("signature");
    let certificate = table.optional_path("certificate");
    if signature.is_some() != certificate.is_some() {
        table.problem("`signature` and `certificate` go together");
    }
    table.finish();
    Some(ListFiles {
        file: file?,
        signed: signature.zip(certificate),
    })
}

/// Reads a table of nothing but rules for artifacts of `kind`, where that is known.
pub(super) fn read_rules(mut table: Table<'_, '_>, kind: Option<ArtifactKind>) -> Rules {
    let rules = take_rules(&mut table, kind);
    table.finish();
    rules
}

fn take_rules(table: &mut Table<'_, '_>, kind: Option<ArtifactKind>) -> Rules {
    if let Some(kind) = kind {
        let all = PATTERNS.into_iter().chain(BOUNDS);
        // Nothing would ever be refused by such a one.
        for name in all.filter(|name| table.find(name).is_some() && !kind.rules().contains(name)) {
            let (kind, rules) = (kind.name(), kind.rules().join(", "));
            table.problem_with(name, format_args!("is no rule for {kind}, only: {rules}"));
        }
    }
    let mut patterns = Vec::new();
    for name in PATTERNS {
        patterns.extend(table.list(name).into_iter().map(|pattern| (name, pattern)));
    }
    Rules {
        patterns,
        build_age_days_max: table.number("build-age-days-max", 1..=36_500, 0),
        unpacked_bytes_max: table.number("unpacked-bytes-max", 1..=1 << 40, 0),
    }
}

/// Reads the table of one caller of an account whose key signs artifacts of `kind`, if any.
pub(super) fn read_caller(mut table: Table<'_, '_>, kind: Option<ArtifactKind>) -> AllowedCaller {
    let mut fingerprint = |key| {
        let text = table.optional_text(key)?;
        if !text.starts_with("SHA256:") || text.len() != 50 {
            table.problem_with(key, "must be a fingerprint as `ssh-keygen -l` prints it");
        }
        Some(text)
    };
    let (ssh_key, ssh_authority) = (fingerprint("ssh-key"), fingerprint("ssh-authority"));
    let ssh_certificate = table.optional_text("ssh-certificate");
    if ssh_certificate.is_some() && ssh_authority.is_none() {
        table.problem("`ssh-certificate` needs `ssh-authority`: anybody can write a key id");
    }
    if ssh_key.is_none() && ssh_authority.is_none() {
        table.problem("needs `ssh-key` or `ssh-authority`");
    }
    let rules = take_rules(&mut table, kind);
    table.finish();
    AllowedCaller {
        ssh_key,
        ssh_authority,
        ssh_certificate,
        rules,
    }
}

impl Inspected {
    /// The inspector's arguments: the kind, then each set of rules after `--`.
    pub fn arguments(&self, others: &[&Rules], now: SystemTime) -> Vec<String> {
        let mut arguments = vec![self.kind.name().to_owned()];
        for rules in std::iter::once(&self.rules).chain(others.iter().copied()) {
            arguments.push("--".to_owned());
            rules.add_to(&mut arguments, now);
        }
        arguments
    }
}

impl Rules {
    /// Whether they allow everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add_to(&self, arguments: &mut Vec<String>, now: SystemTime) {
        let patterns = self.patterns.iter();
        arguments.extend(patterns.map(|(name, pattern)| format!("{name}={pattern}")));
        // The inspector has no clock.
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.build_age_days_max > 0 {
            let age = Duration::from_secs(self.build_age_days_max * 86_400);
            let first = seconds(now).saturating_sub(age).as_secs();
            let last = seconds(now + CLOCK_TOLERANCE).as_secs();
            arguments.push(format!("built-from={first}"));
            arguments.push(format!("built-to={last}"));
        }
        if self.unpacked_bytes_max > 0 {
            arguments.push(format!("unpacked-bytes-max={}", self.unpacked_bytes_max));
        }
    }
}

impl AllowedCaller {
    /// Whether `identity` is theirs.
    pub fn is(&self, identity: &SshIdentity) -> bool {
        let certificate = identity.certificate.as_ref();
        let authority = certificate.map(|found| found.authority_fingerprint.as_str());
        let key_id = certificate.map(|found| found.key_id.as_str());
        let key = Some(identity.key_fingerprint.as_str());
        let pattern = self.ssh_certificate.as_deref();
        (self.ssh_key.is_some() || self.ssh_authority.is_some())
            && (self.ssh_key.is_none() || self.ssh_key.as_deref() == key)
            && (self.ssh_authority.is_none() || self.ssh_authority.as_deref() == authority)
            && pattern.is_none_or(|pattern| key_id.is_some_and(|id| matches_pattern(pattern, id)))
    }
}

impl Input {
    /// The kind of artifacts that are looked at, where they are.
    pub fn kind(&self) -> Option<ArtifactKind> {
        match self {
            Self::Inspected(inspected) => Some(inspected.kind),
            Self::Any | Self::Listed(_) => None,
        }
    }

    /// What core is to judge. A list is read, and its signature verified.
    ///
    /// # Errors
    /// The list cannot be read or trusted.
    pub fn policy(&self) -> Result<InputPolicy, Failure> {
        match self {
            Self::Any => Ok(InputPolicy::Any),
            Self::Inspected(inspected) => Ok(InputPolicy::Inspected(inspected.kind)),
            Self::Listed(files) => files.read().map(Arc::new).map(InputPolicy::Listed),
        }
    }
}

impl ListFiles {
    fn read(&self) -> Result<DigestList, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(Refusal::Configuration, format_args!("digest-list: {error}"))
        };
        let unread = |error: FileError| failed(&error);
        let bytes = match &self.signed {
            None => trusted_file::read(&self.file, Kind::Public, LIST_BYTES_MAX).map_err(unread)?,
            Some((signature, certificate)) => {
                let bytes = trusted_file::read(&self.file, Kind::Verified, LIST_BYTES_MAX)
                    .map_err(unread)?;
                let signature = trusted_file::read(signature, Kind::Verified, SIGNATURE_BYTES_MAX)
                    .map_err(unread)?;
                let certificate =
                    trusted_file::read(certificate, Kind::Public, CERTIFICATE_BYTES_MAX)
                        .map_err(unread)?;
                Certificate::parse(&certificate)
                    .and_then(|signer| signer.verify(&bytes, &signature, SystemTime::now()))
                    .map_err(|error| failed(&error))?;
                bytes
            }
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| failed(&"not UTF-8"))?;
        DigestList::parse(text).map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod tests;
