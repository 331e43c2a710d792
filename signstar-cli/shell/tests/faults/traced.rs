//! System calls of the release binary, as the kernel's tracer sees them.

use std::fs;

use signstar_confine::{Arch, Syscall};

use crate::support::built::Build;
use crate::support::world::SIGNER;
use crate::support::{Shell, World};

/// A system call: its name and arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: [u64; 6],
}

/// CAP_IPC_LOCK.
const IPC_LOCK: &str = "14";

/// Where strace notes it.
pub(crate) const TRACE: &str = "/run/trace";

/// The same shell under strace.
pub(crate) fn traced(shell: Shell<'_>) -> Shell<'_> {
    let script = "exec -a signstar /usr/bin/signstar -c /usr/bin/signstar";
    let arguments = [
        "-f",
        "-qq",
        "-e",
        "raw=all",
        "-u",
        SIGNER.name,
        "-o",
        TRACE,
        "--",
        "/bin/bash",
        "-c",
        script,
    ];
    let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
    as_root(shell.through("/usr/bin/strace", &arguments))
}

/// The login shell of `world` without the vDSO.
pub(crate) fn without_vdso(world: &World, build: Build) -> Shell<'_> {
    let capabilities: &[&str] = match build {
        Build::Static => &[],
        Build::Devices => {
            // The kernel gives none of a file to a traced process, and a file that has some takes
            // away those that the process has.
            world.set_capabilities(&["-r"]);
            &[IPC_LOCK]
        }
    };
    let shell = world.shell();
    let (group, user) = (SIGNER.group.to_string(), SIGNER.id.to_string());
    let script = include_str!("../data/without_vdso.py");
    let arguments = ["-I", "-S", "-c", script, TRACE, &group, &user];
    let arguments = arguments.iter().chain(capabilities);
    let arguments: Vec<_> = arguments.map(AsRef::as_ref).collect();
    as_root(shell.through("/usr/bin/python3", &arguments))
}

/// Who traces a process that is not dumpable must be root; the tracer gives the account itself.
fn as_root(mut shell: Shell<'_>) -> Shell<'_> {
    use std::os::unix::process::CommandExt;
    shell.command().uid(0).gid(0);
    shell
}

/// The login shell that strace traces. Before it there are children that strace tries itself out on.
pub(crate) fn tracee(tracer: u32) -> u32 {
    let path = format!("/proc/{tracer}/task/{tracer}/children");
    let is_shell = |id: &u32| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        name == "signstar\n"
    };
    let mut found = None;
    crate::support::until("the tracer starts the login shell", || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut children = text.split_whitespace().filter_map(|word| word.parse().ok());
        found = children.find(is_shell);
        found.is_some()
    });
    found.unwrap()
}

/// What strace noted after the filter was loaded, and never before.
pub(crate) fn calls_of_strace(world: &World) -> Vec<Call> {
    let text = fs::read_to_string(world.path(TRACE)).expect("strace notes what it sees");
    let calls = text.lines().filter_map(|line| {
        let (_, call) = line.split_once(' ')?;
        call_of(call)
    });
    after_the_filter(calls.collect())
}

/// A call as strace writes it, without the number of the process; `None` for what is none.
pub(crate) fn call_of(text: &str) -> Option<Call> {
    // The answer to a call that stands further up: its text may have parentheses of its own.
    let text = text.trim_start();
    if text.starts_with("<...") {
        return None;
    }
    let (name, rest) = text.split_once('(')?;
    let (arguments, _) = rest.split_once(')').unwrap_or((rest, ""));
    // Another process was faster with its next call.
    let arguments = arguments.split(" <unfinished").next().unwrap_or_default();
    let words = arguments.split(", ").map(|word| {
        let digits = word.trim_start_matches("0x");
        u64::from_str_radix(digits, 16).unwrap_or(0)
    });
    Some(call_with(name, words))
}

/// What the other tracer noted.
pub(crate) fn calls_of_python(world: &World) -> Vec<Call> {
    let text = fs::read_to_string(world.path(TRACE)).expect("the tracer notes what it sees");
    let known: Vec<Syscall> = Arch::X86_64.syscalls().collect();
    let calls = text.lines().map(|line| {
        let mut words = line.split(' ').map(|word| word.parse::<u64>().unwrap());
        let number = i64::try_from(words.next().unwrap()).unwrap();
        let call = known.iter().find(|known| known.number == number).unwrap();
        call_with(call.name, words)
    });
    after_the_filter(calls.collect())
}

fn call_with(name: &str, words: impl Iterator<Item = u64>) -> Call {
    let mut arguments = [0; 6];
    for (argument, word) in arguments.iter_mut().zip(words) {
        *argument = word;
    }
    Call {
        name: name.to_owned(),
        arguments,
    }
}

fn after_the_filter(calls: Vec<Call>) -> Vec<Call> {
    // seccomp(SECCOMP_SET_MODE_FILTER, …)
    let is_load = |call: &Call| call.name == "seccomp" && call.arguments[0] == 1;
    let last = calls
        .iter()
        .rposition(is_load)
        .expect("the filter is loaded");
    calls[last + 1..].to_vec()
}

/// What the login shell called after its filter was loaded, where strace has seen a helper as well.
#[allow(dead_code, reason = "for tests of helpers")]
pub(crate) fn calls_beside_a_helper(world: &World) -> Vec<Call> {
    let text = fs::read_to_string(world.path(TRACE)).expect("a trace");
    let first = text.lines().next().and_then(|line| line.split_once(' '));
    let shell = first.expect("a call").0;
    let own = text.lines().filter_map(|line| line.split_once(' '));
    let own = own.filter_map(|(process, call)| (process == shell).then_some(call));
    let calls: Vec<Call> = own.filter_map(call_of).collect();
    let is_load = |call: &Call| call.name == "seccomp" && call.arguments[0] == 1;
    let last = calls
        .iter()
        .rposition(is_load)
        .expect("the filter is loaded");
    calls[last + 1..].to_vec()
}
