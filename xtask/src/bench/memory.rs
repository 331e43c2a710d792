//! Peak memory: the largest resident set of the process, as the kernel counts it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ED25519;
use super::contest::{Contestant, median};
use super::rivals::{Gpg, signstar, sops};
use super::stream::BYTES;
use super::table::{Goal, Row, Table};
use crate::failure::{Because, Failure, Result};
use crate::scene::last_record;

/// Runs for each value.
const ROUNDS: u32 = 7;

/// What GNU time prints before its number.
const MARK: &str = "peak-KiB ";

/// The peaks for a small and for a large artifact.
pub(crate) fn measure(root: &Path, gpg: &Gpg) -> Result<Table> {
    let ours = signstar(&ED25519)?;
    let small = peak(&ours, 1024)?;
    let large = peak(&ours, BYTES)?;
    let mut rivals = vec![gpg.sign(&ED25519, "SHA512")];
    rivals.extend(sops(root, &ED25519)?);
    let row = |name: &str, value: f64| Row {
        name: name.to_owned(),
        value,
        ratio: small / value,
        more: None,
    };
    let mut rows = vec![row("signstar", small), row("signstar, 2 GiB", large)];
    for rival in &rivals {
        rows.push(row(&rival.name, peak(rival, 1024)?));
    }
    let table = Table {
        title: "Peak memory, 1 KiB".to_owned(),
        unit: "MiB",
        repetitions: ROUNDS,
        rows,
        goals: vec![
            goal(
                "for 2 GiB at most 1.10 of that for 1 KiB",
                large / small,
                1.10,
            ),
            goal("at most 16 MiB", large.max(small), 16.0),
        ],
    };
    Ok(table.at_most("gpg", 1.0))
}

fn goal(text: &str, measured: f64, bound: f64) -> Goal {
    Goal {
        text: text.to_owned(),
        measured,
        reached: measured <= bound,
    }
}

/// The median peak in MiB.
fn peak(contestant: &Contestant, bytes: u64) -> Result<f64> {
    let rounds = if bytes > 1 << 20 { 1 } else { ROUNDS };
    let mut peaks = Vec::new();
    for _ in 0..rounds {
        peaks.push(once(contestant, bytes)?);
    }
    Ok(median(peaks.into_iter()))
}

/// The same command under `time`, which finds programs by `PATH` and so keeps argv as it is.
fn once(contestant: &Contestant, bytes: u64) -> Result<f64> {
    let command = (contestant.command)();
    let mut timed = Command::new("/usr/bin/time");
    timed.arg("--format").arg(format!("{MARK}%M"));
    timed.arg(
        command
            .get_program()
            .to_string_lossy()
            .trim_start_matches("/usr/bin/"),
    );
    timed.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let attempt = || format!("cannot measure {}", contestant.name);
    identity(contestant, &mut timed)?;
    timed
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = timed.spawn().because(attempt())?;
    if let Some(mut stdin) = child.stdin.take() {
        let chunk = vec![0; usize::try_from(bytes.min(1 << 20)).unwrap_or(1 << 20)];
        let mut left = bytes;
        while left > 0 {
            stdin.write_all(&chunk).because(attempt())?;
            left = left.saturating_sub(1 << 20);
        }
    }
    let output = child.wait_with_output().because(attempt())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let number = said.lines().find_map(|line| line.strip_prefix(MARK));
    match number.and_then(|number| number.parse::<f64>().ok()) {
        Some(kib) if output.status.success() => Ok(kib / 1024.0),
        _ => Err(Failure::new(format!(
            "{}: {}; last record: {}",
            attempt(),
            said.trim_end(),
            last_record()
        ))),
    }
}

/// std does not tell which user a command runs as: ours is known by its name.
fn identity(contestant: &Contestant, timed: &mut Command) -> Result<()> {
    if contestant.name == "signstar" {
        let (user, group) = crate::scene::account_ids(&ED25519)?;
        timed.uid(user).gid(group);
    }
    Ok(())
}
