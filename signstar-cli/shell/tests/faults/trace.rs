//! The release binary makes the system calls of its table after lock-down, all of them, and no
//! others; and each rule in the scenario that it names.

use std::collections::{BTreeMap, BTreeSet};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use signstar_confine::{shell_rules, Condition, OpenFds, Rule};
use signstar_core::{KeyKind, Refusal};

use crate::scene::{
    assert_refused, assert_signed, to_socket, until_process_waits_in, LogSocket, INPUT, POLL,
    SOCKET_SINKS,
};
use crate::support::built::Build;
use crate::support::{Configuration, Outcome, Shell, SigningKey, World};
use crate::traced::{calls_of_python, calls_of_strace, traced, tracee, without_vdso, Call};

/// Which rules were used, by scenario.
#[derive(Default)]
struct Usage(BTreeMap<&'static str, BTreeSet<String>>);

/// A rule as a line, with the audit sink's descriptor as `log`.
fn line(rule: &Rule, log: Option<u32>) -> String {
    let conditions = rule.conditions.iter().map(|condition| match *condition {
        Condition::Equals { arg, value } if arg == 0 && Some(value) == log => "0=log".to_owned(),
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
    fn add(&mut self, scenario: &'static str, calls: &[Call]) {
        assert!(
            calls.iter().any(|call| call.name == "exit_group"),
            "{calls:?}"
        );
        let mut written: BTreeSet<u64> = BTreeSet::new();
        for call in calls.iter().filter(|call| call.name == "write") {
            written.insert(call.arguments[0]);
        }
        let logs: Vec<u64> = written.into_iter().filter(|&fd| fd > 2).collect();
        assert!(logs.len() <= 1, "{logs:?}");
        let log = logs.first().map(|&fd| u32::try_from(fd).unwrap());
        let descriptor = log.map(|fd| i32::try_from(fd).unwrap());
        let rules = shell_rules(&OpenFds { log: descriptor }).unwrap();
        for call in calls {
            let found: Vec<&Rule> = rules
                .iter()
                .filter(|rule| rule.syscall.name == call.name && rule.allows(&call.arguments))
                .collect();
            assert!(!found.is_empty(), "{scenario}: not in the table: {call:?}");
            for rule in found {
                self.0.entry(scenario).or_default().insert(line(rule, log));
            }
        }
    }
}

fn machine(build: Build, configuration: &Configuration) -> World {
    World::of(build, configuration, SigningKey::new(KeyKind::Ed25519))
}

fn sign(world: &World, usage: &mut Usage, input: &[u8], scenario: &'static str) {
    let outcome = traced(world.shell()).run(input);
    assert_signed(&outcome);
    usage.add(scenario, &calls_of_strace(world));
}

fn refuse(world: &World, usage: &mut Usage, shell: Shell<'_>, input: &[u8], refusal: Refusal) {
    let outcome: Outcome = shell.run(input);
    assert_refused(&outcome, refusal);
    usage.add("refusal", &calls_of_strace(world));
}

fn every_algorithm_and_sink(usage: &mut Usage, build: Build) {
    let keys = KeyKind::NAMED.into_iter().map(SigningKey::new);
    for key in keys.chain([SigningKey::v6()]) {
        let hash = "hash = \"sha512\"";
        let world = World::of(build, &Configuration::new().key(hash), key);
        sign(&world, usage, INPUT, "sign");
        sign(&world, usage, &vec![0x55; 3 << 20], "large-input");
        world.configure(&Configuration::new().key("data-digest-notation = true"));
        sign(&world, usage, INPUT, "sign");
    }
    let world = machine(build, &Configuration::new().key("hash = \"sha256\""));
    let digest = "0".repeat(128);
    let asking = || {
        world
            .shell()
            .asks(format!("sign v1 size={} sha512={digest}", INPUT.len()))
    };
    refuse(
        &world,
        usage,
        traced(asking()),
        INPUT,
        Refusal::DigestMismatch,
    );
    for sink in SOCKET_SINKS {
        world.configure(&to_socket(sink, 100));
        let socket = LogSocket::bind(&world);
        sign(&world, usage, INPUT, "sign");
        refuse(
            &world,
            usage,
            traced(world.shell()),
            b"",
            Refusal::InputEmpty,
        );
        socket.fill(&world, 0);
        refuse(&world, usage, traced(world.shell()), INPUT, Refusal::Audit);
    }
    world.configure(&Configuration::new().audit("sink = \"stderr\""));
    let outcome = traced(world.shell()).run(INPUT);
    assert_eq!(outcome.code(), 0);
    usage.add("sign", &calls_of_strace(&world));
}

fn refusals(usage: &mut Usage, build: Build) {
    let limits = Configuration::new()
        .user("input-bytes-max = 1000")
        .user("deadline-seconds = 1");
    let world = machine(build, &limits);
    refuse(
        &world,
        usage,
        traced(world.shell()),
        b"",
        Refusal::InputEmpty,
    );
    refuse(
        &world,
        usage,
        traced(world.shell()),
        &[0; 1001],
        Refusal::InputTooLarge,
    );
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let gone = traced(world.shell()).stdout(std::os::fd::OwnedFd::from(writer));
    refuse(&world, usage, gone, INPUT, Refusal::InputCut);
    let mut slow = traced(world.shell()).start();
    let held = slow.stdin.take();
    assert_refused(&slow.outcome(), Refusal::InputStalled);
    drop(held);
    usage.add("refusal", &calls_of_strace(&world));
}

fn stopped_and_continued(usage: &mut Usage, build: Build) {
    let world = machine(build, &Configuration::new());
    let mut running = traced(world.shell()).start();
    let id = tracee(running.id());
    until_process_waits_in(id, POLL);
    let path = format!("/proc/{id}/stat");
    // Beyond the stop that strace makes at the entry of the call, which looks like the one below.
    crate::support::until("the process sleeps", || {
        let text = std::fs::read_to_string(&path).unwrap();
        text.contains(") S ")
    });
    let process = Pid::from_raw(id.try_into().unwrap());
    kill(process, Signal::SIGSTOP).unwrap();
    crate::support::until("the process stops", || {
        let text = std::fs::read_to_string(&path).unwrap();
        text.contains(") T ") || text.contains(") t ")
    });
    kill(process, Signal::SIGCONT).unwrap();
    until_process_waits_in(id, POLL);
    running.send(INPUT);
    assert_signed(&running.outcome());
    usage.add("signal-stop-continue", &calls_of_strace(&world));
}

fn no_clock_in_user_space(usage: &mut Usage, build: Build) {
    let world = machine(build, &Configuration::new());
    let outcome = without_vdso(&world, build).run(INPUT);
    assert_signed(&outcome);
    usage.add("clock-without-vdso", &calls_of_python(&world));
}

#[test]
fn the_calls_of_all_scenarios_are_the_table_in_both_directions() {
    compare(Build::Static);
}

/// What it links besides adds nothing, as long as no device needs it.
#[test]
fn the_calls_of_the_build_with_devices_are_the_same() {
    compare(Build::Devices);
}

fn compare(build: Build) {
    let mut usage = Usage::default();
    every_algorithm_and_sink(&mut usage, build);
    refusals(&mut usage, build);
    stopped_and_continued(&mut usage, build);
    no_clock_in_user_space(&mut usage, build);

    let rules = shell_rules(&OpenFds { log: Some(9) }).unwrap();
    let dead: Vec<String> = rules
        .iter()
        .filter(|rule| {
            let used = usage.0.get(rule.scenario);
            !used.is_some_and(|used| used.contains(&line(rule, Some(9))))
        })
        .map(|rule| format!("{} in {}", line(rule, Some(9)), rule.scenario))
        .collect();
    let mut seen = String::new();
    for (scenario, lines) in &usage.0 {
        seen += &format!("{scenario}\n");
        lines
            .iter()
            .for_each(|line| seen += &format!("    {line}\n"));
    }
    assert_eq!(dead, [""; 0], "no call uses these rules; seen:\n{seen}");
    let table = include_str!("../data/trace-x86_64.txt");
    assert_eq!(
        seen, table,
        "tests/data/trace-x86_64.txt should be:\n{seen}"
    );
}
