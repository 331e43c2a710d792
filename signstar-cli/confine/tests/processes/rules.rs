//! Each rule of the login shell and of the inspector both ways: as intended it passes, with any argument violated it
//! kills.

use signstar_confine::{
    Arch, Condition, Instruction, OpenFds, Rule, inspection_rules, inspector_rules, program,
    shell_rules,
};

use crate::raw::{End, LOG, ends, inspector_filter, script, shell_filter};
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(every_rule_passes_as_intended),
        claim(every_violated_condition_kills),
        claim(what_is_written_by_hand_agrees),
        claim(what_is_written_by_hand_of_the_inspector_agrees),
    ]
}

/// The pipes to and from an inspector.
const ARTIFACT: i32 = 5;
const VERDICT: i32 = 6;

/// The shell's table as it is, and with what inspection adds; and that of the inspector itself.
fn tables() -> [Vec<Rule>; 3] {
    let fds = OpenFds {
        log: Some(LOG.try_into().unwrap()),
    };
    let base = shell_rules(&fds).unwrap();
    let inspecting = inspection_rules(ARTIFACT, VERDICT).unwrap();
    [
        base.clone(),
        base.into_iter().chain(inspecting).collect(),
        inspector_rules().unwrap(),
    ]
}

fn filter(rules: &[Rule]) -> Vec<Instruction> {
    program(rules, Arch::NATIVE).unwrap()
}

/// Arguments that satisfy a rule: what its conditions say, and zero.
pub(crate) fn intended(rule: &Rule) -> [u64; 6] {
    let mut arguments = [0; 6];
    for condition in &rule.conditions {
        arguments[usize::from(condition.argument())] = match *condition {
            Condition::Equals { value, .. }
            | Condition::MaskedEquals { value, .. }
            | Condition::AtMost { value, .. } => value.into(),
            Condition::Zero { .. } => 0,
        };
    }
    assert!(rule.allows(&arguments), "{rule:?}");
    arguments
}

/// Values of one argument that violate a condition, the near ones first.
fn violations(condition: Condition) -> Vec<u64> {
    match condition {
        Condition::Equals { value, .. } => {
            let value = u64::from(value);
            let bits = (0..32).map(|bit| value ^ (1 << bit));
            // The upper half is not looked at, so it does not save a wrong lower half either.
            bits.chain([u64::MAX - value, (value + 1) | 1 << 32])
                .collect()
        }
        Condition::MaskedEquals { mask, value, .. } => (0..32)
            .map(|bit| 1_u32 << bit)
            .filter(|bit| mask & bit != 0)
            .map(|bit| u64::from(value ^ bit))
            .collect(),
        Condition::AtMost { value, .. } => vec![u64::from(value) + 1, u64::from(u32::MAX)],
        Condition::Zero { .. } => vec![1, 1 << 32, u64::MAX],
    }
}

fn call(rule: &Rule, arguments: [u64; 6]) -> String {
    script(
        rule.syscall.name,
        &arguments.map(|argument| argument.to_string()).join(" "),
    )
}

fn every_rule_passes_as_intended() {
    for rules in tables() {
        let scripts: Vec<String> = rules
            .iter()
            .map(|rule| call(rule, intended(rule)))
            .collect();
        for (rule, end) in rules.iter().zip(ends(Some(&filter(&rules)), &scripts)) {
            assert!(matches!(end, End::Answered(_)), "{rule:?}: {end:?}");
        }
    }
}

fn every_violated_condition_kills() {
    tables()
        .iter()
        .for_each(|rules| violated_conditions_kill(rules));
}

fn violated_conditions_kill(rules: &[Rule]) {
    let mut tried = Vec::new();
    for rule in rules {
        for &condition in &rule.conditions {
            let before = tried.len();
            for value in violations(condition) {
                let mut arguments = intended(rule);
                arguments[usize::from(condition.argument())] = value;
                // What another rule for the same call allows is not a violation.
                let alternatives = || rules.iter().filter(|other| other.syscall == rule.syscall);
                if !alternatives().any(|other| other.allows(&arguments)) {
                    tried.push((rule, call(rule, arguments)));
                }
            }
            assert!(
                tried.len() > before,
                "{rule:?}: {condition:?} cannot be violated"
            );
        }
    }
    let scripts: Vec<String> = tried.iter().map(|(_, script)| script.clone()).collect();
    // The control: without a filter the kernel answers all of them.
    for ((rule, script), end) in tried.iter().zip(ends(None, &scripts)) {
        assert!(
            matches!(end, End::Answered(_)),
            "control {script} of {rule:?}: {end:?}"
        );
    }
    for ((rule, script), end) in tried.iter().zip(ends(Some(&filter(rules)), &scripts)) {
        assert_eq!(end, End::Killed, "{script} of {rule:?}");
    }
}

