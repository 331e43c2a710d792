//! The system call table of the login shell: what read → hash → answer needs, and nothing else.
//!
//! What a back end needs on top enters by [`rule`](crate::rule). Each rule names the scenario in
//! which the release binary makes the call:
//!
//! | scenario | what happens |
//! |---|---|
//! | `sign` | an artifact is signed and the record is written |
//! | `refusal` | the caller is told on standard error why there is no signature |
//! | `large-input` | enough of everything that the allocator asks the kernel for memory |
//! | `signal-stop-continue` | the process is stopped and continued while it waits for input |
//! | `clock-without-vdso` | the host has no clock that user space can read |
//! | `inspected` | an artifact is signed with a key whose artifacts are inspected |
//!
//! It is the table of the static release binary, with musl. Deliberately absent, although sandboxes
//! often have them:
//!
//! - `rt_sigreturn`: no handler is ever installed, and it is the call that lets an attacker set
//!   every register and the signal mask;
//! - `futex` and `madvise`: there is one thread, and neither C library then makes them (a library
//!   of a back end may wake nobody when it clears up, and asks for that);
//! - `brk`, `mprotect`: musl's allocator makes them when it needs more places than it ever had
//!   before, and there were more in use while configuration and certificate were parsed;
//! - `mremap`: no buffer of more than 128 KiB grows after that, and only those are mapped alone;
//! - `getrandom`: what is random is drawn before lock-down; a back end that draws more later asks
//!   for it;
//! - `gettid`, `rt_sigprocmask`, `tgkill`, `rt_sigaction`: a panic, an abort or a stack overflow
//!   ends in SIGSYS instead of SIGABRT or SIGSEGV, which ends the process as surely. The runtime's
//!   own panic hook is killed before it has said anything; a hook of the program's own that writes
//!   to standard error and exits is not;
//! - `writev`, `fcntl`, `ioctl`, `lseek`, `fstat`: the runtime of Rust does not make them here.

use std::os::fd::RawFd;

use crate::rule::rule_for;
use crate::{Arch, Condition, ConfineError, Rule};

/// Which descriptors beyond the standard streams are open when the filter is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFds {
    /// The audit sink, a file or a connected socket.
    pub log: Option<RawFd>,
}

/// So many descriptors are polled at once; which ones, a filter cannot see.
const POLLED_MAX: u32 = 4;
/// PROT_READ | PROT_WRITE: never executable.
const READ_WRITE: u32 = 0x1 | 0x2;
/// MAP_PRIVATE | MAP_ANONYMOUS: never a file, never shared.
const PRIVATE_ANONYMOUS: u32 = 0x02 | 0x20;
/// CLOCK_REALTIME is 0, CLOCK_MONOTONIC 1; the clocks of other processes are negative.
const MONOTONIC: u32 = 1;

/// The base table of the login shell, for the architecture compiled for.
///
/// # Errors
/// [`ConfineError::Descriptor`] when a descriptor is negative.
pub fn shell_rules(fds: &OpenFds) -> Result<Vec<Rule>, ConfineError> {
    shell_rules_for(Arch::NATIVE, fds)
}

/// [`shell_rules`] for a chosen architecture, to be compiled and interpreted elsewhere.
///
/// # Errors
/// Those of [`shell_rules`].
pub fn shell_rules_for(arch: Arch, fds: &OpenFds) -> Result<Vec<Rule>, ConfineError> {
    let plain = |name, equals: &[(u8, u32)], reason| rule_for(arch, name, equals, reason);
    let mut rules = vec![
        plain("read", &[(0, 0)], "the artifact, from standard input")?,
        plain("write", &[(0, 1)], "the signature, to standard output")?,
        plain("write", &[(0, 2)], "one sentence to the caller")?.in_scenario("refusal"),
        // The allocator. Sizes are bounded by the address space limit.
        plain("mmap", &[(3, PRIVATE_ANONYMOUS)], "memory")?
            .when(Condition::within(2, READ_WRITE))
            .in_scenario("large-input"),
        plain("munmap", &[], "memory given back")?.in_scenario("large-input"),
        plain("clock_gettime", &[], "the time of signature and record")?
            .when(Condition::AtMost {
                arg: 0,
                value: MONOTONIC,
            })
            .in_scenario("clock-without-vdso"),
        plain(
            "restart_syscall",
            &[],
            "a wait goes on after the process was stopped",
        )?
        .in_scenario("signal-stop-continue"),
        plain(
            "sigaltstack",
            &[],
            "the runtime gives its overflow stack back at exit",
        )?,
        plain("exit_group", &[], "the end")?,
    ];
    rules.push(waiting(arch)?);
    if let Some(log) = fds.log {
        let log = u32::try_from(log).map_err(|_| ConfineError::Descriptor(log))?;
        rules.push(plain("write", &[(0, log)], "the audit record")?);
    }
    Ok(rules)
}

/// What the login shell needs on top to have an artifact inspected: the pipe `artifact` to the inspector
/// and the pipe `verdict` from it.
///
/// # Errors
/// [`ConfineError::Descriptor`] when a descriptor is negative.
pub fn inspection_rules(artifact: RawFd, verdict: RawFd) -> Result<Vec<Rule>, ConfineError> {
    inspection_rules_for(Arch::NATIVE, artifact, verdict)
}

/// [`inspection_rules`] for a chosen architecture, to be compiled and interpreted elsewhere.
///
/// # Errors
/// Those of [`inspection_rules`].
pub fn inspection_rules_for(
    arch: Arch,
    artifact: RawFd,
    verdict: RawFd,
) -> Result<Vec<Rule>, ConfineError> {
    let number = |fd: RawFd| u32::try_from(fd).map_err(|_| ConfineError::Descriptor(fd));
    let (artifact, verdict) = (number(artifact)?, number(verdict)?);
    let rules = [
        ("write", artifact, "the artifact, to the inspector"),
        // The one descriptor that can be closed: nothing can be opened in its place.
        ("close", artifact, "the inspector sees the artifact's end"),
        ("read", verdict, "the inspector's verdict"),
    ];
    let rule =
        |(name, fd, reason)| Ok(rule_for(arch, name, &[(0, fd)], reason)?.in_scenario("inspected"));
    rules.into_iter().map(rule).collect()
}

/// `poll`, which newer architectures only have as `ppoll`.
fn waiting(arch: Arch) -> Result<Rule, ConfineError> {
    let reason = "input with a time limit; whether the caller is still there";
    let bounded = Condition::AtMost {
        arg: 1,
        value: POLLED_MAX,
    };
    Ok(match arch {
        Arch::X86_64 => rule_for(arch, "poll", &[], reason)?.when(bounded),
        // With a signal mask it could block SIGALRM, and with it the deadline.
        Arch::Aarch64 => rule_for(arch, "ppoll", &[], reason)?
            .when(bounded)
            .when(Condition::Zero { arg: 3 }),
    })
}
