//! Reading, playing and comparing a transcript.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::plain::plain;
use crate::stage::{PASSPHRASES, Stage};
use crate::steps::{fits, steps, words};

/// Programs that may be asked beside nethsm-cli.
const OTHERS: [&str; 12] = [
    "grep",
    "gpg",
    "gpgconf",
    "openssl",
    "cat",
    "ls",
    "ssh-keygen",
    "cmp",
    "truncate",
    "mkdir",
    "touch",
    "chmod",
];

/// Begins a command that goes on while others are done.
const MEANWHILE: &str = "meanwhile ";
/// Waits until it has ended, and is what it says.
const FINISHED: &str = "finished";

/// What commands asked a device for, with success.
pub(crate) type Pairs = BTreeSet<(String, String)>;

/// Plays a transcript; the problem is a whole report.
pub(crate) fn play(path: &Path) -> Result<Pairs, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let stage = stage(path, &text);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut pairs = Pairs::new();
    let mut written = String::new();
    let mut wrong = String::new();
    let mut member = String::from("[MEMBER]");
    let mut waiting = None;
    for step in steps(&text) {
        let before = stage.all_requests();
        let line = step.line.replace("[MEMBER]", &member);
        let (status, mut said) = match line.strip_prefix(MEANWHILE) {
            Some(line) => {
                waiting = Some(stage.begin(line, None));
                (0, Vec::new())
            }
            None if line == FINISHED => together(waiting.take().unwrap().end()),
            None => perform(&stage, &line),
        };
        if said.last().is_some_and(|last| *last != b'\n') {
            said.push(b'\n');
        }
        for (_, passphrase) in PASSPHRASES {
            let shown = said
                .windows(passphrase.len())
                .any(|part| part == passphrase.as_bytes());
            assert!(!shown, "{name}: {}: a passphrase is shown", step.line);
        }
        let said = String::from_utf8_lossy(&said);
        member = learner(&said).unwrap_or(member);
        let said = plain(&stage, &said.replace(&member, "[MEMBER]"));
        if status == 0 && step.line.starts_with("nethsm-cli ") {
            for (operation, count) in stage.all_requests() {
                if before.get(&operation) != Some(&count) {
                    pairs.insert((command_of(&step.line), operation));
                }
            }
        }
        for remark in &step.remarks {
            let _ = writeln!(written, "{remark}");
        }
        let _ = writeln!(written, "$ {}", step.line);
        let lines: Vec<&str> = said.lines().collect();
        let same = fits(&step.said, &lines) && status == step.status;
        if !same {
            let _ = writeln!(
                wrong,
                "{name}: $ {}\nstatus {status}, expected {}\n{said}---- expected\n{}\n",
                step.line,
                step.status,
                step.said.join("\n")
            );
        }
        if status != 0 {
            let _ = writeln!(written, "? {status}");
        }
        match same {
            true => step
                .said
                .iter()
                .for_each(|line| written.push_str(&format!("{line}\n"))),
            false => written.push_str(&said),
        }
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, written).unwrap();
        return Ok(pairs);
    }
    match wrong.is_empty() {
        true => Ok(pairs),
        false => Err(wrong),
    }
}

fn stage(path: &Path, text: &str) -> Stage {
    match text.lines().next() {
        Some("#: fresh") => Stage::fresh(),
        Some("#: fresh, and another one") => Stage::two(),
        Some("#: two in a network") => Stage::network(&["one", "two"]),
        Some("#: fresh, with costly passphrases") => Stage::fresh_and_costly(),
        Some("#: operational") => Stage::operational(),
        Some("#: operational, with an image") => Stage::updatable(),
        Some("#: operational, with costly passphrases") => Stage::costly(),
        _ => panic!(
            "{}: begins with neither `#: fresh` nor `#: operational`",
            path.display()
        ),
    }
}

/// A command that can say something in JSON, and what it said.
pub(crate) type Said = (String, serde_json::Value);

/// Plays a transcript in which everything is said in JSON, but where a form is asked for. What the commands
/// end with is the same.
pub(crate) fn play_in_json(path: &Path) -> Result<Vec<Said>, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let stage = stage(path, &text);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut all = Vec::new();
    let mut wrong = String::new();
    let mut member = String::from("[MEMBER]");
    let mut waiting = None;
    for step in steps(&text) {
        let mut line = step.line.replace("[MEMBER]", &member);
        if let Some(begun) = line.strip_prefix(MEANWHILE) {
            waiting = Some((begun.to_owned(), stage.begin(begun, Some("json"))));
            continue;
        }
        let (status, said, _) = if line == FINISHED {
            let (begun, running) = waiting.take().unwrap();
            line = begun;
            running.end()
        } else if line.starts_with("nethsm-cli ") {
            let words = words(&line);
            let program = env!("CARGO_BIN_EXE_nethsm-cli");
            stage.run_with(program, &words[1..], Some("json"))
        } else {
            perform(&stage, &line);
            continue;
        };
        if status != step.status {
            let _ = writeln!(wrong, "{name}: $ {line}: ended with {status}");
        }
        let said = String::from_utf8_lossy(&said);
        if said.is_empty() || line.contains(" --output ") && !line.contains(" --output json") {
            continue;
        }
        // One object; or one a line, of what is said again and again.
        let values = serde_json::Deserializer::from_str(&said).into_iter::<serde_json::Value>();
        for value in values {
            let Ok(value) = value else {
                let _ = writeln!(wrong, "{name}: $ {line}: says what is no JSON");
                break;
            };
            let members = value["members"].as_array().into_iter().flatten();
            for found in members.filter(|found| found["learner"] == true) {
                member = found["id"].as_str().unwrap().to_owned();
            }
            all.push((command_of(&line), value));
        }
    }
    match wrong.is_empty() {
        true => Ok(all),
        false => Err(wrong),
    }
}

/// The member of a cluster that learns, whose id the device has chosen.
fn learner(said: &str) -> Option<String> {
    let line = said.lines().find(|line| line.contains(" learns "))?;
    line.split(' ').next().map(str::to_owned)
}

/// The command of a line: the words that lead to it.
fn command_of(line: &str) -> String {
    let words = words(line).into_iter().map(Into::into);
    nethsm_cli::command_of(words).unwrap_or_default()
}

/// Both streams as one.
fn together((status, mut said, complaints): (i32, Vec<u8>, Vec<u8>)) -> (i32, Vec<u8>) {
    said.extend_from_slice(&complaints);
    (status, said)
}

fn perform(stage: &Stage, line: &str) -> (i32, Vec<u8>) {
    let words = words(line);
    let (program, words) = words.split_first().unwrap();
    match program.as_str() {
        "nethsm-cli" => stage.run(env!("CARGO_BIN_EXE_nethsm-cli"), words),
        "simulator" => stage.simulator(words),
        "ready" => {
            stage.make_ready(&words[0]);
            (0, Vec::new())
        }
        "write" => {
            let text = words[1].replace("\\n", "\n");
            std::fs::write(stage.folder.path().join(&words[0]), text).unwrap();
            (0, Vec::new())
        }
        "mode" => {
            use std::os::unix::fs::PermissionsExt as _;
            let about = std::fs::metadata(stage.folder.path().join(&words[0])).unwrap();
            (
                0,
                format!("{:o}\n", about.permissions().mode() & 0o777).into_bytes(),
            )
        }
        program if OTHERS.contains(&program) => stage.run(program, words),
        program => panic!("{program}: may not stand in a transcript"),
    }
}