/// What the table must say, without asking the table.
fn what_is_written_by_hand_agrees() {
    let passes = [
        ("read", "0 room:8 0"),
        ("write", "1 room:8 0"),
        ("write", "2 room:8 0"),
        ("mmap", "0 4096 3 0x22 -1 0"),
        ("mmap", "0 4096 0 0x22 -1 0"),
        ("clock_gettime", "0 room:16"),
        ("clock_gettime", "1 room:16"),
        ("exit_group", "0"),
    ];
    let kills = [
        ("read", "3 room:8 0"),
        ("read", "7 room:8 0"),
        ("write", "0 room:8 0"),
        ("write", "3 room:8 0"),
        ("close", "0"),
        ("close", "1"),
        ("close", "3"),
        ("mmap", "0 4096 4 0x22 -1 0"),
        ("mmap", "0 4096 5 0x22 -1 0"),
        ("mmap", "0 4096 7 0x22 -1 0"),
        ("mmap", "0 4096 4294967300 0x22 -1 0"),
        ("mmap", "0 4096 1 0x02 0 0"),
        ("mmap", "0 4096 3 0x21 -1 0"),
        ("mmap", "4096 4096 3 0x32 -1 0"),
        ("mprotect", "0 0 0"),
        ("clock_gettime", "2 room:16"),
        ("clock_gettime", "-6 room:16"),
        ("brk", "0"),
        ("mremap", "0 0 0 1"),
        ("getrandom", "room:8 8 0"),
        ("getrandom", "room:8 8 2"),
    ];
    by_hand(&shell_filter(), &passes, &kills);
}

/// The inspector has no standard error, no clock and no other descriptor, but memory that grows.
fn what_is_written_by_hand_of_the_inspector_agrees() {
    let passes = [
        ("read", "0 room:8 0"),
        ("write", "1 room:8 0"),
        ("mmap", "0 4096 3 0x22 -1 0"),
        ("mmap", "0 4096 0 0x22 -1 0"),
        ("brk", "0"),
        ("exit_group", "0"),
    ];
    let kills = [
        ("read", "1 room:8 0"),
        ("read", "3 room:8 0"),
        ("write", "0 room:8 0"),
        ("write", "2 room:8 0"),
        ("write", "3 room:8 0"),
        ("close", "0"),
        ("close", "1"),
        ("mmap", "0 4096 4 0x22 -1 0"),
        ("mmap", "0 4096 7 0x22 -1 0"),
        ("mmap", "0 4096 1 0x02 0 0"),
        ("mmap", "0 4096 3 0x21 -1 0"),
        ("mmap", "4096 4096 3 0x32 -1 0"),
        ("mremap", "0 4096 4096 2"),
        ("mremap", "0 4096 4096 3"),
        ("mremap", "0 4096 4096 5"),
        ("mprotect", "0 0 0"),
        ("madvise", "0 0 0"),
        ("restart_syscall", ""),
        ("clock_gettime", "0 room:16"),
        ("ppoll", "0 0 0 0 0"),
        ("getrandom", "room:8 8 0"),
        ("kill", "0 0"),
        ("prctl", "15 text:x 0 0 0"),
        ("prlimit64", "0 9 0 room:16"),
    ];
    by_hand(&inspector_filter(), &passes, &kills);
}

fn by_hand(filter: &[Instruction], passes: &[(&str, &str)], kills: &[(&str, &str)]) {
    let decimal = |&(name, arguments): &(&str, &str)| {
        let words = arguments
            .split(' ')
            .map(|word| match word.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).unwrap().to_string(),
                None => word.to_owned(),
            });
        script(name, &words.collect::<Vec<_>>().join(" "))
    };
    let (passing, killing): (Vec<_>, Vec<_>) = (
        passes.iter().map(decimal).collect(),
        kills.iter().map(decimal).collect(),
    );
    for (call, end) in passes.iter().zip(ends(Some(filter), &passing)) {
        assert_eq!(end, End::Answered(0), "{call:?}");
    }
    for (call, end) in kills.iter().zip(ends(Some(filter), &killing)) {
        assert_eq!(end, End::Killed, "{call:?}");
    }
}
