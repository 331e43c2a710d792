//! The release binary makes the system calls of its table after lock-down, all of them, and no
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signstar_confine::{Condition, Rule, inspector_rules};
use tempfile::TempDir;

use crate::program::{End, Running, binary};
use crate::support::{BUILD_INFO, Member, PACKAGE_INFO, archive, gzip, package, record};

/// Which rules were used, by scenario.
#[derive(Default)]
struct Usage(BTreeMap<&'static str, BTreeSet<String>>);

/// A call: its name and arguments.
#[derive(Debug)]
struct Call {
    name: String,
    arguments: [u64; 6],
}

fn line(rule: &Rule) -> String {
    let conditions = rule.conditions.iter().map(|condition| match *condition {
        Condition::Equals { arg, value } => format!("{arg}={value:#x}"),
        Condition::MaskedEquals { arg, mask, value } => format!("{arg}&{mask:#x}={value:#x}"),
        Condition::AtMost { arg, value } => format!("{arg}<={value:#x}"),
        Condition::Zero { arg } => format!("{arg}=null"),
    });
    let words: Vec<String> = conditions.collect();
    format!("{}({})", rule.syscall.name, words.join(", "))
}

impl Usage {
    /// Asserts that the table allows every call, and notes the rules that do.
    fn add(&mut self, scenario: &'static str, trace: &Path) {
        let text = fs::read_to_string(trace).unwrap();
        let calls: Vec<Call> = text.lines().filter_map(call).collect();
        let is_load = |call: &Call| call.name == "seccomp" && call.arguments[0] == 1;
        let last = calls
            .iter()
            .rposition(is_load)
            .expect("the filter is loaded");
        let calls = &calls[last + 1..];
        assert!(calls.iter().any(|call| call.name == "exit_group"));
        let rules = inspector_rules().unwrap();
        for call in calls {
            let allowing =
                |rule: &&Rule| rule.syscall.name == call.name && rule.allows(&call.arguments);
            let found: Vec<&Rule> = rules.iter().filter(allowing).collect();
            assert!(!found.is_empty(), "{scenario}: not in the table: {call:?}");
            let used = self.0.entry(scenario).or_default();
            used.extend(found.into_iter().map(line));
        }
    }
}

/// A call as strace writes it with raw arguments.
fn call(text: &str) -> Option<Call> {
    let (_, text) = text.split_once(' ')?;
    let text = text.trim_start();
    let (name, rest) = text.split_once('(')?;
    if name.starts_with("<...") {
        return None;
    }
    let (words, _) = rest.split_once(')').unwrap_or((rest, ""));
    let words = words.split(" <unfinished").next().unwrap_or_default();
    let mut arguments = [0; 6];
    for (argument, word) in arguments.iter_mut().zip(words.split(", ")) {
        *argument = u64::from_str_radix(word.trim_start_matches("0x"), 16).unwrap_or(0);
    }
    Some(Call {
        name: name.to_owned(),
        arguments,
    })
}

/// The inspector under strace.
struct Traced {
    running: Running,
    folder: TempDir,
}

impl Traced {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("/usr/bin/strace");
        command
            .args(["-f", "-qq", "-e", "raw=all", "-o"])
            .arg(folder.path().join("trace"))
            .arg("--")
            .arg(binary())
            .args(arguments);
        Self {
            running: Running::of(command),
            folder,
        }
    }

    fn end(self, usage: &mut Usage, scenario: &'static str) -> End {
        let end = self.running.end();
        usage.add(scenario, &self.folder.path().join("trace"));
        end
    }
}

fn inspect(usage: &mut Usage, kind: &str, artifact: &[u8]) -> End {
    let mut traced = Traced::start(&[kind]);
    assert!(traced.running.feed(artifact));
    traced.end(usage, "inspect")
}

fn by(tool: &str, plain: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain");
    fs::File::create(&path).unwrap().write_all(plain).unwrap();
    let output = Command::new(tool).arg("-c").arg(&path).output().unwrap();
    assert!(output.status.success(), "{tool}");
    output.stdout
}

