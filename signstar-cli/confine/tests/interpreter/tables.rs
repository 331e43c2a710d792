//! Filters and tables against the rules, over every number and every argument that matters.

use std::collections::BTreeSet;

use signstar_confine::{
    Arch, Condition, Rule, Syscall, inspector_rules_for, program, shell_rules_for,
};

use crate::machine::{ALLOW, ARCHITECTURES, KILL_PROCESS, interpret, log, seccomp_data};

/// The shell's rules, and with them what a back end might add.
pub(crate) fn rules(arch: Arch) -> Vec<Rule> {
    let mut rules = shell_rules_for(arch, &log()).unwrap();
    let further = [
        (
            "sendto",
            vec![
                Condition::Equals { arg: 0, value: 5 },
                Condition::AtMost { arg: 2, value: 64 },
            ],
        ),
        (
            "recvfrom",
            vec![
                Condition::Equals { arg: 0, value: 5 },
                Condition::Zero { arg: 4 },
            ],
        ),
        (
            "ioctl",
            vec![
                Condition::Equals { arg: 0, value: 6 },
                Condition::MaskedEquals {
                    arg: 1,
                    mask: 0xff00,
                    value: 0x5400,
                },
            ],
        ),
        ("ioctl", vec![Condition::Equals { arg: 0, value: 9 }]),
    ];
    for (name, conditions) in further {
        let syscall = Syscall::named(name, arch).unwrap();
        rules.push(Rule {
            syscall,
            conditions,
            reason: "a device",
            scenario: "sign",
        });
    }
    rules
}

/// Values of an argument around everything that the conditions on it compare with.
fn interesting(conditions: &[Condition], argument: u8) -> Vec<u64> {
    let mut values = BTreeSet::from([0, u64::MAX]);
    for condition in conditions
        .iter()
        .filter(|condition| condition.argument() == argument)
    {
        let value = match *condition {
            Condition::Equals { value, .. }
            | Condition::MaskedEquals { value, .. }
            | Condition::AtMost { value, .. } => value,
            Condition::Zero { .. } => 0,
        };
        let flipped = (0..32).map(|bit| value ^ (1 << bit));
        let near = [value, value.wrapping_add(1), value.wrapping_sub(1)];
        for lower in near.into_iter().chain(flipped) {
            values.extend([u64::from(lower), u64::from(lower) | 1 << 32]);
        }
    }
    values.into_iter().collect()
}

/// Every combination of interesting values for one system call.
fn combinations(rules: &[&Rule]) -> Vec<[u64; 6]> {
    let conditions: Vec<Condition> = rules
        .iter()
        .flat_map(|rule| rule.conditions.iter().copied())
        .collect();
    let mut all = vec![[0; 6]];
    for argument in 0..6 {
        let values = interesting(&conditions, argument);
        all = all
            .into_iter()
            .flat_map(|arguments| {
                values.iter().map(move |&value| {
                    let mut arguments = arguments;
                    arguments[usize::from(argument)] = value;
                    arguments
                })
            })
            .collect();
    }
    all
}

#[test]
fn filters_say_what_the_rules_say() {
    for (arch, audit) in ARCHITECTURES {
        says_the_same(arch, audit, &rules(arch), 1000);
        // Fewer rules with conditions: 14 calls and their variations.
        says_the_same(arch, audit, &inspector_rules_for(arch).unwrap(), 300);
    }
}

fn says_the_same(arch: Arch, audit: u32, rules: &[Rule], allowed_min: u32) {
    let program = program(rules, arch).unwrap();
    let (mut allowed, mut killed) = (0_u32, 0_u32);
    for number in (0..=600)
        .chain(0x4000_0000..=0x4000_0258)
        .chain([i64::from(u32::MAX)])
    {
        let of_call: Vec<&Rule> = rules
            .iter()
            .filter(|rule| rule.syscall.number == number)
            .collect();
        for arguments in combinations(&of_call) {
            let expected = if of_call.iter().any(|rule| rule.allows(&arguments)) {
                allowed += 1;
                ALLOW
            } else {
                killed += 1;
                KILL_PROCESS
            };
            let data = seccomp_data(audit, u32::try_from(number).unwrap(), arguments);
            let found = interpret(&program, &data);
            assert_eq!(
                found, expected,
                "{arch} {number} {arguments:x?} {of_call:?}"
            );
        }
    }
    assert!(allowed > allowed_min && killed > 1000, "{allowed} {killed}");
}

/// The tables that the sweep compares a kernel with, here compared with both filters.
#[test]
fn sweep_tables_agree_with_the_filters() {
    let tables = [
        include_str!("../data/sweep-x86_64.txt"),
        include_str!("../data/sweep-aarch64.txt"),
    ];
    for ((arch, audit), table) in ARCHITECTURES.into_iter().zip(tables) {
        sweep(arch, audit, &shell_rules_for(arch, &log()).unwrap(), table);
    }
}

#[test]
fn sweep_tables_of_the_inspector_agree_with_the_filters() {
    let tables = [
        include_str!("../data/sweep-inspector-x86_64.txt"),
        include_str!("../data/sweep-inspector-aarch64.txt"),
    ];
    for ((arch, audit), table) in ARCHITECTURES.into_iter().zip(tables) {
        sweep(arch, audit, &inspector_rules_for(arch).unwrap(), table);
    }
}

fn sweep(arch: Arch, audit: u32, rules: &[Rule], table: &str) {
    let program = program(rules, arch).unwrap();
    for (number, line) in (0..).zip(table.lines()) {
        let of_call: Vec<&Rule> = rules
            .iter()
            .filter(|rule| rule.syscall.number == i64::from(number))
            .collect();
        let allowed = combinations(&of_call)
            .into_iter()
            .any(|arguments| interpret(&program, &seccomp_data(audit, number, arguments)) == ALLOW);
        let named = arch
            .syscalls()
            .find(|syscall| syscall.number == i64::from(number));
        let name = named.map_or("-", |syscall| syscall.name);
        // What newer kernels let pass by themselves no filter allows.
        let fate = match (allowed, name) {
            (true, _) => "allowed",
            (false, "uprobe" | "uretprobe") => "unfiltered",
            (false, _) => "killed",
        };
        assert_eq!(line, format!("{number} {name} {fate}"), "{arch}");
    }
    assert_eq!(table.lines().count(), 601);
}

#[test]
fn numbers_of_each_table_are_sorted_and_names_unique() {
    for (arch, _) in ARCHITECTURES {
        let table: Vec<Syscall> = arch.syscalls().collect();
        assert!(
            table.windows(2).all(|pair| pair[0].number < pair[1].number),
            "{arch}"
        );
        let names: BTreeSet<&str> = table.iter().map(|syscall| syscall.name).collect();
        assert_eq!(names.len(), table.len(), "{arch}");
    }
}
