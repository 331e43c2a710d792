//! What is asked at a terminal.

use crate::stage::{PASSPHRASES, Stage};
use crate::terminal::Terminal;

fn passphrase(name: &str) -> String {
    let found = PASSPHRASES.iter().find(|(known, _)| *known == name);
    format!("{}\n", found.unwrap().1)
}

fn start(stage: &Stage, line: &str) -> Terminal {
    Terminal::start(&mut stage.command(line), 80)
}

fn requests(stage: &Stage) -> u64 {
    stage.device.all_requests().values().sum()
}

#[test]
fn a_prompt_names_role_user_and_device_and_shows_nothing() {
    let stage = Stage::operational();
    let mut terminal = start(&stage, "--passphrase-from prompt key list");
    terminal.wait_for("Passphrase of admin (Administrator) on one: ");
    terminal.wait_for_silence();
    // Keys that edit do, though nothing is seen of it: away with all, and with a letter of two bytes.
    terminal.write("something else\u{15}");
    terminal.write("pasé\u{7f}");
    terminal.write(passphrase("admin").strip_prefix("pas").unwrap());
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    assert!(
        !shown.contains("else") && !shown.contains("of-admin"),
        "{shown}"
    );
}

#[test]
fn a_wrong_passphrase_is_asked_for_once_and_tried_once() {
    let stage = Stage::operational();
    let before = requests(&stage);
    let mut terminal = start(&stage, "--passphrase-from prompt user list --long");
    terminal.wait_for("on one: ");
    terminal.wait_for_silence();
    terminal.write("not-the-right-one\n");
    let (status, shown) = terminal.end();
    assert_eq!((status, requests(&stage) - before), (3, 1), "{shown}");
    assert_eq!(shown.matches("Passphrase of").count(), 1);
    assert!(!shown.contains("not-the-right-one"));
}

#[test]
fn a_new_passphrase_is_asked_for_twice_and_both_must_be_the_same() {
    let stage = Stage::operational();
    let add = "user add zoe --role Operator";
    let before = requests(&stage);
    let mut terminal = start(&stage, add);
    terminal.wait_for("Passphrase of zoe (Operator) on one, a new one: ");
    terminal.wait_for_silence();
    terminal.write("correct horse battery\n");
    terminal.wait_for("Passphrase of zoe (Operator) on one, once more: ");
    terminal.wait_for_silence();
    terminal.write("correct horse batter\n");
    let (status, shown) = terminal.end();
    assert_eq!((status, requests(&stage) - before), (2, 0), "{shown}");
    assert!(shown.contains("the two passphrases differ"), "{shown}");
    assert!(!shown.contains("correct"), "{shown}");

    let mut terminal = start(&stage, add);
    for question in ["a new one: ", "once more: "] {
        terminal.wait_for(question);
        terminal.wait_for_silence();
        terminal.write("correct horse battery\n");
    }
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    std::fs::write(
        stage.folder.path().join("zoe.txt"),
        "correct horse battery\n",
    )
    .unwrap();
    let (status, said) = stage.cli("--user zoe --passphrase-file zoe.txt user whoami");
    assert_eq!((status, said.as_str()), (0, "zoe: Operator (zoe)\ntags:\n"));
}

#[test]
fn an_interruption_at_a_prompt_leaves_the_terminal_as_it_was() {
    let stage = Stage::operational();
    let before = requests(&stage);
    let mut terminal = start(&stage, "--passphrase-from prompt key list");
    let settings = terminal.settings();
    assert!(terminal.echoes());
    terminal.wait_for("on one: ");
    terminal.wait_for_silence();
    assert_ne!(terminal.settings(), settings);
    terminal.write("half of it\u{3}");
    // It ends by itself; the terminal is asked while it is there.
    while !terminal.echoes() {
        std::thread::yield_now();
    }
    assert_eq!(terminal.settings(), settings);
    let (status, shown) = terminal.end();
    assert_eq!((status, requests(&stage) - before), (2, 0), "{shown}");
    assert!(shown.contains("interrupted: nothing was done"), "{shown}");
    assert!(!shown.contains("half"), "{shown}");
}

#[test]
fn a_key_goes_when_its_name_is_written_and_not_otherwise() {
    let stage = Stage::operational();
    let (status, _) = stage.cli("key generate EC_P256 --id packages");
    assert_eq!(status, 0);
    let mut terminal = start(&stage, "key remove packages");
    terminal.wait_for("one: key packages will be gone for ever");
    terminal.wait_for("Write packages to go on: ");
    terminal.write("yes\n");
    let (status, shown) = terminal.end();
    assert_eq!(status, 2, "{shown}");
    let mut terminal = start(&stage, "key remove packages");
    terminal.wait_for("to go on: ");
    terminal.write("packages\n");
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    assert_eq!(stage.cli("key list"), (0, String::new()));
}

#[test]
fn a_passphrase_that_is_made_is_shown_once_and_is_the_right_one() {
    let stage = Stage::operational();
    let mut terminal = start(
        &stage,
        "user passphrase metrics --generate-passphrase terminal",
    );
    terminal.wait_for("Passphrase of metrics on one, shown once: ");
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    let (_, rest) = shown.split_once("shown once: ").unwrap();
    let made = rest.lines().next().unwrap();
    assert_eq!(
        (made.len(), shown.matches(made).count()),
        (29, 1),
        "{shown}"
    );
    std::fs::write(stage.folder.path().join("made"), made).unwrap();
    let (status, said) = stage.cli("--user metrics --passphrase-file made metrics --output json");
    assert_eq!(status, 0, "{said}");
}

#[test]
fn a_program_that_is_run_has_the_terminal() {
    let stage = Stage::operational();
    let mut command = stage.command("run --");
    command.args([
        "sh",
        "-c",
        "test -t 0 && test -t 1 && read x && echo got $x",
    ]);
    let mut terminal = Terminal::start(&mut command, 80);
    terminal.write("this\n");
    terminal.wait_for("got this");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn who_joins_a_cluster_is_told_what_goes_before_anything_is_asked() {
    let stage = Stage::operational();
    for line in [
        "config set backup-passphrase --new-passphrase-from file:backups.txt",
        "cluster add https://192.0.2.2:2380 --out kit.json",
        "key generate EC_P256 --id packages",
    ] {
        assert_eq!(stage.cli(line).0, 0, "{line}");
    }
    let mut terminal = start(&stage, "cluster join kit.json");
    terminal.wait_for(
        "one: 1 key (packages), 4 users (admin, backup, metrics, operator) and no namespaces",
    );
    terminal.wait_for("TLS key, network, log, clock and unattended boot stay");
    terminal.wait_for("Write yes to go on: ");
    terminal.write("no\n");
    let (status, shown) = terminal.end();
    assert_eq!(status, 2, "{shown}");
    assert_eq!(stage.device.requests("cluster_join_post"), 0);
    assert_eq!(stage.cli("key list"), (0, "packages\n".to_owned()));
}
