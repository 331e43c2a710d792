//! Completions in the shells that they are for, with devices that do not answer.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::stage::Stage;
use crate::terminal::Terminal;

/// A stage whose profile and lists have something to complete, among it a device that nobody reaches.
fn stage() -> Stage {
    let stage = Stage::operational();
    for line in [
        "device add one-more 192.0.2.1:8443 --group rack1",
        "device default one",
        "key generate EC_P256 --id packages",
        "key generate EC_P256 --id databases",
        "user list",
        "key list",
        // It comes to the list that is known.
        "key generate EC_P256 --id images",
        "key remove databases --yes",
    ] {
        let (status, said) = stage.cli(line);
        assert_eq!(status, 0, "{line}: {said}");
    }
    stage
}

/// What the program says may stand at the end of `line`.
fn candidates(stage: &Stage, line: &str) -> Vec<String> {
    let mut command = stage.command("__complete line");
    let output = command.arg(format!("nethsm-cli {line}")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let values = text
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned());
    values.collect()
}

#[test]
fn devices_groups_users_and_keys_are_completed_without_asking_anybody() {
    let stage = stage();
    let (requests, connections) = (stage.device.all_requests(), stage.device.connections());
    for (line, expected) in [
        ("-d o", &["one", "one-more"][..]),
        ("-d one,o", &["one,one", "one,one-more"]),
        ("--device=@", &["--device=@rack1"]),
        ("device show one-", &["one-more"]),
        ("--user o", &["operator"]),
        ("user show ", &["admin", "backup", "metrics", "operator"]),
        ("key show ", &["images", "packages"]),
        ("key sign p", &["packages"]),
        ("show-key ", &[]),
        ("get-key i", &["images"]),
        ("openpgp create ", &["images", "packages"]),
        // Nobody has looked at that device, and nobody does.
        ("-d one-more key show ", &[]),
        ("-d @rack1 user show ", &[]),
        ("--as-namespace team key show ", &[]),
    ] {
        assert_eq!(candidates(&stage, line), expected, "{line}");
    }
    assert_eq!(stage.device.all_requests(), requests);
    assert_eq!(stage.device.connections(), connections);
    let known = stage.folder.path().join(".cache/nethsm-cli/known.json");
    assert_eq!(crate::files::mode(&known), 0o600);
    // What is old is forgotten.
    let text = fs::read_to_string(&known).unwrap();
    let noted = text.split("\"noted\":").nth(1).unwrap();
    let noted = noted.split(',').next().unwrap();
    let old = (noted.parse::<u64>().unwrap() - 12 * 3600 - 1).to_string();
    fs::write(&known, text.replace(noted, &old)).unwrap();
    assert_eq!(candidates(&stage, "key show "), Vec::<String>::new());
}

#[test]
fn nothing_holds_up_a_key_press() {
    let stage = stage();
    let files = stage.folder.path();
    // A file that nobody ever finishes, in the place of the profile.
    fs::remove_file(files.join("config.toml")).unwrap();
    let made = Command::new("mkfifo")
        .arg(files.join("config.toml"))
        .status();
    assert!(made.unwrap().success());
    let begun = Instant::now();
    assert_eq!(candidates(&stage, "-d o"), Vec::<String>::new());
    assert!(begun.elapsed() < Duration::from_secs(20));
}

/// A folder with the scripts as they are installed, and the program in the path.
fn shell(stage: &Stage, words: &[&str]) -> Command {
    let folder = stage.folder.path();
    for (shell, file) in [
        ("bash", "completion.bash"),
        ("fish", "completion.fish"),
        ("zsh", "_nethsm-cli"),
    ] {
        fs::write(folder.join(file), nethsm_cli::completion(shell).unwrap()).unwrap();
    }
    let _ = fs::create_dir(folder.join("bin"));
    let program = folder.join("bin/nethsm-cli");
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nethsm-cli"), program);
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    stage.at_home(&mut command);
    command.env("PATH", format!("{}:{path}", folder.join("bin").display()));
    command
}

/// Types lines that end with a tab each, and waits until what follows is shown.
fn typed(mut command: Command, prepare: &str, lines: &[(&str, &str)]) {
    let mut terminal = Terminal::start(command.env("PS1", "$ "), 100);
    terminal.write(&format!("{prepare}\nprintf 're%s\\n' ady\n"));
    terminal.wait_for("ready\r");
    for (line, expected) in lines {
        terminal.write(line);
        terminal.write("\t");
        terminal.wait_for_plain(expected);
        // Away with it.
        terminal.write("\u{15}");
    }
    let shown = terminal.stop();
    assert!(!shown.contains("command not found"), "{shown}");
}

/// What is typed, and what a tab makes of its end.
const TYPED: [(&str, &str); 6] = [
    ("nethsm-cli key show pa", "packages "),
    ("nethsm-cli -d one-", "one-more "),
    ("nethsm-cli --device=one-", "one-more "),
    ("nethsm-cli --output js", "json "),
    ("nethsm-cli backup ver", "verify "),
    ("nethsm-cli --passphrase-from file:adm", "admin.txt"),
];

#[test]
fn bash_completes_words_devices_keys_and_files() {
    let stage = stage();
    let command = shell(&stage, &["bash", "--norc", "--noprofile", "-i"]);
    let group = [("nethsm-cli -d @ra", "rack1 ")];
    typed(
        command,
        "source completion.bash",
        &[&TYPED[..], &group].concat(),
    );
}

#[test]
fn zsh_completes_words_devices_keys_and_files() {
    let stage = stage();
    let command = shell(&stage, &["zsh", "-f", "-i"]);
    let prepare = "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -d zdump; unsetopt beep";
    let group = [("nethsm-cli -d @ra", "rack1 ")];
    typed(command, prepare, &[&TYPED[..], &group].concat());
}

#[test]
fn fish_completes_words_devices_keys_and_files() {
    let stage = stage();
    for (line, expected) in TYPED.iter().chain(&[("nethsm-cli -d @ra", "@rack1 ")]) {
        let script = format!("source completion.fish; complete --do-complete '{line}'");
        let output = shell(&stage, &["fish", "--no-config", "-c", &script])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        let values: Vec<&str> = said
            .lines()
            .map(|line| line.split('\t').next().unwrap())
            .collect();
        let value = expected.trim_end();
        assert!(
            values.iter().any(|found| found.ends_with(value)) && values.len() == 1,
            "{line}: {said}{errors}"
        );
    }
}
