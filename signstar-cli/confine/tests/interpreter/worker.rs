//! The worker's two stages: what they refuse is an error, not an end.

use signstar_confine::{Arch, Condition, Stage, Syscall, refusing_program, worker_rules_for};

use crate::machine::{
    ALLOW, ARCHITECTURES, AUDIT_ARCH_I386, AUDIT_ARCH_X86_64, KILL_PROCESS, NO_SUCH_CALL,
    interpret, seccomp_data,
};

/// What the filters of the worker's two stages say of each system call: always, with the arguments
/// of its rules, or not at all.
#[test]
fn the_tables_of_the_worker_are_the_committed_ones_and_violations_are_errors() {
    let tables = [
        include_str!("../data/sweep-worker-x86_64.txt"),
        include_str!("../data/sweep-worker-aarch64.txt"),
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
    const NEW_USER: u64 = 0x1000_0000;
    const TRACED: u64 = 0x2000;
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
        (
            "clone",
            [THREAD | NEW_USER, 0, 0, 0, 0, 0],
            NO_SUCH_CALL,
            NO_SUCH_CALL,
        ),
        (
            "clone",
            [THREAD | TRACED, 0, 0, 0, 0, 0],
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
