//! Attempts at other programs, other processes, and the process's own limits.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::process::CommandExt;
use std::process::{self, Command};
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::mman::munlockall;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::{personality, prctl, ptrace};
use nix::unistd::{Pid, alarm, getresuid, setresuid};

use super::StoppedBy::{Filter, FilterAndLandlock};
use super::{Attempt, Escape, Needs, gained, simply};

/// A program that every host has and that does nothing.
const PROGRAM: &str = "/bin/true";

pub(super) const ESCAPES: &[Escape] = &[
    Escape {
        name: "exec",
        tries: "become another program",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        // Returns only when it failed.
        prepare: || simply(|| Err(Command::new(PROGRAM).exec())),
    },
    Escape {
        name: "spawn",
        tries: "start another program",
        stopped_by: FilterAndLandlock,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(Command::new(PROGRAM).spawn())),
    },
    Escape {
        name: "thread",
        tries: "start a thread",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(thread::Builder::new().spawn(|| {}))),
    },
    Escape {
        name: "ptrace",
        tries: "let the parent process trace this one",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(ptrace::traceme())),
    },
    Escape {
        name: "kill",
        tries: "ask whether a process can be signalled",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || {
            let this = Pid::this();
            simply(move || gained(kill(this, None)))
        },
    },
    Escape {
        name: "read-process",
        tries: "read a process's memory",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: read_process,
    },
    Escape {
        name: "prctl",
        tries: "rename the process",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(prctl::set_name(c"renamed"))),
    },
    Escape {
        name: "dumpable",
        tries: "become dumpable again",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(prctl::set_dumpable(true))),
    },
    Escape {
        name: "limits",
        tries: "set a resource limit",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: set_limit,
    },
    Escape {
        name: "unlock-memory",
        tries: "unlock the memory",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(munlockall())),
    },
    Escape {
        name: "block-deadline",
        tries: "block the signal of the deadline",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(alarm_only().thread_block())),
    },
    Escape {
        name: "cancel-deadline",
        tries: "cancel the timer of the deadline",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || {
            simply(|| {
                alarm::cancel();
                Ok(())
            })
        },
    },
    Escape {
        name: "personality",
        tries: "ask for the execution domain",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: || simply(|| gained(personality::get())),
    },
    Escape {
        name: "setuid",
        tries: "set the user id",
        stopped_by: Filter,
        needs: Needs::Nothing,
        prepare: set_user,
    },
    Escape {
        name: "unshare",
        tries: "enter a new user namespace",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: || simply(|| gained(unshare(CloneFlags::CLONE_NEWUSER))),
    },
    Escape {
        name: "setns",
        tries: "enter an open namespace",
        stopped_by: Filter,
        needs: Needs::Privilege,
        prepare: enter_namespace,
    },
];

fn alarm_only() -> SigSet {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGALRM);
    signals
}

fn read_process() -> io::Result<Attempt> {
    let process = Pid::from_raw(i32::try_from(process::id()).map_err(io::Error::other)?);
    simply(move || {
        let mut buffer = [0_u8; 1];
        // Nothing is read: whether the call is let through is the question.
        let remote = [RemoteIoVec { base: 0, len: 0 }];
        gained(process_vm_readv(
            process,
            &mut [io::IoSliceMut::new(&mut buffer)],
            &remote,
        ))
    })
}

fn set_limit() -> io::Result<Attempt> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    simply(move || gained(setrlimit(Resource::RLIMIT_NOFILE, soft, hard)))
}

fn set_user() -> io::Result<Attempt> {
    let ids = getresuid()?;
    simply(move || gained(setresuid(ids.real, ids.effective, ids.saved)))
}

fn enter_namespace() -> io::Result<Attempt> {
    let namespace = ManuallyDrop::new(File::open("/proc/self/ns/uts")?);
    simply(move || gained(setns(&*namespace, CloneFlags::CLONE_NEWUTS)))
}
