//! A process under the real filter: it is in force, and everything that must still work does.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use signstar_confine::{Arch, Syscall};

use crate::child::{end_of, probe};
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(filter_is_in_force_while_the_process_waits_for_input),
        claim(reading_and_writing_work_under_the_filter),
        claim(large_buffers_come_and_go_under_the_filter),
        claim(exit_code_survives_the_filter),
        claim(a_panic_ends_the_process),
        claim(a_panic_can_be_told_by_a_hook_of_our_own),
        claim(an_abort_ends_the_process),
        claim(a_stack_overflow_ends_the_process),
        claim(a_wait_survives_stop_and_continue),
    ]
}

/// Starts a probe and reads the line by which it says that it is ready.
fn started(name: &str, line: &str) -> Child {
    let mut child = probe(&[name]).spawn().unwrap();
    let mut said = String::new();
    BufReader::with_capacity(1, child.stdout.as_mut().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert_eq!(said.trim_end(), line);
    child
}

fn rest(child: &mut Child) -> String {
    let mut said = String::new();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    said
}

fn filter_is_in_force_while_the_process_waits_for_input() {
    let mut child = started("confined", "confined");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    for line in [
        "Seccomp:\t2",
        "Seccomp_filters:\t1",
        "NoNewPrivs:\t1",
        "Threads:\t1",
    ] {
        assert!(status.lines().any(|said| said == line), "{line}: {status}");
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

fn reading_and_writing_work_under_the_filter() {
    let mut child = started("confined", "confined");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&[b'x'; 300_000])
        .unwrap();
    assert_eq!(rest(&mut child), "read 300000 bytes\n");
    assert!(child.wait().unwrap().success());
}

fn large_buffers_come_and_go_under_the_filter() {
    end_of(&mut probe(&["allocate"])).expect_success();
}

fn exit_code_survives_the_filter() {
    assert_eq!(end_of(&mut probe(&["exit"])).status.code(), Some(7));
}

fn a_panic_ends_the_process() {
    let end = end_of(&mut probe(&["panic"]));
    // The runtime's own hook asks for the thread's number, which is not in the table.
    assert_eq!(
        (end.signal(), end.stdout.as_str()),
        (Some(libc::SIGSYS), ""),
        "{end:?}"
    );
}

fn a_panic_can_be_told_by_a_hook_of_our_own() {
    let end = end_of(&mut probe(&["panic-with-hook"]));
    assert_eq!(
        (end.status.code(), end.stderr.as_str()),
        (Some(70), "it failed\n"),
        "{end:?}"
    );
}

fn an_abort_ends_the_process() {
    let end = end_of(&mut probe(&["abort"]));
    assert_eq!(end.signal(), Some(libc::SIGSYS), "{end:?}");
}

fn a_stack_overflow_ends_the_process() {
    let end = end_of(&mut probe(&["overflow"]));
    assert!(end.signal().is_some(), "{end:?}");
}

fn a_wait_survives_stop_and_continue() {
    let mut child = started("wait", "waiting");
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let waiting = match Arch::NATIVE {
        Arch::X86_64 => "poll",
        Arch::Aarch64 => "ppoll",
    };
    let number = Syscall::named(waiting, Arch::NATIVE)
        .unwrap()
        .number
        .to_string();
    // The kernel tells which call a process is blocked in.
    let blocked = || {
        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap();
        call.split_whitespace().next() == Some(&number)
    };
    while !blocked() {
        std::thread::yield_now();
    }
    kill(pid, Signal::SIGSTOP).unwrap();
    let stopped = waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert_eq!(stopped, WaitStatus::Stopped(pid, Signal::SIGSTOP));
    kill(pid, Signal::SIGCONT).unwrap();
    let continued = waitpid(pid, Some(WaitPidFlag::WCONTINUED)).unwrap();
    assert_eq!(continued, WaitStatus::Continued(pid));
    child.stdin.take().unwrap().write_all(b"x").unwrap();
    assert_eq!(rest(&mut child), "Ok(1)\n");
    assert!(child.wait().unwrap().success());
}
