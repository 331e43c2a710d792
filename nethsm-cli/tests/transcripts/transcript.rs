//! Reading, playing and comparing a transcript.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::stage::{PASSPHRASES, Stage};

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

/// A command and what is said of it.
struct Step {
    remarks: Vec<String>,
    line: String,
    said: Vec<String>,
    status: i32,
}

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
    for step in steps(&text) {
        let before = stage.device.all_requests();
        let (status, mut said) = perform(&stage, &step.line.replace("[MEMBER]", &member));
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
        // A simulated device has nobody to join.
        let counts = status == 0 || step.line.contains(" cluster join ");
        if counts && step.line.starts_with("nethsm-cli ") {
            for (operation, count) in stage.device.all_requests() {
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
    for step in steps(&text) {
        let line = step.line.replace("[MEMBER]", &member);
        if !line.starts_with("nethsm-cli ") {
            perform(&stage, &line);
            continue;
        }
        let words = words(&line);
        let program = env!("CARGO_BIN_EXE_nethsm-cli");
        let (status, said, _) = stage.run_with(program, &words[1..], Some("json"));
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

fn perform(stage: &Stage, line: &str) -> (i32, Vec<u8>) {
    let words = words(line);
    let (program, words) = words.split_first().unwrap();
    match program.as_str() {
        "nethsm-cli" => stage.run(env!("CARGO_BIN_EXE_nethsm-cli"), words),
        "simulator" => stage.simulator(words),
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

/// Words of a line; `'` quotes.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for char in line.chars() {
        match char {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            char => {
                word.push(char);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut remarks = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("$ ") {
            steps.push(Step {
                remarks: std::mem::take(&mut remarks),
                line: line.to_owned(),
                said: Vec::new(),
                status: 0,
            });
        } else if line.starts_with("#: ") {
            remarks.push(line.to_owned());
        } else if let Some(step) = steps.last_mut() {
            match line.strip_prefix("? ") {
                Some(status) if step.said.is_empty() => step.status = status.parse().unwrap(),
                _ => step.said.push(line.to_owned()),
            }
        }
    }
    steps
}

/// Whether what was said is what was expected; `...` is any number of lines.
fn fits(expected: &[String], said: &[&str]) -> bool {
    match expected.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=said.len()).any(|skipped| fits(rest, &said[skipped..]))
        }
        Some((first, rest)) => {
            said.first().is_some_and(|line| line == first) && fits(rest, &said[1..])
        }
    }
}

/// Without what differs from run to run.
fn plain(stage: &Stage, said: &str) -> String {
    let pin = stage.device.fingerprint();
    let said = said
        .replace(&stage.device.address().to_string(), "[ADDRESS]")
        .replace(&stage.folder.path().display().to_string(), "[FOLDER]")
        .replace(&pin, "[PIN]")
        .replace(&pin[..16], "[PIN]");
    let said: Vec<String> = said.lines().map(without_size).collect();
    let said = said
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let mut text = String::new();
    let mut rest = said.as_str();
    while let Some(first) = rest.chars().next() {
        if let Some(after) = time(rest) {
            text.push_str("[TIME]");
            rest = after;
            continue;
        }
        let hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let known = rest
            .get(..hex)
            .is_some_and(|digits| digits.bytes().any(|byte| byte.is_ascii_digit()));
        let starts = !text.ends_with(|char: char| char.is_ascii_alphanumeric());
        let ends = !rest[hex..].starts_with(|char: char| char.is_ascii_alphanumeric());
        if [20, 40, 64].contains(&hex) && known && starts && ends {
            text.push_str(match hex {
                20 => "[ID]",
                40 => "[FINGERPRINT]",
                _ => "[HEX]",
            });
            rest = &rest[hex..];
            continue;
        }
        text.push(first);
        rest = &rest[first.len_utf8()..];
    }
    text
}

/// Signatures in DER are not always of one length, and time goes on.
fn without_size(line: &str) -> String {
    for before in [
        "clock ahead seconds: ",
        "clock_ahead_seconds: ",
        "clock_ahead_seconds\": ",
        "clock_ahead_seconds\":",
    ] {
        if let Some((head, rest)) = line.split_once(before) {
            let tail = rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == '-');
            return format!("{head}{before}[N]{tail}");
        }
    }
    for (before, after) in [
        ("wrote ", " bytes"),
        ("clock: is ", " s ahead"),
        ("last backup: is ", " days old"),
        ("finding\": \"is ", " s ahead"),
        ("finding\": \"is ", " days old"),
        ("\"certificate_bytes\": ", ","),
    ] {
        let found = line.split_once(before).and_then(|(head, rest)| {
            let digits = rest.find(after)?;
            let (size, tail) = rest.split_at(digits);
            let (name, size) = size
                .rsplit_once(": ")
                .map_or(("", size), |(name, size)| (name, size));
            let number = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("{name}: ")
            };
            number.then(|| format!("{head}{before}{name}[N]{tail}"))
        });
        if let Some(found) = found {
            return found;
        }
    }
    line.to_owned()
}

/// What follows a time as devices write it.
fn time(text: &str) -> Option<&str> {
    let shape = "0000-00-00T00:00:00Z";
    let part = text.get(..shape.len())?;
    let same = part
        .bytes()
        .zip(shape.bytes())
        .all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            shape => byte == shape,
        });
    same.then(|| &text[shape.len()..])
}
