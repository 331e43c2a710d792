//! Lock-down that is made to fail by a filter outside: the process ends before it reads input.

use signstar_core::{Field, Refusal};

use crate::scene::{assert_refused, assert_refused_and_recorded, assert_signed, run_unread, INPUT};
use crate::support::{Shell, World};

/// Makes one system call fail and becomes the login shell.
const LAUNCHER: &str = include_str!("../../../confine/tests/data/failing_call.py");

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

/// System calls of x86_64.
const PRCTL: u32 = 157;
const MLOCKALL: u32 = 151;
const PRLIMIT64: u32 = 302;
const SECCOMP: u32 = 317;
const LANDLOCK_CREATE_RULESET: u32 = 444;
const LANDLOCK_RESTRICT_SELF: u32 = 446;
/// What alarm(3) of musl makes.
const SETITIMER: u32 = 38;
const UMASK: u32 = 95;
const SWAPOFF: u32 = 168;

/// A shell in which a call fails with an errno; or only pretends to work where that is 0. With an
/// argument and its value only such calls do.
fn shell(world: &World, call: u32, errno: u32, argument: Option<(u32, u32)>) -> Shell<'_> {
    let (position, value) = argument.unwrap_or((6, 0));
    let words: Vec<String> = [call, errno, position, value]
        .map(|word| word.to_string())
        .into();
    let mut arguments = vec!["-I", "-S", "-c", LAUNCHER];
    arguments.extend(words.iter().map(String::as_str));
    arguments.extend(["/usr/bin/signstar", "signstar", "-c", "/usr/bin/signstar"]);
    let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
    world.shell().through("/usr/bin/python3", &arguments)
}

#[test]
fn signs_under_a_filter_that_has_nothing_to_do_with_it() {
    let world = World::new();
    assert_signed(&shell(&world, SWAPOFF, EPERM, None).run(INPUT));
}

#[test]
fn no_input_is_read_when_a_step_before_the_sink_fails() {
    let world = World::new();
    for (call, errno, argument) in [
        (PRCTL, EPERM, None),
        (PRCTL, EPERM, Some((0, 4))),  // PR_SET_DUMPABLE
        (PRCTL, EPERM, Some((0, 38))), // PR_SET_NO_NEW_PRIVS
        (PRCTL, 0, Some((0, 4))),
        (PRLIMIT64, EPERM, None),
        (PRLIMIT64, EPERM, Some((1, 4))), // RLIMIT_CORE
        (PRLIMIT64, EPERM, Some((1, 7))), // RLIMIT_NOFILE
        (PRLIMIT64, EPERM, Some((1, 9))), // RLIMIT_AS
        (UMASK, 0, None),
    ] {
        let outcome = run_unread(shell(&world, call, errno, argument));
        assert_refused(&outcome, Refusal::Confinement);
        assert_eq!(world.audit_lines(), [""; 0]);
    }
}

#[test]
fn no_input_is_read_and_the_refusal_recorded_when_a_later_step_fails() {
    let world = World::new();
    for (call, errno, detail) in [
        (LANDLOCK_CREATE_RULESET, ENOSYS, "landlock"),
        (LANDLOCK_CREATE_RULESET, EPERM, "landlock"),
        (LANDLOCK_RESTRICT_SELF, EPERM, "landlock"),
        (LANDLOCK_RESTRICT_SELF, ENOSYS, "landlock"),
        (LANDLOCK_RESTRICT_SELF, 0, "not in force"),
        (SECCOMP, EPERM, "load filter"),
        (SECCOMP, ENOSYS, "load filter"),
        (MLOCKALL, EPERM, "lock memory"),
        (MLOCKALL, ENOSYS, "lock memory"),
        (SETITIMER, 0, "arm deadline"),
        (SETITIMER, ENOSYS, "arm deadline"),
    ] {
        let outcome = run_unread(shell(&world, call, errno, None));
        let record = assert_refused_and_recorded(&world, &outcome, Refusal::Confinement);
        let said = record.get(Field::Detail).unwrap();
        assert!(said.contains(detail), "{call}: {said}");
    }
}
