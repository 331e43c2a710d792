//! A process that is killed while it writes: at each call that makes, fills, names or settles a file.

use std::fs;
use std::process::Command;

use crate::files::{mode, names};
use crate::stage::Stage;
use crate::with_backups;

/// What a call is about.
#[derive(Clone, Copy, Debug)]
enum About {
    Draft,
    Folder,
}

/// The calls, and whether the new file may have its name when one of them does not return.
const CALLS: [(&str, About, bool); 6] = [
    ("openat", About::Draft, false),
    ("write", About::Draft, false),
    ("fchmod", About::Draft, false),
    ("fsync", About::Draft, false),
    ("rename", About::Draft, true),
    // The last one: it has its name by then.
    ("fsync", About::Folder, true),
];

/// Runs `line` and kills it at its first `call` of that kind; whether that came.
fn killed(stage: &Stage, line: &str, draft: &str, (call, about): (&str, About)) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "strace.txt"]);
    // As it is opened, and as its descriptor is called.
    let folder = stage.folder.path().canonicalize().unwrap();
    match about {
        About::Draft => {
            strace.args(["-P", &format!("./{draft}"), "-P"]);
            strace.arg(folder.join(draft));
        }
        About::Folder => {
            strace.arg("-P").arg(folder);
        }
    }
    strace.args(["-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when=1")]);
    strace.arg(env!("CARGO_BIN_EXE_nethsm-cli"));
    strace.args(line.split(' '));
    let output = stage.at_home(&mut strace).output().unwrap();
    let trace = fs::read_to_string(stage.folder.path().join("strace.txt")).unwrap();
    fs::remove_file(stage.folder.path().join("strace.txt")).unwrap();
    assert!(
        output.status.success() || trace.contains("SIGKILL"),
        "{call}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    trace.contains("killed by SIGKILL")
}

/// Kills `line`, which writes `name`, at each call, and looks what is there then.
fn survives(stage: &Stage, line: &str, name: &str, whole: impl Fn(&[u8]) -> bool) {
    let folder = stage.folder.path();
    let (path, draft) = (folder.join(name), format!(".{name}.new"));
    let mut new_ones = 0;
    for (call, about, may_be_new) in CALLS {
        let (old, before) = (fs::read(&path).unwrap(), names(stage));
        let was_killed = killed(stage, line, &draft, (call, about));
        assert!(was_killed, "{call} of {about:?} was never made");
        let found = fs::read(&path).unwrap();
        let is_new = found != old;
        new_ones += usize::from(is_new);
        assert!(!is_new || may_be_new, "{call}");
        assert!(whole(&found), "{call}: half a file");
        assert_eq!(mode(&path), 0o600, "{call}");
        // What is left over is nobody else's to read, and in nobody's way.
        let left: Vec<String> = names(stage)
            .into_iter()
            .filter(|name| !before.contains(name))
            .collect();
        for name in &left {
            assert_eq!(*name, draft, "{call}");
            assert_eq!(mode(&folder.join(name)), 0o600, "{call}");
        }
        if is_new {
            fs::write(&path, &old).unwrap();
        }
        let (status, said) = stage.cli(line);
        assert_eq!(status, 0, "{call}: {said}");
        assert!(!folder.join(&draft).exists(), "{call}");
        fs::write(&path, &old).unwrap();
    }
    // Somewhere on the way the new one has taken the name.
    assert!(new_ones > 0, "the new file never got its name");
}

#[test]
fn a_backup_is_the_old_one_or_the_new_one() {
    let stage = with_backups();
    let line = "backup create --out kept";
    assert_eq!(stage.cli(line).0, 0);
    survives(&stage, line, "kept", |found| {
        found.starts_with(b"_NETHSM_BACKUP_") && found.ends_with(b"_NETHSM_BACKUP_END_")
    });
}

#[test]
fn the_profile_is_the_old_one_or_the_new_one() {
    let stage = Stage::fresh();
    let folder = stage.folder.path();
    assert_eq!(stage.cli("device default one").0, 0);
    let old = fs::read(folder.join("config.toml")).unwrap();
    let line = "device add two 192.0.2.1";
    survives(&stage, line, "config.toml", |found| {
        let text = String::from_utf8_lossy(found);
        found == old
            || text.starts_with("# Written by hand.") && text.contains("url = \"192.0.2.1\"")
    });
}
