//! System calls by number, made by perl: what safe Rust cannot express.

use std::fmt::Write as _;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use signstar_confine::{
    Arch, Instruction, OpenFds, Syscall, inspector_rules, program, shell_rules,
};

const DRIVER: &str = include_str!("syscalls.pl");

/// How a process ended that made one system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The kernel answered the call with this errno, 0 if it succeeded.
    Answered(i32),
    /// SIGSYS: the filter killed it.
    Killed,
    /// Another signal.
    Died(i32),
}

/// The log descriptor in the filter that raw calls are made under.
pub(crate) const LOG: u32 = 7;

/// The filter of the login shell, with a log.
pub(crate) fn shell_filter() -> Vec<Instruction> {
    let fds = OpenFds {
        log: Some(LOG.try_into().unwrap()),
    };
    program(&shell_rules(&fds).unwrap(), Arch::NATIVE).unwrap()
}

/// The filter of the inspector.
pub(crate) fn inspector_filter() -> Vec<Instruction> {
    program(&inspector_rules().unwrap(), Arch::NATIVE).unwrap()
}

/// A script with the name of a system call in it instead of a number.
pub(crate) fn script(name: &str, arguments: &str) -> String {
    format!("{} {arguments}", number(name))
}

/// The number of a system call on this machine.
pub(crate) fn number(name: &str) -> i64 {
    Syscall::named(name, Arch::NATIVE).unwrap().number
}

/// Runs each script in a process of its own.
pub(crate) fn ends(filter: Option<&[Instruction]>, scripts: &[String]) -> Vec<End> {
    let mut perl = Command::new("perl")
        .args(["-e", DRIVER])
        .args(["prctl", "seccomp", "exit_group"].map(|name| number(name).to_string()))
        .arg(filter.map_or("none".into(), hexadecimal))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("perl is needed to make raw system calls");
    let mut input = perl.stdin.take().unwrap();
    let lines: String = scripts.iter().map(|script| format!("{script}\n")).collect();
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = perl.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let ends: Vec<End> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(end)
        .collect();
    assert_eq!(ends.len(), scripts.len(), "a script had no answer");
    ends
}

fn end(line: &str) -> End {
    let status = ExitStatus::from_raw(line.parse().unwrap());
    match (status.code(), status.signal()) {
        // What the driver itself says when it cannot go on.
        (Some(code @ 250..=253), _) => panic!("the perl driver failed with {code}"),
        (Some(errno), _) => End::Answered(errno),
        (_, Some(libc::SIGSYS)) => End::Killed,
        (_, signal) => End::Died(signal.unwrap()),
    }
}

/// The program as the kernel reads it: `struct sock_filter`, in the byte order of the machine.
fn hexadecimal(filter: &[Instruction]) -> String {
    let mut text = String::new();
    for instruction in filter {
        let code = instruction.code.to_ne_bytes();
        let jumps = [instruction.jt, instruction.jf];
        let operand = instruction.k.to_ne_bytes();
        for byte in code.iter().chain(&jumps).chain(&operand) {
            write!(text, "{byte:02x}").unwrap();
        }
    }
    text
}
