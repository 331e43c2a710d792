//! Escapes: each works, or is answered, without the defence; with it the process is killed.

use signstar_confine::Arch;
use signstar_confine::selftest::{Escape, Needs, Outcome, StoppedBy};

use crate::child::{end_of, probe};
use crate::raw::{End, ends, inspector_filter, number, script, shell_filter};
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(every_escape_works_without_defence),
        claim(every_escape_is_killed_by_the_filter),
        claim(an_escape_that_is_let_through_is_seen_to_succeed),
        claim(landlock_alone_refuses_what_it_can_see),
        claim(names_of_escapes_are_unique),
        claim(raw_calls_are_killed_that_are_answered_without_filter),
        claim(calls_of_another_architecture_are_killed),
    ]
}

fn outcome(escape: &Escape, defence: &str) -> Outcome {
    Outcome::of(end_of(&mut probe(&["escape", escape.name, defence])).status)
}

fn every_escape_works_without_defence() {
    for escape in Escape::all() {
        let found = outcome(escape, "none");
        let expected = match escape.needs {
            Needs::Nothing => found == Outcome::Succeeded,
            Needs::Privilege => matches!(found, Outcome::Succeeded | Outcome::Refused),
        };
        assert!(expected, "{}: {found:?}", escape.name);
    }
}

fn every_escape_is_killed_by_the_filter() {
    for defence in ["filter", "inspector"] {
        for escape in Escape::all() {
            let found = outcome(escape, defence);
            assert_eq!(found, Outcome::Killed, "{} {defence}", escape.name);
        }
    }
}

/// The child must not be killed for what it does after the escape.
fn an_escape_that_is_let_through_is_seen_to_succeed() {
    for (name, hole) in [
        ("open-read", "filter+openat"),
        ("memfd", "filter+memfd_create"),
    ] {
        assert_eq!(
            outcome(Escape::named(name).unwrap(), hole),
            Outcome::Succeeded,
            "{name}"
        );
    }
}

fn landlock_alone_refuses_what_it_can_see() {
    let mut refused = 0;
    for escape in Escape::all() {
        match escape.stopped_by {
            StoppedBy::Filter => {}
            StoppedBy::FilterAndLandlock => {
                assert_eq!(
                    outcome(escape, "landlock"),
                    Outcome::Refused,
                    "{}",
                    escape.name
                );
                refused += 1;
            }
        }
    }
    assert!(refused >= 8, "only {refused}");
}

