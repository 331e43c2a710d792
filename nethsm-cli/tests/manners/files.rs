//! Files that are written while something breaks: the old one stays, and no half one has its name.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use signstar_nethsm_simulator::Fault;

use crate::stage::Stage;
use crate::with_backups;

const BACKUP: &str = "backup create --out kept";

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Names in the folder that were not there before.
fn new_names(stage: &Stage, before: &[String]) -> Vec<String> {
    let mut names = names(stage);
    names.retain(|name| !before.contains(name));
    names
}

pub(crate) fn names(stage: &Stage) -> Vec<String> {
    let entries = fs::read_dir(stage.folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_backup_that_is_interrupted_leaves_the_old_one() {
    let stage = with_backups();
    let path = stage.folder.path().join("kept");
    assert_eq!(stage.cli(BACKUP).0, 0);
    assert_eq!(mode(&path), 0o600);
    let (old, before) = (fs::read(&path).unwrap(), names(&stage));
    let half = [
        b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 9000\r\n\r\n".to_vec(),
        old[..old.len() / 2].to_vec(),
    ];
    let short = [
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
            old.len() / 2
        )
        .into_bytes(),
        old[..old.len() / 2].to_vec(),
    ];
    for fault in [
        Fault::Cut,
        Fault::CloseBefore,
        Fault::CloseAfter,
        Fault::Raw(half.concat()),
        // As many as it has promised, but no whole backup.
        Fault::Raw(short.concat()),
        Fault::Raw(Vec::new()),
        Fault::Status(503, String::new()),
    ] {
        let name = format!("{fault:?}").chars().take(20).collect::<String>();
        stage.device.fail_next(Some("system_backup_post"), fault, 1);
        let (status, said) = stage.cli(BACKUP);
        assert_eq!(status, 1, "{name}: {said}");
        assert_eq!(fs::read(&path).unwrap(), old, "{name}");
        assert_eq!(new_names(&stage, &before), Vec::<String>::new(), "{name}");
    }
    // A device that sends octet after octet and then dies.
    let slow = Fault::Drip(Duration::from_millis(5));
    stage.device.fail_next(Some("system_backup_post"), slow, 1);
    let mut command = stage.command(BACKUP);
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = stage.device.requests("system_backup_post");
    while stage.device.requests("system_backup_post") == asked {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(200));
    stage.device.power_off();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read(&path).unwrap(), old);
    assert_eq!(new_names(&stage, &before), Vec::<String>::new());
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let stage = with_backups();
    let cli = env!("CARGO_BIN_EXE_nethsm-cli");
    // A disk of its own, first with space and then without.
    let script = format!(
        "set -eu
        mkdir disk
        mount -t tmpfs -o size=64k,mode=700 tmpfs disk
        cp config.toml disk/; chmod 600 disk/config.toml
        {cli} backup create --out disk/kept >&2
        {cli} --config disk/config.toml device rename one uno >&2
        {cli} --config disk/config.toml device rename uno one >&2
        cp disk/kept before; cp disk/config.toml config.before
        cat /dev/zero > disk/filler 2>/dev/null || true
        said() {{ if \"$@\" 2>said; then echo done; else echo \"$? $(cat said)\"; fi; }}
        said {cli} backup create --out disk/kept
        said {cli} backup create --out disk/new
        said {cli} key public packages --out disk/kept
        said {cli} config export --out disk/new
        said {cli} --config disk/config.toml device rename one uno
        cmp disk/kept before && cmp disk/config.toml config.before
        stat -c '%a %n' disk/kept disk/config.toml
        ls -A disk"
    );
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let words = ["--mount", "sh", "-c", &script];
    let output = stage.at_home(command.args(words)).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let full = |name: &str| format!("1 nethsm-cli: disk/{name}: the disk is full\n");
    let expected = [
        full("kept"),
        full("new"),
        full("kept"),
        full("new"),
        full("config.toml"),
        "600 disk/kept\n600 disk/config.toml\nconfig.toml\nfiller\nkept\n".to_owned(),
    ];
    assert_eq!(said, expected.concat(), "{errors}");
}
