//! What is left of a request in a world: processes, files, sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{until, World};

/// Everything in a world that somebody could have added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    /// Living processes: number and name.
    processes: BTreeMap<u32, String>,
    /// Files where accounts can write: path, and mode, size and time of change.
    files: BTreeMap<String, (u32, u64, i64, i64)>,
    /// Sockets that listen, by protocol and address, and named Unix sockets.
    sockets: BTreeSet<String>,
}

/// Where an account could write.
const WRITABLE: [&str; 5] = ["tmp", "run", "home", "var/tmp", "dev/shm"];

/// How long sshd may take to clean up.
const SETTLING: Duration = Duration::from_secs(10);

/// What may differ: the records.
const RECORDS: &str = "run/signstar/audit.log";

impl Traces {
    /// What there is now.
    pub(crate) fn of(world: &World) -> Self {
        let mut files = BTreeMap::new();
        for folder in WRITABLE {
            list(&world.path(""), &world.path(folder), &mut files);
        }
        files.remove(RECORDS);
        Self {
            processes: processes(world),
            files,
            sockets: sockets(world),
        }
    }

    /// Waits until nothing is there that was not there before.
    #[track_caller]
    pub(crate) fn settle(&self, world: &World, what: &str) {
        let start = Instant::now();
        let mut differences = self.differences(&Self::of(world));
        while !differences.is_empty() && start.elapsed() < SETTLING {
            std::thread::sleep(Duration::from_millis(5));
            differences = self.differences(&Self::of(world));
        }
        assert!(
            differences.is_empty(),
            "{what} has left something behind: {differences:#?}"
        );
    }

    /// What is there in one of them only.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let lines = |traces: &Self| -> BTreeSet<String> {
            let processes = traces
                .processes
                .iter()
                .map(|process| format!("{process:?}"));
            let files = traces.files.iter().map(|file| format!("{file:?}"));
            processes
                .chain(files)
                .chain(traces.sockets.clone())
                .collect()
        };
        let (before, after) = (lines(self), lines(other));
        let gone = before
            .difference(&after)
            .map(|line| format!("gone: {line}"));
        let new = after.difference(&before).map(|line| format!("new: {line}"));
        gone.chain(new).collect()
    }
}

/// Waits until a process of `name` is there; its number in the world.
pub(crate) fn until_process(world: &World, name: &str) -> u32 {
    let mut found = None;
    until(&format!("a {name} is there"), || {
        let all = processes(world);
        found = all
            .iter()
            .find(|(_, process)| *process == name)
            .map(|(number, _)| *number);
        found.is_some()
    });
    found.expect("it was found")
}

/// Waits until no process of `name` is left.
pub(crate) fn until_no_process(world: &World, name: &str) {
    until(&format!("no {name} is left"), || {
        processes(world).values().all(|process| process != name)
    });
}

/// Living processes of the world, by the numbers that it gives them.
pub(crate) fn processes(world: &World) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(world.any_path("/proc")).expect("the world's /proc") {
        let entry = entry.expect("an entry");
        let Some(number) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // The first one is the harness.
        if number == 1 {
            continue;
        }
        // It may be gone by now. One that has ended and was not waited for is no process any more.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else {
            continue;
        };
        let state = stat[close + 1..].trim_start();
        if !state.starts_with(['Z', 'X']) {
            found.insert(number, stat[open + 1..close].to_owned());
        }
    }
    found
}

fn list(root: &Path, folder: &Path, files: &mut BTreeMap<String, (u32, u64, i64, i64)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let Ok(status) = fs::symlink_metadata(&path) else {
            continue;
        };
        let name = path
            .strip_prefix(root)
            .expect("below")
            .display()
            .to_string();
        if status.is_dir() {
            // Its time changes when sshd puts its own short-lived file there.
            files.insert(name, (status.mode(), 0, 0, 0));
            list(root, &path, files);
        } else {
            let changed = (status.mtime(), status.mtime_nsec());
            files.insert(name, (status.mode(), status.len(), changed.0, changed.1));
        }
    }
}

/// Sockets that listen, and named ones.
pub(crate) fn sockets(world: &World) -> BTreeSet<String> {
    const LISTENING: &str = "0A";
    let mut found = BTreeSet::new();
    for protocol in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let path = world.any_path(&format!("/proc/1/net/{protocol}"));
        // A kernel without IPv6 has no such list.
        let text = fs::read_to_string(path).unwrap_or_default();
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [_, address, _, state, ..] = words.as_slice() {
                if !protocol.starts_with("tcp") || *state == LISTENING {
                    found.insert(format!("{protocol} {address}"));
                }
            }
        }
    }
    let text = fs::read_to_string(world.any_path("/proc/1/net/unix")).expect("Unix sockets");
    for line in text.lines().skip(1) {
        if let Some(name) = line.split_whitespace().nth(7) {
            found.insert(format!("unix {name}"));
        }
    }
    found
}
