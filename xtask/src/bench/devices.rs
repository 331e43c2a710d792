//! Signatures with devices in software: how much the whole login shell takes
//! beyond the same operation in a bare loop over the device's library: all that it has the device do, and,
//! for comparison, a signature alone with a device that is open.
//!
//! The measuring is done by a bench program of the shell's package, which makes tokens, cards and TPMs as
//! its tests do. It runs outside the throwaway enclave, since it makes others of its own.

use super::contest::median;
use super::repetitions;
use super::table::{Goal, Row, Table};
use crate::failure::{Failure, Result};
use crate::tools::system;
use crate::workspace::Workspace;
use crate::{release, stage};

/// Rounds of each kind of key; the virtual card takes a tenth of a second for one.
const ROUNDS: u32 = 100;

/// How much more than the loop a signature may take, in milliseconds.
const MORE_MS_MAX: f64 = 20.0;

/// Runs the program and returns what it prints: a line for each round.
pub(crate) fn run(effort: u32) -> Result<String> {
    system::ensure(&system::TESTS)?;
    let workspace = Workspace::get()?;
    let tree = workspace.target_directory.join("stage-bench");
    stage::shell(&tree)?;
    stage::shell_for_devices(&tree.join("devices"))?;
    let worker = tree.join("usr/lib/signstar").join(release::WORKER);
    stage::put(&release::worker()?, &worker, 0o755)?;
    let rounds = repetitions(ROUNDS, effort);
    println!("measuring devices, {rounds} rounds for each kind of key");
    // As the tests have it: what takes the time is the device's.
    workspace
        .cargo()
        .args([
            "bench",
            "--profile",
            "dev",
            "--locked",
            "--package",
            "signstar",
        ])
        .args(["--bench", "devices", "--"])
        .arg(rounds.to_string())
        .env("SIGNSTAR_STAGE", &tree)
        .output()
}

/// One round, in milliseconds: the login shell, all that it has the device do, a signature alone.
type Round = [f64; 3];

/// A table for each device and kind of key, in the order of the lines.
pub(crate) fn tables(lines: &str) -> Result<Vec<Table>> {
    let mut all: Vec<(String, Vec<Round>)> = Vec::new();
    for line in lines.lines() {
        let (name, round) = round(line)
            .ok_or_else(|| Failure::new(format!("cannot understand the measurement `{line}`")))?;
        match all.last_mut() {
            Some((last, rounds)) if *last == name => rounds.push(round),
            _ => all.push((name, vec![round])),
        }
    }
    if all.is_empty() {
        return Err(Failure::new("no device was measured"));
    }
    Ok(all
        .iter()
        .map(|(name, rounds)| table(name, rounds))
        .collect())
}

fn round(line: &str) -> Option<(String, Round)> {
    let mut words = line.split(' ');
    let name = format!("{}, {}", words.next()?, words.next()?);
    let mut milliseconds = || Some(words.next()?.parse::<f64>().ok()? / 1e6);
    let round = [milliseconds()?, milliseconds()?, milliseconds()?];
    words.next().is_none().then_some((name, round))
}

fn table(name: &str, rounds: &[Round]) -> Table {
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value));
    let row = |name: &str, value, ratio, more| Row {
        name: name.to_owned(),
        value,
        ratio,
        more: Some(more),
    };
    let beyond = of(|[shell, whole, _]| shell - whole);
    let rows = vec![
        row("signstar", of(|[shell, ..]| *shell), 1.0, 0.0),
        row(
            "the library: open, look, authorise, sign",
            of(|[_, whole, _]| *whole),
            of(|[shell, whole, _]| shell / whole),
            beyond,
        ),
        row(
            "the library: sign, with the device open",
            of(|[.., signature]| *signature),
            of(|[shell, _, signature]| shell / signature),
            of(|[shell, _, signature]| shell - signature),
        ),
    ];
    Table {
        title: format!("A signature with a device, 1 KiB: {name}"),
        unit: "ms",
        repetitions: u32::try_from(rounds.len()).unwrap_or(u32::MAX),
        rows,
        goals: vec![Goal {
            text: format!("at most {MORE_MS_MAX} ms beyond what the device does for it"),
            measured: beyond,
            reached: beyond <= MORE_MS_MAX,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn what_a_signature_takes_beyond_the_device_is_the_median_of_the_differences() {
        let lines = "tpm p256 30000000 10000000 1\ntpm p256 50000000 20000000 1\n\
                     tpm p256 90000000 80000000 1\npkcs11 p256 9000000 3000000 1000000\n";
        let tables = tables(lines).unwrap();
        let [tpm, token] = tables.as_slice() else {
            panic!("{tables:?}");
        };
        assert!(tpm.title.ends_with(": tpm, p256"));
        assert_eq!(tpm.repetitions, 3);
        // Not the difference of the medians, which is 30.
        assert_eq!(tpm.rows[1].more, Some(20.0));
        assert_eq!((tpm.rows[0].value, tpm.rows[1].value), (50.0, 20.0));
        assert!(tpm.goals[0].reached && token.goals[0].reached);
        let rows = token.rows.iter().map(|row| (row.ratio, row.more));
        let expected = [(1.0, Some(0.0)), (3.0, Some(6.0)), (9.0, Some(8.0))];
        assert!(rows.eq(expected));
    }

    #[test]
    fn a_goal_can_be_missed_and_other_lines_are_errors() {
        let slow = tables("tpm p256 30000001 10000000 1\n").unwrap();
        assert!(!slow[0].goals[0].reached);
        for lines in ["", "tpm p256 1 2", "tpm p256 1 2 3 4", "tpm p256 x 2 3"] {
            assert!(tables(lines).is_err(), "{lines}");
        }
    }
}
