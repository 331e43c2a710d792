//! Lock-down that is made to fail from outside: each step says so, none goes on.

use crate::child::{BLOCK_ALARM, end_of, probe, probe_after};
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(probes_succeed_without_a_fault),
        claim(a_refused_step_is_an_error),
        claim(a_step_that_only_pretends_is_an_error),
    ]
}

const EPERM: u8 = 1;
const ENOSYS: u8 = 38;

fn probes_succeed_without_a_fault() {
    for name in [
        "harden",
        "file-size",
        "lock-memory",
        "landlock",
        "landlock-port",
        "filter",
        "confined",
    ] {
        end_of(&mut probe(&[name])).expect_success();
        // And under a fault that has nothing to do with it.
        end_of(&mut probe(&["under", "swapoff:1", name])).expect_success();
    }
}

/// System call, what it fails with, the argument that makes it fail, the probe, what it says.
fn a_refused_step_is_an_error() {
    let refused = [
        // prctl by option: PR_SET_DUMPABLE, PR_GET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_GET_….
        ("prctl", EPERM, ":0:4", "harden", "become undumpable: EPERM"),
        ("prctl", EPERM, ":0:3", "harden", "become undumpable: EPERM"),
        (
            "prctl",
            EPERM,
            ":0:38",
            "harden",
            "refuse new privileges: EPERM",
        ),
        (
            "prctl",
            EPERM,
            ":0:39",
            "harden",
            "refuse new privileges: EPERM",
        ),
        ("getdents64", EPERM, "", "harden", "read /proc/self/task"),
        ("chdir", EPERM, "", "harden", "change directory to /: EPERM"),
        (
            "prlimit64",
            EPERM,
            ":1:4",
            "harden",
            "limit core dumps: EPERM",
        ),
        (
            "prlimit64",
            EPERM,
            ":1:7",
            "harden",
            "limit open files: EPERM",
        ),
        (
            "prlimit64",
            EPERM,
            ":1:9",
            "harden",
            "limit address space: EPERM",
        ),
        (
            "prlimit64",
            EPERM,
            ":1:1",
            "harden",
            "limit file size: EPERM",
        ),
        (
            "prlimit64",
            ENOSYS,
            ":1:1",
            "file-size",
            "limit file size: ENOSYS",
        ),
        ("mlockall", EPERM, "", "lock-memory", "lock memory: EPERM"),
        ("mlockall", ENOSYS, "", "lock-memory", "lock memory: ENOSYS"),
        (
            "landlock_create_ruleset",
            ENOSYS,
            "",
            "landlock",
            "landlock",
        ),
        ("landlock_create_ruleset", EPERM, "", "landlock", "landlock"),
        ("landlock_add_rule", EPERM, "", "landlock-port", "landlock"),
        ("landlock_restrict_self", EPERM, "", "landlock", "landlock"),
        ("landlock_restrict_self", ENOSYS, "", "landlock", "landlock"),
        ("prctl", EPERM, ":0:38", "landlock", "landlock"),
        ("seccomp", EPERM, "", "filter", "load filter"),
        ("seccomp", ENOSYS, "", "filter", "load filter"),
        ("prctl", EPERM, ":0:38", "filter", "load filter"),
    ];
    for (syscall, errno, condition, name, text) in refused {
        let fault = format!("{syscall}:{errno}{condition}");
        end_of(&mut probe(&["under", &fault, name])).expect_error(text);
    }
}

/// The call returns success and does nothing: only asking afterwards tells.
fn a_step_that_only_pretends_is_an_error() {
    let pretended = [
        (
            "prctl:0:0:4",
            "harden",
            "become undumpable: reported as done",
        ),
        // PR_GET_NO_NEW_PRIVS answers 0, whatever was set.
        (
            "prctl:0:0:39",
            "harden",
            "refuse new privileges: reported as done",
        ),
        (
            "close:0:0:9",
            "harden-with-descriptor",
            "close inherited file descriptors: reported",
        ),
        ("umask:0", "harden", "set umask: reported as done"),
        (
            "chdir:0",
            "harden",
            "change directory to /: reported as done",
        ),
        ("prlimit64:0:2:some", "harden", "reported as done"),
        (
            "prlimit64:0:2:some",
            "file-size",
            "limit file size: reported as done",
        ),
        (
            "landlock_restrict_self:0",
            "landlock",
            "restrict files and network: reported as done",
        ),
    ];
    for (fault, name, text) in pretended {
        let mut command = match name {
            "harden-with-descriptor" => {
                probe_after("exec 9</dev/null", &["under", fault, "harden"])
            }
            _ => probe(&["under", fault, name]),
        };
        command.current_dir("/tmp");
        end_of(&mut command).expect_error(text);
    }
    // The signal stays blocked, while unblocking it pretends to work or is refused.
    for fault in ["rt_sigprocmask:0:0:1", "rt_sigprocmask:1:0:1"] {
        let mut blocked = probe_after(BLOCK_ALARM, &["under", fault, "deadline"]);
        end_of(&mut blocked).expect_error("arm deadline: SIGALRM is blocked");
    }
    if signstar_confine::Arch::NATIVE == signstar_confine::Arch::X86_64 {
        let text = "arm deadline: reported as done";
        end_of(&mut probe(&["under", "alarm:0", "deadline"])).expect_error(text);
        end_of(&mut probe(&["under", "alarm:38", "deadline"])).expect_error(text);
    }
}
