//! Measuring several commands in turns.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::table::Row;
use crate::failure::{Because, Failure, Result};
use crate::scene::last_record;

/// One that takes part.
pub(crate) struct Contestant {
    /// Its name in the table.
    pub(crate) name: String,
    /// Its command, anew for every run.
    pub(crate) command: Box<dyn Fn() -> Command>,
}

impl Contestant {
    /// One called `name`.
    pub(crate) fn new(name: impl Into<String>, command: impl Fn() -> Command + 'static) -> Self {
        Self {
            name: name.into(),
            command: Box::new(command),
        }
    }
}

/// What is sent through the pipe.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many bytes of nothing in particular.
    Length(u64),
}

/// Bytes handed over in one write(2), as much as a pipe may hold.
const CHUNK: usize = 1 << 20;

/// Runs everybody in turns, so many rounds, and returns the medians; ours is the first.
pub(crate) fn in_turns(
    contestants: &[Contestant],
    input: Input<'_>,
    rounds: u32,
) -> Result<Vec<Row>> {
    let mut times: Vec<Vec<Duration>> = contestants.iter().map(|_| Vec::new()).collect();
    // The first round warms caches and is not counted.
    for round in 0..=rounds {
        for (contestant, times) in contestants.iter().zip(&mut times) {
            let took = once(contestant, input)?;
            if round > 0 {
                times.push(took);
            }
        }
    }
    Ok(rows(
        contestants
            .iter()
            .map(|contestant| contestant.name.as_str()),
        &times,
    ))
}

/// The rows for these times; ours is the first.
fn rows<'a>(names: impl Iterator<Item = &'a str>, times: &[Vec<Duration>]) -> Vec<Row> {
    let ours = times.first().map(Vec::as_slice).unwrap_or_default();
    names
        .zip(times)
        .map(|(name, theirs)| Row {
            name: name.to_owned(),
            value: median(theirs.iter().map(Duration::as_secs_f64)) * 1e3,
            ratio: median(
                ours.iter()
                    .zip(theirs)
                    .map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()),
            ),
            more: None,
        })
        .collect()
}

/// The middle one.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One run: from before the start to after the end of the process.
pub(crate) fn once(contestant: &Contestant, input: Input<'_>) -> Result<Duration> {
    let name = &contestant.name;
    let mut command = (contestant.command)();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command
        .spawn()
        .because(format_args!("cannot start {name}"))?;
    if let Some(stdin) = child.stdin.take() {
        send(stdin, input).because(format_args!("{name} does not read"))?;
    }
    let mut answer = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout
            .read_to_end(&mut answer)
            .because(format_args!("cannot read from {name}"))?;
    }
    let status = child
        .wait()
        .because(format_args!("cannot wait for {name}"))?;
    let took = start.elapsed();
    if status.success() {
        return Ok(took);
    }
    let mut complaint = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut complaint);
    }
    let complaint = complaint.trim_end();
    let record = last_record();
    Err(Failure::new(format!(
        "{name}: {status}: {complaint}; last record: {record}"
    )))
}

fn send(mut stdin: impl Write, input: Input<'_>) -> std::io::Result<()> {
    match input {
        // `true` ends without reading.
        Input::Bytes(bytes) => match stdin.write_all(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        },
        Input::Length(length) => {
            let chunk = vec![0x5a; CHUNK];
            let mut left = length;
            while left > 0 {
                let size = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                stdin.write_all(chunk.get(..size).unwrap_or_default())?;
                left -= u64::try_from(size).unwrap_or(left);
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{median, rows};
    use std::time::Duration;

    #[test]
    fn ratios_are_medians_over_pairs() {
        let ms = |values: [u64; 3]| values.map(Duration::from_millis).to_vec();
        let rows = rows(["a", "b"].into_iter(), &[ms([1, 2, 9]), ms([2, 4, 18])]);
        let ratios: Vec<f64> = rows.iter().map(|row| row.ratio).collect();
        assert_eq!(ratios, [1.0, 0.5]);
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
    }
}
