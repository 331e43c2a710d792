//! Without asking the rules: single calls, and what both architectures must say of them.

use signstar_confine::{Arch, Syscall, inspection_rules_for, program, shell_rules_for};

use crate::machine::{
    ALLOW, ARCHITECTURES, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_I386, AUDIT_ARCH_X86_64,
    KILL_PROCESS, interpret, log, seccomp_data,
};
use crate::tables::rules;

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