fn names_of_escapes_are_unique() {
    let mut names: Vec<&str> = Escape::all().map(|escape| escape.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// What a call does without a filter.
enum Control {
    /// It succeeds.
    Works,
    /// The kernel answers, with success or an error: host, privilege and configuration differ.
    Answered,
}

fn raw_calls_are_killed_that_are_answered_without_filter() {
    use Control::{Answered, Works};
    // PROT_READ|PROT_WRITE|PROT_EXEC is 7, MAP_PRIVATE|MAP_ANONYMOUS is 34.
    let page = |name, arguments| {
        format!(
            "{} 0 4096 3 34 -1 0;{}",
            number("mmap"),
            script(name, arguments)
        )
    };
    let mut calls = vec![
        (Works, script("mmap", "0 4096 7 34 -1 0")),
        (Works, script("mmap", "0 4096 5 34 -1 0")),
        (Works, script("mmap", "0 4096 3 33 -1 0")),
        (Works, page("mprotect", "last 4096 7")),
        (Works, page("mprotect", "last 4096 4")),
        (Works, page("pkey_mprotect", "last 4096 4 -1")),
        (Works, page("madvise", "last 4096 4")),
        (Works, page("mlock", "last 4096")),
        (Works, script("openat", "-100 text:/etc/passwd 0 0")),
        (Works, script("openat2", "-100 text:/etc/passwd room:24 24")),
        (Works, script("execve", "text:/bin/true 0 0")),
        (Works, script("execveat", "-100 text:/bin/true 0 0 0")),
        (Works, script("clone", "17 0 0 0 0")),
        (Works, script("dup3", "0 9 0")),
        (Works, script("memfd_create", "text:x 0")),
        (Works, script("socket", "1 1 0")),
        (Works, script("socketpair", "1 1 0 room:8")),
        (Works, script("prctl", "15 text:x 0 0 0")),
        (Works, script("pipe2", "room:8 0")),
        (Works, script("getpid", "")),
        (Works, script("gettid", "")),
        (Works, script("uname", "room:512")),
        (Works, script("setitimer", "0 room:32 0")),
        (Works, script("rt_sigprocmask", "0 room:8 0 8")),
        (Works, script("rt_sigaction", "14 room:32 0 8")),
        (Works, script("prlimit64", "0 7 0 room:16")),
        (Works, script("fcntl", "1 3 0")),
        (Works, script("futex", "room:8 129 1 0 0 0")),
        (Works, script("sched_yield", "")),
        (Works, script("clock_nanosleep", "1 0 room:16 0")),
        (Works, script("umask", "0")),
        (Works, script("membarrier", "0 0 0")),
        (Answered, script("userfaultfd", "0")),
        (Answered, script("io_uring_setup", "8 room:120")),
        (Answered, script("io_uring_enter", "-1 0 0 0 0 0")),
        (Answered, script("io_setup", "8 room:8")),
        (Answered, script("bpf", "0 room:72 72")),
        (Answered, script("perf_event_open", "room:112 0 -1 -1 0")),
        (Answered, script("keyctl", "0 -3 0")),
        (Answered, script("add_key", "text:user text:x text:y 1 -3")),
        (Answered, script("request_key", "text:user text:x 0 0")),
        (Answered, script("ptrace", "0 0 0 0")),
        (
            Answered,
            script("process_vm_readv", "1 room:16 1 room:16 1 0"),
        ),
        (
            Answered,
            script("process_vm_writev", "1 room:16 1 room:16 1 0"),
        ),
        (Answered, script("pidfd_open", "1 0")),
        (Answered, script("pidfd_getfd", "-1 0 0")),
        (Answered, script("pidfd_send_signal", "-1 0 0 0")),
        (Answered, script("kill", "1 0")),
        (Answered, script("tgkill", "1 1 0")),
        (Answered, script("tkill", "1 0")),
        (Answered, script("kcmp", "1 1 0 0 0")),
        (Answered, script("open_by_handle_at", "-100 room:16 0")),
        (
            Answered,
            script("name_to_handle_at", "-100 text:/ room:8 room:8 0"),
        ),
        (Answered, script("clone3", "room:88 0")),
        (Answered, script("unshare", "0")),
        (Answered, script("setns", "-1 0")),
        (Answered, script("sendfile", "1 0 0 0")),
        (Answered, script("splice", "0 0 1 0 0 0")),
        (Answered, script("tee", "0 1 0 0")),
        (Answered, script("vmsplice", "1 0 0 0")),
        (Answered, script("copy_file_range", "0 0 1 0 0 0")),
        (Answered, script("preadv2", "0 0 0 0 0 0")),
        (Answered, script("pread64", "0 room:8 8 0")),
        (Answered, script("readv", "0 0 0")),
        (Answered, script("writev", "1 0 0")),
        (Answered, script("sendto", "1 room:8 1 0 0 0")),
        (Answered, script("sendmsg", "1 room:56 0")),
        (Answered, script("recvmsg", "0 room:56 0")),
        (Answered, script("connect", "0 room:16 16")),
        (Answered, script("ioctl", "0 21522 text:x")),
        (Answered, script("mount", "0 0 0 0 0")),
        (Answered, script("umount2", "text:/nonexistent 0")),
        (Answered, script("fsopen", "text:none 0")),
        (Answered, script("open_tree", "-1 text: 0")),
        (Answered, script("move_mount", "-1 text: -1 text: 0")),
        (Answered, script("fanotify_init", "0 0")),
        (Answered, script("quotactl", "-1 0 0 0")),
        (Answered, script("init_module", "0 0 text:")),
        (Answered, script("finit_module", "-1 text: 0")),
        (Answered, script("seccomp", "0 1 0")),
        (Answered, script("landlock_create_ruleset", "0 0 1")),
        (Answered, script("personality", "4294967295")),
        (Answered, script("shmget", "0 0 512")),
        (Answered, script("mq_open", "text:/ 0 0 0")),
        (Answered, script("unlinkat", "-100 text:/nonexistent 0")),
        (
            Answered,
            script("linkat", "-100 text:/nonexistent -100 text:/nonexistent2 0"),
        ),
        (Answered, script("fchmodat", "-100 text:/nonexistent 0")),
        (Answered, script("memfd_secret", "0")),
        (Answered, script("remap_file_pages", "0 0 0 0 0")),
    ];
    if Arch::NATIVE == Arch::X86_64 {
        calls.extend([
            (Works, script("open", "text:/etc/passwd 0 0")),
            (Answered, script("modify_ldt", "0 0 0")),
            (Answered, script("arch_prctl", "4100 room:8")),
            (Works, script("dup", "0")),
            (Works, script("dup2", "0 9")),
            (Works, script("fork", "")),
            (Works, script("alarm", "0")),
            (Answered, script("iopl", "0")),
        ]);
    }
    let scripts: Vec<String> = calls.iter().map(|(_, script)| script.clone()).collect();
    for ((control, script), end) in calls.iter().zip(ends(None, &scripts)) {
        let expected = match control {
            Works => end == End::Answered(0),
            Answered => matches!(end, End::Answered(_)),
        };
        assert!(expected, "control {script}: {end:?}");
    }
    for filter in [shell_filter(), inspector_filter()] {
        for (script, end) in scripts.iter().zip(ends(Some(&filter), &scripts)) {
            assert_eq!(end, End::Killed, "{script}");
        }
    }
}

/// `int 0x80` makes a call of the i386 table, whose numbers mean other things: 1 is exit there and
/// the allowed write here.
fn calls_of_another_architecture_are_killed() {
    if Arch::NATIVE != Arch::X86_64 {
        return;
    }
    // mov eax, 1; mov ebx, 0; int 0x80
    let scripts = ["code:b801000000bb00000000cd80".to_owned()];
    let control = ends(None, &scripts);
    // A kernel without the i386 table answers with SIGSEGV; then there is nothing to stop.
    assert!(
        matches!(control[0], End::Answered(0) | End::Died(libc::SIGSEGV)),
        "{control:?}"
    );
    let expected = if control[0] == End::Answered(0) {
        End::Killed
    } else {
        control[0]
    };
    for filter in [shell_filter(), inspector_filter()] {
        assert_eq!(ends(Some(&filter), &scripts)[0], expected);
    }
}
