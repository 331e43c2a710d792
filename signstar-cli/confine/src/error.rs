//! Why a process could not be confined.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::Arch;

/// A step of the confinement that did not happen.
///
/// None of these is answered by going on: the process ends before it reads input. A retry does not
/// help; the operator of the host has to act, or, for the variants about rules, we have.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfineError {
    /// The kernel refused a call. The operator must find out what stands in the way.
    #[error("{step}: {source}")]
    Refused {
        /// What was attempted.
        step: &'static str,
        /// The kernel's answer.
        source: Errno,
    },
    /// A file of `/proc/self` could not be read or understood. `/proc` must be mounted.
    #[error("read {path}: {source}")]
    Proc {
        /// The file.
        path: &'static str,
        /// Why it could not be used.
        source: io::Error,
    },
    /// The kernel reported success, but what was asked for is not in force.
    #[error("{step}: reported as done, but not in force")]
    NotInForce {
        /// What was attempted.
        step: &'static str,
    },
    /// Whoever started the process allows less than the configuration needs. The operator must
    /// raise the one or lower the other.
    #[error("{step}: the limit that was inherited, {inherited}, is too low")]
    LimitTooLow {
        /// What was attempted.
        step: &'static str,
        /// The hard limit at the start.
        inherited: u64,
    },
    /// A standard stream is not what sshd gives: a pipe or a socket.
    #[error("file descriptor {fd}: neither a pipe nor a socket")]
    Stream {
        /// 0 or 1.
        fd: i32,
    },
    /// SIGALRM would not end the process, so there would be no deadline.
    #[error("arm deadline: SIGALRM is {state}")]
    Alarm {
        /// `ignored`, `blocked` or `caught`.
        state: &'static str,
    },
    /// The process has more than one thread; Landlock confines only the calling one.
    #[error("confine: {0} threads are running, not one")]
    Threads(usize),
    /// Landlock is absent, too old or refused. The operator needs a newer kernel or must enable it.
    #[error("restrict files and network with landlock: {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// A path that is granted to a module cannot be opened. The operator must mend it.
    #[error("{0}: granted, but cannot be opened")]
    Grant(PathBuf),
    /// A system call that does not exist on this architecture is named in a rule. A fault of ours.
    #[error("rule for {name}: no such system call on {arch}")]
    UnknownSyscall {
        /// The name as it was given.
        name: String,
        /// The architecture whose table was searched.
        arch: Arch,
    },
    /// A rule was made for another architecture than the program. A fault of ours.
    #[error("rule for {name}: its number is not that of {arch}")]
    ForeignRule {
        /// The system call.
        name: &'static str,
        /// The architecture that the program is for.
        arch: Arch,
    },
    /// A system call has a rule without condition beside conditioned ones, which it would make
    /// void. A fault of ours.
    #[error("rules for {0}: one without condition makes the others void")]
    Shadowed(&'static str),
    /// A file descriptor in a rule is negative. A fault of ours.
    #[error("rule for file descriptor {0}: negative")]
    Descriptor(i32),
    /// The rules do not compile, such as an argument beyond the sixth. A fault of ours.
    #[error("compile filter: {0}")]
    Compile(#[from] seccompiler::BackendError),
    /// The kernel refused the filter, or it did not reach every thread.
    #[error("load filter: {0}")]
    Load(#[from] seccompiler::Error),
}