/// A package with large files, many, and long paths, so that every kind of memory is asked for.
fn rich() -> Vec<u8> {
    let mut random = 1_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let mut next = || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    };
    let mut further = vec![Member::file("noise", &noise(3 << 20))];
    for number in 0..5000 {
        further.push(Member::file(&format!("file-{number}"), b"small"));
    }
    let mut members = package(PACKAGE_INFO, BUILD_INFO, &further);
    // Not in the list: refused at the end, when everything was kept.
    for number in 0..200 {
        let path = format!("{number}/{}", "long/".repeat(400).trim_end_matches('/'));
        members.push(Member::extension(&record("path", &path)));
        members.push(Member::file("short", b""));
    }
    archive(&members)
}

fn every_kind(usage: &mut Usage) {
    let rich = rich();
    for tool in ["gzip", "xz", "zstd"] {
        inspect(usage, "pacman-package", &by(tool, &rich)).code();
        let sound = archive(&package(PACKAGE_INFO, BUILD_INFO, &[]));
        inspect(usage, "pacman-package", &by(tool, &sound)).identity();
    }
    let mut members = Vec::new();
    for number in 0..2000 {
        members.push(Member::folder(&format!("p{number}-1-1")));
    }
    inspect(usage, "pacman-database", &gzip(&archive(&members))).code();
    inspect(usage, "pacman-database", &gzip(&archive(&[]))).identity();
    inspect(usage, "iso", &vec![0; 1 << 20]).code();
    inspect(usage, "iso", b"").code();
    inspect(usage, "pacman-package", b"nothing").code();
}

/// The inspector that strace traces.
fn tracee(tracer: u32) -> u32 {
    let path = format!("/proc/{tracer}/task/{tracer}/children");
    loop {
        let text = fs::read_to_string(&path).unwrap();
        let mut children = text.split_whitespace().map(|word| word.parse().unwrap());
        let is_inspector = |id: &u32| {
            let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            // The kernel cuts names to 15 bytes.
            name == "signstar-inspec\n"
        };
        if let Some(id) = children.find(is_inspector) {
            return id;
        }
        std::thread::yield_now();
    }
}

/// Waits until it is in read(2), or stopped.
fn until_in(id: u32, states: &[&str]) {
    let path = format!("/proc/{id}/stat");
    loop {
        let text = fs::read_to_string(&path).unwrap();
        let call = fs::read_to_string(format!("/proc/{id}/syscall")).unwrap_or_default();
        let reads = states != ["S"] || call.starts_with("0 ");
        if reads
            && states
                .iter()
                .any(|state| text.contains(&format!(") {state} ")))
        {
            return;
        }
        std::thread::yield_now();
    }
}

/// It makes no other call for that.
fn stopped_and_continued(usage: &mut Usage) {
    let mut traced = Traced::start(&["pacman-package"]);
    let id = tracee(traced.running.id());
    // Seccomp: 2 stands there once the filter is loaded, and then it reads.
    let status = format!("/proc/{id}/status");
    while !fs::read_to_string(&status).unwrap().contains("Seccomp:\t2") {
        std::thread::yield_now();
    }
    until_in(id, &["S"]);
    let process = Pid::from_raw(i32::try_from(id).unwrap());
    kill(process, Signal::SIGSTOP).unwrap();
    until_in(id, &["T", "t"]);
    kill(process, Signal::SIGCONT).unwrap();
    until_in(id, &["S"]);
    assert!(traced.running.feed(&gzip(&archive(&[]))));
    traced.end(usage, "signal-stop-continue").code();
}

#[test]
fn the_calls_of_all_scenarios_are_the_table_in_both_directions() {
    let mut usage = Usage::default();
    every_kind(&mut usage);
    stopped_and_continued(&mut usage);
    let rules = inspector_rules().unwrap();
    let is_used = |rule: &&Rule| {
        let used = usage.0.get(rule.scenario);
        used.is_some_and(|used| used.contains(&line(rule)))
    };
    let dead: Vec<String> = rules
        .iter()
        .filter(|rule| !is_used(rule))
        .map(|rule| format!("{} in {}", line(rule), rule.scenario))
        .collect();
    assert_eq!(dead, [""; 0], "no call uses these rules: {:#?}", usage.0);
}
