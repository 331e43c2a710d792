//! `policy`: what keys sign. The same inspector as the login shell's, started by hand.

mod meaning;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use signstar::config::{Input, Inspected, Rules};
use signstar::inspection::Inspector;
use signstar_core::{
    ArtifactKind, DigestList, Hasher, Identity, InputPolicy, InspectionCode, Verdict,
};

use crate::cli::{Explain, TryArtifact};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;

/// An operator waits longer than a session may.
const PATIENCE: Duration = Duration::from_secs(3600);

const CHUNK_BYTES: usize = 256 * 1024;

#[derive(Serialize)]
struct Explained {
    number: u16,
    sentence: &'static str,
    meaning: &'static str,
}

/// Says what a number means, or all of them.
pub(crate) fn explain(options: &Explain) -> Result<Report, Failure> {
    let explained = |code: InspectionCode| Explained {
        number: code.number(),
        sentence: code.sentence(),
        meaning: meaning::of(code),
    };
    let Some(number) = options.number else {
        let all: Vec<Explained> = InspectionCode::all().map(explained).collect();
        let lines = all
            .iter()
            .map(|code| format!("{}  {}\n", code.number, code.sentence));
        return Report::new(lines.collect(), &all);
    };
    let unknown = || {
        let text = format!("{number}: no such number; `policy explain` lists them");
        Failure::new(Status::Usage, text)
    };
    let code = explained(InspectionCode::from_number(number).ok_or_else(unknown)?);
    let text = format!("{}: {}\n{}\n", code.number, code.sentence, code.meaning);
    Report::new(text, &code)
}

/// What became of an artifact.
#[derive(Default, Serialize)]
struct Tried {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(flatten)]
    identity: Option<Told>,
}

/// What the artifact says it is.
#[derive(Serialize)]
struct Told {
    kind: &'static str,
    #[serde(flatten)]
    texts: BTreeMap<String, String>,
    build_date: u64,
    entries: u64,
    unpacked_bytes: u64,
}

/// Has a file judged as if it had been sent.
pub(crate) fn attempt(
    settings: impl FnOnce() -> Result<Settings, Failure>,
    options: &TryArtifact,
) -> Result<Report, Failure> {
    let path = options.file.as_path();
    let file = File::open(path).map_err(|error| Failure::with(path, &error))?;
    let Some(name) = &options.key else {
        let kind = options.kind.map_or(ArtifactKind::PacmanPackage, Into::into);
        let inspected = Inspected {
            kind,
            rules: Rules::default(),
            patience_seconds: PATIENCE.as_secs(),
        };
        return judged(&inspect(&inspected, &[], file, path)?);
    };
    let settings = settings()?;
    let key = settings.key(name)?;
    let mut rules = Vec::new();
    if let Some(name) = &options.user {
        let user = settings.config.users.get(name).ok_or_else(|| {
            Failure::new(
                Status::Usage,
                format!("no [user.{name}] in the configuration"),
            )
        })?;
        rules.push(&user.rules);
    }
    match (&key.input, key.input.policy()?) {
        (Input::Inspected(inspected), _) => judged(&inspect(inspected, &rules, file, path)?),
        (_, InputPolicy::Listed(list)) => listed(&list, file, path),
        _ => Err(Failure::new(
            Status::Usage,
            format!("[key.{name}] signs anything: its input is `any`"),
        )),
    }
}

fn inspect(
    inspected: &Inspected,
    rules: &[&Rules],
    file: File,
    path: &Path,
) -> Result<Verdict, Failure> {
    let inspector = Inspector::start(inspected, rules)?;
    let deadline = Instant::now() + PATIENCE;
    each_chunk(file, path, |chunk| {
        inspector.pass(chunk, deadline).map_err(Failure::from)
    })?;
    Ok(inspector.conclude()?)
}

fn each_chunk(
    mut file: File,
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| Failure::with(path, &error))?;
        match buffer.get(..count) {
            Some([]) | None => return Ok(()),
            Some(chunk) => take(chunk)?,
        }
    }
}

fn judged(verdict: &Verdict) -> Result<Report, Failure> {
    let finding = verdict.finding();
    let tried = Tried {
        accepted: finding.is_none(),
        number: finding.map(|found| found.code.number()),
        sentence: finding.map(|found| found.code.sentence()),
        position: finding.map(|found| found.position),
        identity: verdict.identity().map(told),
    };
    let mut text = match &finding {
        None => "accepted\n".to_owned(),
        Some(finding) => format!("refused {finding}\n"),
    };
    for (name, value) in verdict.identity().into_iter().flat_map(lines) {
        text.push_str(&format!("{name:>13}  {value}\n"));
    }
    let status = (!tried.accepted).then_some(Status::Data);
    Ok(Report::new(text, &tried)?.ending_with(status))
}

fn listed(list: &DigestList, file: File, path: &Path) -> Result<Report, Failure> {
    let mut hasher = Hasher::new(list.algorithm(), u64::MAX);
    each_chunk(file, path, |chunk| {
        let large = |error| Failure::new(Status::Data, error);
        hasher.update(chunk).map_err(large)
    })?;
    let digest = hasher.finish();
    let tried = Tried {
        accepted: list.contains(&digest),
        ..Tried::default()
    };
    let text = match tried.accepted {
        true => format!("accepted: {digest} stands in the list\n"),
        false => format!("refused: {digest} does not stand in the list\n"),
    };
    let status = (!tried.accepted).then_some(Status::Data);
    Ok(Report::new(text, &tried)?.ending_with(status))
}

fn told(identity: &Identity) -> Told {
    let texts = identity.texts().into_iter();
    Told {
        kind: identity.kind.name(),
        texts: texts
            .map(|(name, text)| (name.replace(' ', "_"), text.to_owned()))
            .collect(),
        build_date: identity.build_date,
        entries: identity.entries,
        unpacked_bytes: identity.unpacked_bytes,
    }
}

/// What there is to say, for people.
fn lines(identity: &Identity) -> Vec<(&'static str, String)> {
    let texts = identity.texts().into_iter();
    let texts = texts.filter(|(_, text)| !text.is_empty());
    let mut lines = vec![("kind", identity.kind.name().to_owned())];
    lines.extend(texts.map(|(name, text)| (name, text.to_owned())));
    if identity.build_date > 0 {
        let built = Duration::from_secs(identity.build_date);
        let date = std::time::UNIX_EPOCH.checked_add(built);
        // What is beyond the year 9999 has no such form.
        let date = date.filter(|_| identity.build_date < 253_402_300_800);
        let shown = date.map_or_else(
            || identity.build_date.to_string(),
            |date| humantime::format_rfc3339_seconds(date).to_string(),
        );
        lines.push(("built", shown));
    }
    lines.push(("entries", identity.entries.to_string()));
    lines.push(("unpacked", format!("{} bytes", identity.unpacked_bytes)));
    lines
}
