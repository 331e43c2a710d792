//! The system call tables of the process that loads a vendor's PKCS#11 module.
//!
//! Foreign code probes: it asks for what it can do without, and a violation that killed it would
//! make modules unusable that are harmless. So what is not listed fails with ENOSYS, which libraries
//! answer by older ways, and files are held by Landlock ([`restrict_files_to`](crate::restrict_files_to)),
//! which sees paths. There are two tables, one after the other ([`Stage`]).
//!
//! Deliberately absent from both:
//!
//! - sockets of every kind: a module gets no network, no other process's socket, no netlink;
//! - `execve`, `fork`, `vfork`, `clone3`, and `clone` but for threads: no other program, no process
//!   that outlives this one;
//! - `ptrace`, `process_vm_*`, `kill`, `tgkill`, `pidfd_*`: its parent holds the caller's streams;
//! - `io_uring`, `bpf`, `userfaultfd`, `perf_event_open`, `memfd_create`, `keyctl`, mounts,
//!   namespaces, `personality`, `setrlimit`, identities: nothing that undoes this.
//!
//! What this does not hold: a module that is hostile from the start. It runs before the second table is
//! loaded, in the process that loads it, so it can change that code or have its own filter answer for the
//! kernel; what [`load_worker_filter`] asks finds a load that did not happen, and a crude forgery, no more.
//! Such a module keeps what the first table gives: executable memory and threads, but no socket, no
//! program, no other process, and no file that was not granted. The second table holds a module that was
//! honest while it initialised, whatever the digest, the token or a fault makes of it later.
//!
//! `extrasafe` was to do this: it enables its built-in set in every filter, which allows `mmap` and
//! `mprotect` whatever their arguments, and refuses conditions on them beside that.

use nix::errno::Errno;
use nix::sys::prctl;

use crate::rule::rule_for;
use crate::{Arch, Condition, ConfineError, Rule, load_refusing_filter};

/// When a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// While the module is loaded and initialises: libraries are mapped, threads may start.
    Loading,
    /// From before the PIN is sent until the end.
    Signing,
}

/// System calls that are allowed in both stages, whatever their arguments.
const PLAIN: [(&str, &[&str]); 8] = [
    (
        "files, as far as Landlock grants them",
        &[
            "openat",
            "close",
            "close_range",
            "read",
            "readv",
            "pread64",
            "preadv",
            "write",
            "writev",
            "pwrite64",
            "pwritev",
            "lseek",
            "ftruncate",
            "fallocate",
            "fsync",
            "fdatasync",
            "flock",
            "unlinkat",
            "renameat",
            "getdents64",
        ],
    ),
    (
        "what files are",
        &[
            "fstat",
            "newfstatat",
            "statx",
            "faccessat",
            "faccessat2",
            "readlinkat",
            "statfs",
            "fstatfs",
            "getcwd",
        ],
    ),
    (
        "descriptors of its own",
        &[
            "dup",
            "dup3",
            "pipe2",
            "eventfd2",
            "epoll_create1",
            "epoll_ctl",
            "epoll_pwait",
            "ppoll",
            "pselect6",
        ],
    ),
    (
        "memory",
        &[
            "munmap", "mremap", "madvise", "brk", "mlock", "mlock2", "munlock",
        ],
    ),
    (
        "time",
        &[
            "clock_gettime",
            "clock_getres",
            "clock_nanosleep",
            "nanosleep",
            "gettimeofday",
        ],
    ),
    (
        "threads wait for each other",
        &[
            "futex",
            "set_robust_list",
            "get_robust_list",
            "rseq",
            "sched_yield",
            "sched_getaffinity",
            "set_tid_address",
            "membarrier",
        ],
    ),
    (
        "signals to itself are handled, none is sent",
        &[
            "rt_sigaction",
            "rt_sigprocmask",
            "rt_sigreturn",
            "sigaltstack",
            "restart_syscall",
        ],
    ),
    (
        "who and where it is, randomness, the end",
        &[
            "getpid",
            "gettid",
            "getppid",
            "getuid",
            "geteuid",
            "getgid",
            "getegid",
            "getgroups",
            "uname",
            "sysinfo",
            "getrusage",
            "times",
            "getrandom",
            "exit",
            "exit_group",
        ],
    ),
];

/// Older names of the same, which only x86_64 has.
const OLDER: [(&str, &[&str]); 3] = [
    (
        "files, by their older names",
        &["open", "creat", "unlink", "rename", "getdents"],
    ),
    (
        "what files are, by older names",
        &["stat", "lstat", "access", "readlink"],
    ),
    (
        "waiting and time, by older names",
        &[
            "poll",
            "select",
            "pipe",
            "dup2",
            "epoll_create",
            "epoll_wait",
            "eventfd",
            "time",
        ],
    ),
];

