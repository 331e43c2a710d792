//! The system call table of the inspector: read → look → answer.
//!
//! It has two pipes, and memory as far as its limit goes: unlike the login shell it goes on to
//! allocate as long as it reads. Every rule is seen in the scenario `inspect`, artifacts of every kind.
//! Deliberately absent: a clock, `poll`, any other descriptor, everything that the login shell does not
//! have either, and `restart_syscall`: a read that was stopped is simply made again.

use crate::rule::rule_for;
use crate::{Arch, Condition, ConfineError, Rule};

/// PROT_READ | PROT_WRITE: never executable.
const READ_WRITE: u32 = 0x1 | 0x2;
/// MAP_PRIVATE | MAP_ANONYMOUS: never a file, never shared.
const PRIVATE_ANONYMOUS: u32 = 0x02 | 0x20;
/// MREMAP_MAYMOVE: to wherever the kernel likes, not to a chosen address.
const MAY_MOVE: u32 = 1;

/// The table of the inspector, for the architecture compiled for.
///
/// # Errors
/// [`ConfineError::UnknownSyscall`].
pub fn inspector_rules() -> Result<Vec<Rule>, ConfineError> {
    inspector_rules_for(Arch::NATIVE)
}

/// [`inspector_rules`] for a chosen architecture, to be compiled and interpreted elsewhere.
///
/// # Errors
/// Those of [`inspector_rules`].
pub fn inspector_rules_for(arch: Arch) -> Result<Vec<Rule>, ConfineError> {
    let plain = |name, equals: &[(u8, u32)], reason| rule_for(arch, name, equals, reason);
    let rules = vec![
        plain("read", &[(0, 0)], "the artifact, from standard input")?,
        plain("write", &[(0, 1)], "the verdict, to standard output")?,
        plain("mmap", &[(3, PRIVATE_ANONYMOUS)], "memory")?.when(Condition::within(2, READ_WRITE)),
        plain("munmap", &[], "memory given back")?,
        plain("mremap", &[(3, MAY_MOVE)], "memory that grows")?,
        plain("brk", &[], "small memory")?,
        plain(
            "sigaltstack",
            &[],
            "the runtime gives its overflow stack back at exit",
        )?,
        plain("exit_group", &[], "the end")?,
    ];
    let inspecting = |rule: Rule| rule.in_scenario("inspect");
    Ok(rules.into_iter().map(inspecting).collect())
}
