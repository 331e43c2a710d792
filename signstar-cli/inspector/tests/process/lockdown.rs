//! Lock-down that is made to fail by a filter outside: the process ends before it reads input. And
//! what the kernel says of one that is confined.

use std::fs;
use std::process::Command;

use crate::program::{Running, binary};
use crate::support::{archive, gzip};

/// Makes one system call fail and becomes the inspector.
const LAUNCHER: &str = include_str!("../../../confine/tests/data/failing_call.py");

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

/// System calls of x86_64.
const CHDIR: u32 = 80;
const UMASK: u32 = 95;
const PRCTL: u32 = 157;
const SWAPOFF: u32 = 168;
const PRLIMIT64: u32 = 302;
const SECCOMP: u32 = 317;
const LANDLOCK_CREATE_RULESET: u32 = 444;
const LANDLOCK_RESTRICT_SELF: u32 = 446;

/// The inspector, where a call fails with an errno, or only pretends to work where that is 0. With an
/// argument and its value only such calls do.
fn failing(call: u32, errno: u32, argument: Option<(u32, u32)>) -> Running {
    let (position, value) = argument.unwrap_or((6, 0));
    let words = [call, errno, position, value].map(|word| word.to_string());
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-I", "-S", "-c", LAUNCHER]).args(words);
    command.arg(binary()).args(["inspector", "pacman-database"]);
    command.current_dir("/tmp");
    Running::of(command)
}

#[test]
fn it_answers_under_a_filter_that_has_nothing_to_do_with_it() {
    let mut running = failing(SWAPOFF, EPERM, None);
    assert!(running.feed(&gzip(&archive(&[]))));
    assert_eq!(running.end().identity().entries, 0);
}

#[test]
fn no_input_is_read_and_nothing_said_when_a_step_fails() {
    for (call, errno, argument) in [
        (PRCTL, EPERM, None),
        (PRCTL, EPERM, Some((0, 1))), // PR_SET_PDEATHSIG
        (PRCTL, EPERM, Some((0, 4))), // PR_SET_DUMPABLE
        (PRCTL, 0, Some((0, 4))),
        (PRCTL, EPERM, Some((0, 38))), // PR_SET_NO_NEW_PRIVS
        (PRCTL, 0, Some((0, 39))),
        (UMASK, 0, None),
        (CHDIR, EPERM, None),
        (CHDIR, 0, None),
        (PRLIMIT64, EPERM, None),
        (PRLIMIT64, EPERM, Some((1, 0))), // RLIMIT_CPU
        (PRLIMIT64, EPERM, Some((1, 1))), // RLIMIT_FSIZE
        (PRLIMIT64, EPERM, Some((1, 4))), // RLIMIT_CORE
        (PRLIMIT64, EPERM, Some((1, 7))), // RLIMIT_NOFILE
        (PRLIMIT64, EPERM, Some((1, 9))), // RLIMIT_AS
        (LANDLOCK_CREATE_RULESET, ENOSYS, None),
        (LANDLOCK_CREATE_RULESET, EPERM, None),
        (LANDLOCK_RESTRICT_SELF, EPERM, None),
        (LANDLOCK_RESTRICT_SELF, 0, None),
        (SECCOMP, EPERM, None),
        (SECCOMP, ENOSYS, None),
    ] {
        let mut running = failing(call, errno, argument);
        // More than a pipe holds: whoever does not read cannot have it written.
        let taken = running.feed(&vec![0; 1 << 20]);
        let end = running.end();
        assert!(!taken, "{call} {errno} {argument:?} has read");
        assert_eq!(
            (end.status.code(), end.stdout.len()),
            (Some(70), 0),
            "{call} {errno} {argument:?}"
        );
    }
}

#[test]
fn it_is_confined_while_it_waits_for_input() {
    let mut running = Running::start(&["iso"]);
    assert!(running.feed(b"x"));
    // It has read the first byte when it waits for the next.
    running.settle();
    while !fs::read_to_string(format!("/proc/{}/status", running.id()))
        .unwrap()
        .contains("Seccomp:\t2")
    {
        std::thread::yield_now();
    }
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    for line in [
        "Seccomp:\t2",
        "Seccomp_filters:\t1",
        "NoNewPrivs:\t1",
        "Threads:\t1",
    ] {
        assert!(status.lines().any(|said| said == line), "{line}: {status}");
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name));
        let words: Vec<String> = line
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        (words[0].clone(), words[1].clone())
    };
    for (name, value) in [
        ("Max cpu time", "900"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
        ("Max open files", "8"),
        ("Max address space", "805306368"),
    ] {
        assert_eq!(limit(name).0, value, "{name}");
    }
    assert_eq!(running.end().stdout.len(), 1024);
}