/// Operations of fcntl(2): flags, record locks of both kinds, duplicates. None that sends signals.
const FCNTL: [u32; 4] = [36, 37, 38, 1030];
/// The lowest eight of them: F_DUPFD to F_SETLKW.
const FCNTL_LOW_MAX: u32 = 7;
/// TCGETS, FIONREAD, FIONBIO: is it a terminal, how much is there, do not block.
const IOCTL: [u32; 3] = [0x5401, 0x541b, 0x5421];
/// PROT_EXEC.
const EXECUTABLE: u32 = 0x4;
/// CLONE_VM | CLONE_SIGHAND | CLONE_THREAD: a thread, never a process.
const THREAD: u32 = 0x100 | 0x800 | 0x1_0000;
/// CLONE_PTRACE, and CLONE_NEWNS to CLONE_NEWNET: nobody traces it, and it is in no other namespace.
const ELSEWHERE: u32 = 0x2000 | 0x2_0000 | 0x7e00_0000;
/// PR_SET_NO_NEW_PRIVS and SECCOMP_SET_MODE_FILTER: the second filter is loaded with them.
const SET_NO_NEW_PRIVS: u32 = 38;
const SET_MODE_FILTER: u32 = 1;

/// Loads the table of `stage` on all threads. After the second, a call that only the first allows must be
/// refused.
///
/// # Errors
/// Those of [`load_refusing_filter`], and [`ConfineError::NotInForce`].
pub fn load_worker_filter(stage: Stage) -> Result<(), ConfineError> {
    load_refusing_filter(&worker_rules(stage)?)?;
    match (stage, prctl::set_no_new_privs()) {
        (Stage::Loading, _) | (Stage::Signing, Err(Errno::ENOSYS)) => Ok(()),
        (Stage::Signing, _) => Err(ConfineError::NotInForce {
            step: "the second filter",
        }),
    }
}

/// The table of `stage`, for the architecture compiled for.
///
/// # Errors
/// [`ConfineError::UnknownSyscall`].
pub fn worker_rules(stage: Stage) -> Result<Vec<Rule>, ConfineError> {
    worker_rules_for(Arch::NATIVE, stage)
}

/// [`worker_rules`] for a chosen architecture, to be compiled and interpreted elsewhere.
///
/// # Errors
/// Those of [`worker_rules`].
pub fn worker_rules_for(arch: Arch, stage: Stage) -> Result<Vec<Rule>, ConfineError> {
    let mut rules = Vec::new();
    let older: &[(&str, &[&str])] = match arch {
        Arch::X86_64 => &OLDER,
        Arch::Aarch64 => &[],
    };
    for (reason, names) in PLAIN.iter().chain(older) {
        for name in *names {
            rules.push(rule_for(arch, name, &[], reason)?);
        }
    }
    let locks = "flags and locks of files";
    let low = Condition::AtMost {
        arg: 1,
        value: FCNTL_LOW_MAX,
    };
    rules.push(rule_for(arch, "fcntl", &[], locks)?.when(low));
    for operation in FCNTL {
        rules.push(rule_for(arch, "fcntl", &[(1, operation)], locks)?);
    }
    for request in IOCTL {
        rules.push(rule_for(
            arch,
            "ioctl",
            &[(1, request)],
            "what a descriptor is",
        )?);
    }
    // Its own limits may be read, not set, and nobody else's.
    let limits = rule_for(arch, "prlimit64", &[(0, 0)], "its own limits")?;
    rules.push(limits.when(Condition::Zero { arg: 2 }));
    rules.extend(of_stage(arch, stage)?);
    Ok(rules)
}

fn of_stage(arch: Arch, stage: Stage) -> Result<Vec<Rule>, ConfineError> {
    let plain = |name, equals: &[(u8, u32)], reason| rule_for(arch, name, equals, reason);
    match stage {
        Stage::Loading => {
            let thread = Condition::MaskedEquals {
                arg: 0,
                mask: THREAD | ELSEWHERE,
                value: THREAD,
            };
            Ok(vec![
                plain("mmap", &[], "libraries are mapped")?,
                plain("mprotect", &[], "libraries are relocated")?,
                plain("clone", &[], "threads of the module")?.when(thread),
                plain("prctl", &[(0, SET_NO_NEW_PRIVS)], "the second filter")?,
                plain("seccomp", &[(0, SET_MODE_FILTER)], "the second filter")?,
            ])
        }
        Stage::Signing => {
            let inert = Condition::MaskedEquals {
                arg: 2,
                mask: EXECUTABLE,
                value: 0,
            };
            Ok(vec![
                plain("mmap", &[], "memory that is not executable")?.when(inert),
                plain("mprotect", &[], "memory that is not executable")?.when(inert),
            ])
        }
    }
}
