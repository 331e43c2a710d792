//! What the process looks like from outside while it waits for input, and what it leaves behind.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::scene::{
    assert_refused, assert_signed, to_socket, until_waiting_in, LogSocket, INPUT, POLL,
    SOCKET_SINKS,
};
use crate::support::world::{SIGNER, SIGNERS};
use crate::support::{Configuration, Running, World};

/// A shell that has locked itself down and waits for input.
pub(crate) fn waiting(world: &World) -> Running {
    let running = world.shell().start();
    until_waiting_in(&running, POLL);
    running
}

fn proc(running: &Running, file: &str) -> String {
    fs::read_to_string(format!("/proc/{}/{file}", running.id())).unwrap()
}

/// A line of /proc/PID/status.
fn status(running: &Running, name: &str) -> String {
    let text = proc(running, "status");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("{name}: {text}"))
        .trim()
        .to_owned()
}

#[test]
fn the_waiting_process_is_confined_locked_in_memory_and_alone() {
    let world = World::new();
    let running = waiting(&world);
    assert_eq!(status(&running, "Seccomp"), "2");
    assert_eq!(status(&running, "Seccomp_filters"), "1");
    assert_eq!(status(&running, "NoNewPrivs"), "1");
    assert_eq!(status(&running, "Threads"), "1");
    assert_eq!(status(&running, "Umask"), "0077");
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status(&running, set), "0000000000000000", "{set}");
    }
    let id = SIGNER.id;
    assert_eq!(status(&running, "Uid"), format!("{id}\t{id}\t{id}\t{id}"));
    assert_eq!(
        status(&running, "Gid"),
        std::array::from_fn::<_, 4, _>(|_| SIGNERS.to_string()).join("\t")
    );
    let locked = status(&running, "VmLck");
    let kilobytes: u64 = locked.strip_suffix(" kB").unwrap().trim().parse().unwrap();
    assert!(kilobytes > 0, "{locked}");
    // A signal that somebody had blocked or ignored would not end it.
    for set in ["SigBlk", "SigCgt"] {
        let mask = u64::from_str_radix(&status(&running, set), 16).unwrap();
        assert_eq!(mask & 1 << 13, 0, "SIGALRM in {set}");
    }
    assert_signed(&{
        let mut running = running;
        running.send(INPUT);
        running.outcome()
    });
}

#[test]
fn the_waiting_process_is_not_dumpable_and_shows_its_account_nothing() {
    let world = World::new();
    let running = waiting(&world);
    let folder = PathBuf::from(format!("/proc/{}", running.id()));
    for file in ["environ", "mem", "maps", "fd"] {
        let owner = fs::metadata(folder.join(file)).unwrap().uid();
        assert_eq!(owner, 0, "{file}");
    }
    let inside = status(&running, "NSpid");
    let inside = inside.split_whitespace().last().unwrap();
    let read = |file: &str, account: u32| {
        let path = format!("/proc/{inside}/{file}");
        world.run(Command::new("cat").arg(path).uid(account).gid(SIGNERS))
    };
    for file in ["environ", "maps", "auxv", "stack"] {
        assert_ne!(read(file, SIGNER.id).code(), 0, "{file}");
    }
    // Positive control: root can, and the account can with a process that is dumpable.
    assert_eq!(read("environ", 0).code(), 0);
    let script = "sleep 60 & cat /proc/$!/environ /proc/$!/maps > /dev/null && kill $!";
    let sleeper = world.run(
        Command::new("sh")
            .args(["-c", script])
            .uid(SIGNER.id)
            .gid(SIGNERS),
    );
    assert_eq!(sleeper.code(), 0, "{sleeper:?}");
}

