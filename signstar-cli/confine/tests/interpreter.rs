//! The compiled filters of both architectures, interpreted: they say what the rules say.
//!
//! The aarch64 filter cannot be run on the machines these tests run on. Interpreting the program
//! that the kernel would interpret, over every system call number and every argument that a
//! condition could confuse, is the next best thing, and it is done for x86_64 as well.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

use std::collections::BTreeSet;

use signstar_confine::{
    Arch, Condition, ConfineError, Instruction, OpenFds, Rule, Stage, Syscall,
    inspection_rules_for, inspector_rules_for, program, refusing_program, rule, shell_rules_for,
    worker_rules_for,
};

const ALLOW: u32 = 0x7fff_0000;
const KILL_PROCESS: u32 = 0x8000_0000;

const AUDIT_ARCH_I386: u32 = 0x4000_0003;
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const AUDIT_ARCH_ARM: u32 = 0x4000_0028;
const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;

const ARCHITECTURES: [(Arch, u32); 2] = [
    (Arch::X86_64, AUDIT_ARCH_X86_64),
    (Arch::Aarch64, AUDIT_ARCH_AARCH64),
];

/// What the kernel hands to a filter: `struct seccomp_data`, as 32-bit words.
fn seccomp_data(architecture: u32, number: u32, arguments: [u64; 6]) -> [u32; 16] {
    let mut words = [0; 16];
    words[0] = number;
    words[1] = architecture;
    for (index, argument) in arguments.into_iter().enumerate() {
        words[4 + 2 * index] = u32::try_from(argument & 0xffff_ffff).unwrap();
        words[5 + 2 * index] = u32::try_from(argument >> 32).unwrap();
    }
    words
}

/// Classic BPF, as far as filters need it. Anything else, such as a jump out of the program, fails.
fn interpret(program: &[Instruction], data: &[u32; 16]) -> u32 {
    let mut accumulator = 0;
    let mut next = 0;
    loop {
        let Instruction { code, jt, jf, k } = program[next].clone();
        next += 1;
        let jump = |taken| usize::from(if taken { jt } else { jf });
        match code {
            0x20 => {
                assert_eq!(k % 4, 0, "unaligned load");
                accumulator = data[usize::try_from(k / 4).unwrap()];
            }
            0x54 => accumulator &= k,
            0x05 => next += usize::try_from(k).unwrap(),
            0x15 => next += jump(accumulator == k),
            0x25 => next += jump(accumulator > k),
            0x35 => next += jump(accumulator >= k),
            0x06 => return k,
            _ => panic!("instruction {code:#x}"),
        }
    }
}

fn log() -> OpenFds {
    OpenFds { log: Some(7) }
}

/// The shell's rules, and with them what a back end might add.
fn rules(arch: Arch) -> Vec<Rule> {
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
        include_str!("data/sweep-x86_64.txt"),
        include_str!("data/sweep-aarch64.txt"),
    ];
    for ((arch, audit), table) in ARCHITECTURES.into_iter().zip(tables) {
        sweep(arch, audit, &shell_rules_for(arch, &log()).unwrap(), table);
    }
}

