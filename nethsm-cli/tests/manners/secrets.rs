//! Where passphrases must not be: arguments, environment, what is said, what is traced, files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use signstar_nethsm_simulator::Fault;

use crate::stage::Stage;

const PASSPHRASE: &str = "passphrase-of-admin";
const WRONG: &str = "not-the-right-passphrase";

/// Everything that can be seen of a run by name.
struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    /// Starts `command`, looks at the process while the device thinks, and at what is left.
    fn of(stage: &Stage, command: &mut Command, operation: &str) -> Self {
        let slow = Fault::Delay(Duration::from_millis(400));
        stage.device.fail_next(None, slow, 1);
        let asked = stage.device.requests(operation);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while stage.device.requests(operation) == asked {
            std::thread::yield_now();
        }
        let read = |name: &str| fs::read(format!("/proc/{}/{name}", child.id())).unwrap();
        let mut seen = vec![
            ("arguments".to_owned(), read("cmdline")),
            ("environment".to_owned(), read("environ")),
        ];
        assert!(seen.iter().all(|(_, bytes)| !bytes.is_empty()));
        let output = child.wait_with_output().unwrap();
        seen.push(("standard output".to_owned(), output.stdout));
        seen.push(("standard error".to_owned(), output.stderr));
        files(stage.folder.path(), &mut seen);
        Self(seen)
    }

    /// Where `secret` is.
    fn places(&self, secret: &str) -> Vec<&str> {
        let has = |bytes: &[u8]| {
            let mut parts = bytes.windows(secret.len());
            parts.any(|part| part == secret.as_bytes())
        };
        let places = self.0.iter().filter(|(_, bytes)| has(bytes));
        places.map(|(name, _)| name.as_str()).collect()
    }
}

/// All files but those that passphrases are kept in.
fn files(folder: &Path, seen: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files(&path, seen);
        } else if !name.ends_with(".txt") {
            seen.push((name, fs::read(&path).unwrap()));
        }
    }
}

/// Asks with all that can be said, so that a leak has somewhere to go.
fn loud(stage: &Stage, line: &str) -> Command {
    let mut command = stage.command(line);
    command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    command
}

#[test]
fn a_planted_passphrase_is_found_in_each_place() {
    let stage = Stage::operational();
    let planted = "planted-passphrase-0123456789";
    let line = format!("--trace --user {planted} --passphrase-file admin.txt user list");
    let mut command = loud(&stage, &line);
    command.env("NETHSM_AS_NAMESPACE", planted);
    fs::write(stage.folder.path().join("leak"), planted).unwrap();
    let seen = Seen::of(&stage, &mut command, "users_get");
    assert_eq!(
        seen.places(planted),
        ["arguments", "environment", "standard error", "leak"]
    );
    let user = format!("user add {planted} --role Metrics --new-passphrase-from file:new.txt");
    assert_eq!(stage.cli(&user).0, 0);
    let seen = Seen::of(&stage, &mut loud(&stage, "user list"), "users_get");
    let mut places = seen.places(planted);
    places.sort_unstable();
    // The list that completions know is a file, too.
    assert_eq!(places, ["known.json", "leak", "standard output"]);
}

#[test]
fn passphrases_are_in_no_argument_variable_output_trace_or_file() {
    let stage = Stage::operational();
    let folder = stage.folder.path().to_owned();
    for source in [
        "file:admin.txt",
        "command:cat admin.txt",
        "credential:admin.txt",
    ] {
        let mut command = loud(&stage, "--trace --user admin");
        command
            .args(["--passphrase-from", source])
            .args(["user", "list", "--long"])
            .env("CREDENTIALS_DIRECTORY", &folder);
        let seen = Seen::of(&stage, &mut command, "users_get");
        assert_eq!(seen.places(PASSPHRASE), Vec::<&str>::new(), "{source}");
        let (_, shown) = &seen.0[2];
        let shown = String::from_utf8_lossy(shown);
        assert!(shown.contains("Administrator"), "{source}: {shown}");
        let (_, traced) = &seen.0[3];
        let traced = String::from_utf8_lossy(traced);
        assert!(traced.contains("users_get as admin"), "{source}: {traced}");
    }
}

#[test]
fn a_descriptor_brings_a_passphrase_once_and_nothing_else_sees_it() {
    let stage = Stage::operational();
    // A pipe, as a program that keeps secrets gives it, and a file.
    for given in ["7<admin.txt", "7<<END\npassphrase-of-admin\nEND\n"] {
        let cli = env!("CARGO_BIN_EXE_nethsm-cli");
        let script =
            format!("exec {cli} --trace --user admin --passphrase-from fd:7 user whoami {given}");
        let mut command = Command::new("bash");
        fs::write(stage.folder.path().join("script.txt"), script).unwrap();
        command.arg("script.txt");
        let command = stage.at_home(&mut command);
        let seen = Seen::of(&stage, command, "users_user_id_get");
        assert_eq!(seen.places(PASSPHRASE), Vec::<&str>::new(), "{given}");
        assert_eq!(seen.0[2].1, b"admin: Administrator (admin)\n", "{given}");
    }
    let (status, said) = stage.cli("--user admin --passphrase-from fd:77 user whoami");
    assert_eq!(status, 1, "{said}");
}

#[test]
fn errors_and_requests_with_new_passphrases_do_not_show_them() {
    let stage = Stage::operational();
    let mut command = loud(
        &stage,
        "--trace --user admin --passphrase-file wrong.txt user list",
    );
    let seen = Seen::of(&stage, &mut command, "users_get");
    assert_eq!(seen.places(WRONG), Vec::<&str>::new());
    assert!(String::from_utf8_lossy(&seen.0[3].1).contains("refuses admin"));
    let mut command = loud(
        &stage,
        "--trace user passphrase operator --new-passphrase-from file:new.txt",
    );
    let seen = Seen::of(&stage, &mut command, "users_user_id_passphrase_post");
    assert_eq!(seen.places("another-passphrase"), Vec::<&str>::new());
    assert!(String::from_utf8_lossy(&seen.0[2].1).contains("operator has another passphrase"));
}

/// What a program that is run sees of itself, and what it leaves where files could be.
fn run(stage: &Stage, script: &str) -> String {
    let mut command = stage.command("--trace run --");
    command.args(["bash", "-c", script]);
    command.env("RUST_LOG", "trace");
    command.env("XDG_RUNTIME_DIR", stage.folder.path());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn a_program_that_is_run_has_the_passphrase_in_one_descriptor_and_nowhere_else() {
    let stage = Stage::operational();
    let secret = "passphrase-of-operator";
    // It is there, or nothing of this would say anything.
    assert!(run(&stage, "cat $NETHSM_PASSPHRASE_FILE").contains(secret));
    let look = "tr '\\0' '\\n' </proc/$$/environ; tr '\\0' ' ' </proc/$$/cmdline; \
                tr '\\0' ' ' </proc/$PPID/cmdline; tr '\\0' '\\n' </proc/$PPID/environ; \
                ls -l /proc/$$/fd; grep -rl --exclude='*.txt' passphrase-of-oper[a]tor . || true";
    let said = run(&stage, look);
    assert!(!said.contains(secret), "{said}");
    assert!(said.contains("NETHSM_USER=operator"), "{said}");
    assert_eq!(said.matches("memfd:nethsm-passphrase").count(), 1, "{said}");
    // Of several devices, none has that of another.
    let stage = Stage::two();
    let (status, said) = stage.cli("--all run -- ls -l /proc/self/fd");
    assert_eq!(status, 0, "{said}");
    assert_eq!(said.matches("memfd:nethsm-passphrase").count(), 2, "{said}");
}