#[test]
fn limits_are_those_of_the_documentation() {
    let limit = |running: &Running, name: &str| -> String {
        let text = proc(running, "limits");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let world = World::new();
    let running = waiting(&world);
    assert_eq!(limit(&running, "Max core file size"), "0 0");
    assert_eq!(limit(&running, "Max open files"), "32 32");
    assert_eq!(limit(&running, "Max address space"), "67108864 67108864");
    assert_eq!(
        limit(&running, "Max file size"),
        "1099511627776 1099511627776"
    );
    drop(running);
    let text =
        "sink = \"file\"\n[audit.file]\npath = \"/run/signstar/audit.log\"\nbytes-max = 2000000";
    world.configure(
        &Configuration::new()
            .audit(text)
            .user("memory-bytes-max = 33554432"),
    );
    let running = waiting(&world);
    assert_eq!(limit(&running, "Max address space"), "33554432 33554432");
    assert_eq!(limit(&running, "Max file size"), "2000000 2000000");
    drop(running);
    world.configure(&to_socket(SOCKET_SINKS[0], 2000));
    let _socket = LogSocket::bind(&world);
    assert_eq!(limit(&waiting(&world), "Max file size"), "0 0");
}

/// What is open, by what it is, with its flags.
fn open(running: &Running) -> Vec<(String, u32)> {
    let folder = format!("/proc/{}/fd", running.id());
    let mut numbers: Vec<u32> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    numbers.sort_unstable();
    let what = |number: &u32| {
        let target = fs::read_link(format!("{folder}/{number}")).unwrap();
        let target = target.to_str().unwrap().to_owned();
        let info = proc(running, &format!("fdinfo/{number}"));
        let flags = info
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        let kind = target.split(':').next().unwrap().to_owned();
        (kind, u32::from_str_radix(flags.trim(), 8).unwrap())
    };
    numbers.iter().map(what).collect()
}

const ACCESS: u32 = 0o3;
const WRITE_ONLY: u32 = 0o1;
const APPEND: u32 = 0o2000;

#[test]
fn nothing_is_open_but_streams_sink_and_session() {
    let world = World::new();
    let running = waiting(&world);
    let found = open(&running);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "pipe",
            "pipe",
            "pipe",
            "/run/signstar/audit.log",
            "/run/signstar/sessions/signer"
        ]
    );
    assert_eq!(found[3].1 & (ACCESS | APPEND), WRITE_ONLY | APPEND);
    drop(running);
    world.configure(&to_socket(SOCKET_SINKS[0], 2000));
    let _socket = LogSocket::bind(&world);
    let names: Vec<String> = open(&waiting(&world))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names[3..], ["socket", "/run/signstar/sessions/signer"]);
}

#[test]
fn inherited_descriptors_are_closed() {
    let world = World::new();
    let script = "exec 5</etc/passwd 9>/tmp/stray; exec -a signstar /usr/bin/signstar -c \
                  /usr/bin/signstar";
    let shell = world
        .shell()
        .through("/bin/bash", &["-c".as_ref(), script.as_ref()]);
    let running = shell.start();
    until_waiting_in(&running, POLL);
    assert_eq!(open(&running).len(), 5);
    assert_eq!(
        fs::read_link(format!("/proc/{}/cwd", running.id())).unwrap(),
        Path::new("/")
    );
}

/// Everything that is in the world's own folders: kind, mode, owner, time and content.
fn tree(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let content = match meta.is_file() {
            true => fs::read(&path).unwrap(),
            false => Vec::new(),
        };
        let times = (
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        );
        let facts = (
            meta.mode(),
            meta.uid(),
            meta.gid(),
            times,
            meta.ino(),
            content,
        );
        found.insert(path.clone(), format!("{facts:?}"));
        if meta.is_dir() {
            tree(&path, found);
        }
    }
}

#[test]
fn nothing_in_the_world_changes_but_the_audit_log() {
    let world = World::new();
    let log = world.path("/run/signstar/audit.log");
    for input in [INPUT.to_vec(), Vec::new(), vec![0x55; 3 << 20]] {
        let shell = world.shell();
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        let root = world.path("/");
        tree(&root, &mut before);
        assert!(before.len() > 30, "{}", before.len());
        let old = fs::read(&log).unwrap();
        let outcome = shell.run(&input);
        assert_eq!(outcome.code() == 0, !input.is_empty());
        tree(&root, &mut after);
        let new = fs::read(&log).unwrap();
        assert!(
            new.len() > old.len() && new.starts_with(&old),
            "not appended"
        );
        for facts in [&mut before, &mut after] {
            facts.remove(&log).unwrap();
        }
        assert_eq!(before, after);
    }
    let outcome = world.shell().run(b"");
    assert_refused(&outcome, signstar_core::Refusal::InputEmpty);
}