#[test]
fn sweep_tables_of_the_inspector_agree_with_the_filters() {
    let tables = [
        include_str!("data/sweep-inspector-x86_64.txt"),
        include_str!("data/sweep-inspector-aarch64.txt"),
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
fn calls_of_another_architecture_are_killed() {
    for (arch, own) in ARCHITECTURES {
        let program = program(&rules(arch), arch).unwrap();
        let foreign = [
            AUDIT_ARCH_I386,
            AUDIT_ARCH_X86_64,
            AUDIT_ARCH_ARM,
            AUDIT_ARCH_AARCH64,
            0,
        ];
        for audit in foreign.into_iter().filter(|&audit| audit != own) {
            for number in 0..=600 {
                let data = seccomp_data(audit, number, [0; 6]);
                assert_eq!(
                    interpret(&program, &data),
                    KILL_PROCESS,
                    "{arch} {audit:x} {number}"
                );
            }
        }
    }
}

/// Without asking the rules: what both architectures must say.
#[test]
fn what_is_written_by_hand_agrees() {
    let cases = [
        ("read", [0, 0, 0, 0, 0, 0], true),
        ("read", [1 << 32, 0, 0, 0, 0, 0], true),
        ("read", [3, 0, 0, 0, 0, 0], false),
        ("write", [0, 0, 0, 0, 0, 0], false),
        ("write", [1, 0, 0, 0, 0, 0], true),
        ("write", [2, 0, 0, 0, 0, 0], true),
        ("write", [3, 0, 0, 0, 0, 0], false),
        ("write", [7, 0, 0, 0, 0, 0], true),
        ("close", [7, 0, 0, 0, 0, 0], false),
        ("close", [1, 0, 0, 0, 0, 0], false),
        ("mmap", [0, 1, 3, 0x22, 0, 0], true),
        ("mmap", [0, 1, 4, 0x22, 0, 0], false),
        ("mmap", [0, 1, 7, 0x22, 0, 0], false),
        ("mmap", [0, 1, 3, 0x02, 0, 0], false),
        ("mmap", [0, 1, 3, 0x21, 0, 0], false),
        ("mmap", [0, 1, 3, 0x32, 0, 0], false),
        ("brk", [0; 6], false),
        ("mremap", [0, 0, 0, 1, 0, 0], false),
        ("getrandom", [0; 6], false),
        ("mprotect", [0; 6], false),
        ("openat", [0; 6], false),
        ("execve", [0; 6], false),
        ("clone", [0; 6], false),
        ("socket", [0; 6], false),
        ("rt_sigreturn", [0; 6], false),
        ("exit_group", [u64::MAX; 6], true),
    ];
    for (arch, audit) in ARCHITECTURES {
        let program = program(&shell_rules_for(arch, &log()).unwrap(), arch).unwrap();
        for (name, arguments, passes) in cases {
            let number = Syscall::named(name, arch).unwrap().number;
            let data = seccomp_data(audit, u32::try_from(number).unwrap(), arguments);
            let expected = if passes { ALLOW } else { KILL_PROCESS };
            assert_eq!(
                interpret(&program, &data),
                expected,
                "{arch} {name} {arguments:?}"
            );
        }
    }
}

/// The one descriptor that may be closed is the pipe to the inspector, and it cannot be read.
#[test]
fn inspection_adds_three_calls_on_two_descriptors() {
    let cases = [
        ("write", 5, true),
        ("close", 5, true),
        ("read", 6, true),
        ("read", 5, false),
        ("write", 6, false),
        ("close", 6, false),
        ("close", 0, false),
        ("close", 1, false),
        ("close", 7, false),
    ];
    for (arch, audit) in ARCHITECTURES {
        let mut rules = shell_rules_for(arch, &log()).unwrap();
        rules.extend(inspection_rules_for(arch, 5, 6).unwrap());
        let program = program(&rules, arch).unwrap();
        for (name, descriptor, passes) in cases {
            let number = Syscall::named(name, arch).unwrap().number;
            let arguments = [descriptor, 0, 0, 0, 0, 0];
            let data = seccomp_data(audit, u32::try_from(number).unwrap(), arguments);
            let expected = if passes { ALLOW } else { KILL_PROCESS };
            assert_eq!(
                interpret(&program, &data),
                expected,
                "{arch} {name} {descriptor}"
            );
        }
        assert!(inspection_rules_for(arch, -1, 6).is_err());
        assert!(inspection_rules_for(arch, 5, -1).is_err());
    }
}

#[test]
fn a_null_pointer_is_compared_in_full() {
    let rules = shell_rules_for(Arch::Aarch64, &log()).unwrap();
    let program = program(&rules, Arch::Aarch64).unwrap();
    let ppoll = |mask| {
        let number = Syscall::named("ppoll", Arch::Aarch64).unwrap().number;
        let arguments = [0, 1, 0, mask, 8, 0];
        let data = seccomp_data(
            AUDIT_ARCH_AARCH64,
            u32::try_from(number).unwrap(),
            arguments,
        );
        interpret(&program, &data)
    };
    assert_eq!(ppoll(0), ALLOW);
    assert_eq!(ppoll(1), KILL_PROCESS);
    assert_eq!(ppoll(0x7fff_0000_0000), KILL_PROCESS);
}

#[test]
fn filter_stays_short() {
    for (arch, _) in ARCHITECTURES {
        let length = program(&shell_rules_for(arch, &log()).unwrap(), arch)
            .unwrap()
            .len();
        assert!(length <= 120, "{arch}: {length} instructions");
    }
}

#[test]
fn no_rule_is_lost_beside_another_for_the_same_call() {
    let rules: Vec<Rule> = (0..300)
        .map(|fd| rule("write", &[(0, fd)], "one of many").unwrap())
        .collect();
    let program = program(&rules, Arch::NATIVE).unwrap();
    let audit = match Arch::NATIVE {
        Arch::X86_64 => AUDIT_ARCH_X86_64,
        Arch::Aarch64 => AUDIT_ARCH_AARCH64,
    };
    let number = u32::try_from(rules[0].syscall.number).unwrap();
    for fd in 0..301 {
        let data = seccomp_data(audit, number, [fd, 0, 0, 0, 0, 0]);
        let expected = if fd < 300 { ALLOW } else { KILL_PROCESS };
        assert_eq!(interpret(&program, &data), expected, "{fd}");
    }
}

#[test]
fn a_rule_that_makes_others_void_is_refused() {
    let bare = rule("sendto", &[], "everywhere").unwrap();
    let bound = rule("sendto", &[(0, 5)], "one socket").unwrap();
    for rules in [
        [bare.clone(), bound.clone()],
        [bound, bare.clone()],
        [bare.clone(), bare],
    ] {
        let outcome = program(&rules, Arch::NATIVE);
        assert!(
            matches!(outcome, Err(ConfineError::Shadowed("sendto"))),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_rule_for_another_architecture_is_refused() {
    let [(one, _), (other, _)] = ARCHITECTURES;
    for (made_for, used_for) in [(one, other), (other, one)] {
        let rules = shell_rules_for(made_for, &log()).unwrap();
        let outcome = program(&rules, used_for);
        assert!(
            matches!(outcome, Err(ConfineError::ForeignRule { .. })),
            "{outcome:?}"
        );
    }
}

#[test]
fn faulty_rules_are_refused() {
    let unknown = rule("no_such_call", &[], "none");
    assert!(
        matches!(unknown, Err(ConfineError::UnknownSyscall { .. })),
        "{unknown:?}"
    );
    let seventh = program(&[rule("sendto", &[(6, 0)], "none").unwrap()], Arch::NATIVE);
    assert!(
        matches!(seventh, Err(ConfineError::Compile(_))),
        "{seventh:?}"
    );
    let negative = shell_rules_for(Arch::NATIVE, &OpenFds { log: Some(-1) });
    assert!(
        matches!(negative, Err(ConfineError::Descriptor(-1))),
        "{negative:?}"
    );
}

#[test]
fn an_empty_table_kills_everything() {
    for (arch, audit) in ARCHITECTURES {
        let program = program(&[], arch).unwrap();
        for number in 0..=600 {
            let data = seccomp_data(audit, number, [0; 6]);
            assert_eq!(interpret(&program, &data), KILL_PROCESS);
        }
    }
}

#[test]
fn every_rule_says_why_and_where_it_is_seen() {
    let scenarios = [
        "sign",
        "refusal",
        "large-input",
        "signal-stop-continue",
        "clock-without-vdso",
    ];
    for (arch, _) in ARCHITECTURES {
        for rule in shell_rules_for(arch, &log()).unwrap() {
            assert!(!rule.reason.is_empty(), "{rule:?}");
            assert!(scenarios.contains(&rule.scenario), "{rule:?}");
        }
        for rule in inspector_rules_for(arch).unwrap() {
            assert!(!rule.reason.is_empty(), "{rule:?}");
            assert_eq!(rule.scenario, "inspect", "{rule:?}");
        }
    }
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

/// ERRNO with ENOSYS.
const NO_SUCH_CALL: u32 = 0x0005_0000 | 38;

/// What the filters of the worker's two stages say of each system call: always, with the arguments
/// of its rules, or not at all.
#[test]
fn the_tables_of_the_worker_are_the_committed_ones_and_violations_are_errors() {
    let tables = [
        include_str!("data/sweep-worker-x86_64.txt"),
        include_str!("data/sweep-worker-aarch64.txt"),
    ];
    for ((arch, id), committed) in ARCHITECTURES.into_iter().zip(tables) {
        let stages = [Stage::Loading, Stage::Signing].map(|stage| {
            let rules = worker_rules_for(arch, stage).unwrap();
            let program = refusing_program(&rules, arch).unwrap();
            (rules, program)
        });
        let mut sweep = String::new();
        for syscall in arch.syscalls() {
            let verdicts = stages.each_ref().map(|(rules, program)| {
                let number = u32::try_from(syscall.number).unwrap();
                let of = rules.iter().filter(|rule| rule.syscall == syscall);
                let conditions: Vec<Condition> =
                    of.flat_map(|rule| rule.conditions.clone()).collect();
                // Arguments that no condition allows: every bit set but for null pointers.
                let verdict = |arguments| interpret(program, &seccomp_data(id, number, arguments));
                let x32 = interpret(program, &seccomp_data(id, number | 0x4000_0000, [0; 6]));
                assert_eq!(x32, NO_SUCH_CALL, "{}", syscall.name);
                let foreign = interpret(program, &seccomp_data(AUDIT_ARCH_I386, number, [0; 6]));
                assert_eq!(foreign, KILL_PROCESS, "{}", syscall.name);
                match (verdict([0; 6]), conditions.is_empty()) {
                    (ALLOW, true) => "allowed",
                    (ALLOW | NO_SUCH_CALL, false) => "some",
                    (NO_SUCH_CALL, true) => "refused",
                    (other, _) => panic!("{}: {other:#x}", syscall.name),
                }
            });
            let [loading, signing] = verdicts;
            sweep += &format!("{} {loading} {signing}\n", syscall.name);
        }
        assert_eq!(sweep, committed, "the table of {arch} should be:\n{sweep}");
    }
}

/// Each condition of the worker's tables, kept and broken.
#[test]
fn the_worker_maps_nothing_executable_and_starts_no_process() {
    const READ: u64 = 1;
    const EXECUTE: u64 = 4;
    const THREAD: u64 = 0x3d_0f00;
    const FORK: u64 = 17;
    let verdict = |stage, name: &str, arguments| {
        let rules = worker_rules_for(Arch::X86_64, stage).unwrap();
        let program = refusing_program(&rules, Arch::X86_64).unwrap();
        let number = Syscall::named(name, Arch::X86_64).unwrap().number;
        let data = seccomp_data(AUDIT_ARCH_X86_64, u32::try_from(number).unwrap(), arguments);
        interpret(&program, &data)
    };
    let protection = |bits| [0, 4096, bits, 0, 0, 0];
    for (name, arguments, loading, signing) in [
        ("mmap", protection(READ), ALLOW, ALLOW),
        ("mmap", protection(READ | EXECUTE), ALLOW, NO_SUCH_CALL),
        ("mprotect", protection(READ), ALLOW, ALLOW),
        ("mprotect", protection(EXECUTE), ALLOW, NO_SUCH_CALL),
        ("clone", [THREAD, 0, 0, 0, 0, 0], ALLOW, NO_SUCH_CALL),
        ("clone", [FORK, 0, 0, 0, 0, 0], NO_SUCH_CALL, NO_SUCH_CALL),
        (
            "clone",
            [THREAD & !0x1_0000, 0, 0, 0, 0, 0],
            NO_SUCH_CALL,
            NO_SUCH_CALL,
        ),
        ("clone3", [0; 6], NO_SUCH_CALL, NO_SUCH_CALL),
        ("prctl", [38, 1, 0, 0, 0, 0], ALLOW, NO_SUCH_CALL),
        ("prctl", [1, 0, 0, 0, 0, 0], NO_SUCH_CALL, NO_SUCH_CALL),
        ("seccomp", [1, 0, 0, 0, 0, 0], ALLOW, NO_SUCH_CALL),
        ("seccomp", [0; 6], NO_SUCH_CALL, NO_SUCH_CALL),
        // F_SETLKW, F_SETOWN, F_SETSIG
        ("fcntl", [3, 7, 0, 0, 0, 0], ALLOW, ALLOW),
        ("fcntl", [3, 8, 0, 0, 0, 0], NO_SUCH_CALL, NO_SUCH_CALL),
        ("fcntl", [3, 10, 0, 0, 0, 0], NO_SUCH_CALL, NO_SUCH_CALL),
        // FIONREAD, TIOCSTI
        ("ioctl", [0, 0x541b, 0, 0, 0, 0], ALLOW, ALLOW),
        ("ioctl", [0, 0x5412, 0, 0, 0, 0], NO_SUCH_CALL, NO_SUCH_CALL),
        ("prlimit64", [0, 7, 0, 1, 0, 0], ALLOW, ALLOW),
        ("prlimit64", [0, 7, 1, 0, 0, 0], NO_SUCH_CALL, NO_SUCH_CALL),
        ("prlimit64", [2, 7, 0, 1, 0, 0], NO_SUCH_CALL, NO_SUCH_CALL),
    ] {
        let verdicts = (
            verdict(Stage::Loading, name, arguments),
            verdict(Stage::Signing, name, arguments),
        );
        assert_eq!(verdicts, (loading, signing), "{name} {arguments:x?}");
    }
}
