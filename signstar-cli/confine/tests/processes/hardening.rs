//! Phase 0: what is true of a process after `harden`, and what it refuses to start with.

use std::fs::File;
use std::process::Stdio;

use crate::child::{BLOCK_ALARM, end, end_of, probe, probe_after};
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(closes_inherited_descriptors),
        claim(is_not_dumpable_and_takes_no_privileges),
        claim(masks_modes_and_leaves_the_directory),
        claim(accepts_sockets_as_streams),
        claim(refuses_a_file_as_standard_input),
        claim(refuses_a_device_as_standard_input),
        claim(refuses_closed_standard_input),
        claim(refuses_a_file_as_standard_output),
        claim(refuses_a_second_thread),
        claim(deadline_ends_a_process_that_waits),
        claim(deadline_holds_under_the_filter),
        claim(deadline_is_refused_when_the_signal_is_ignored),
        claim(deadline_holds_when_the_signal_was_blocked),
    ]
}

fn closes_inherited_descriptors() {
    let leak = "exec 3</etc/passwd 7</dev/null 9>/dev/null";
    let control = end_of(&mut probe_after(
        &format!("{leak}; ls /proc/self/fd >&2"),
        &["harden"],
    ));
    assert!(
        control.stderr.contains("7\n"),
        "nothing to close: {control:?}"
    );
    let end = end_of(&mut probe_after(leak, &["harden"])).expect_success();
    // 3 is the descriptor that the probe lists them with.
    assert!(end.stdout.contains("descriptors: 0 1 2 3\n"), "{end:?}");
}

fn is_not_dumpable_and_takes_no_privileges() {
    let end = end_of(&mut probe(&["harden"])).expect_success();
    assert!(end.stdout.contains("dumpable: false\n"), "{end:?}");
    assert!(end.stdout.contains("NoNewPrivs:\t1\n"), "{end:?}");
}

fn masks_modes_and_leaves_the_directory() {
    let end = end_of(&mut probe_after("umask 000; cd /tmp", &["harden"])).expect_success();
    assert!(end.stdout.contains("Umask:\t0077\n"), "{end:?}");
    assert!(end.stdout.contains("directory: /\n"), "{end:?}");
}

fn accepts_sockets_as_streams() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let theirs: std::os::fd::OwnedFd = theirs.into();
    let end = end_of(
        probe(&["harden"])
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs),
    );
    drop(ours);
    assert_ne!(
        end.status.code(),
        Some(crate::probes::UNCONFINED),
        "{end:?}"
    );
}

fn refuses_a_file_as_standard_input() {
    let file = File::open("/etc/passwd").unwrap();
    end_of(probe(&["harden"]).stdin(file)).expect_error("file descriptor 0: neither a pipe");
}

fn refuses_a_device_as_standard_input() {
    end_of(probe(&["harden"]).stdin(Stdio::null())).expect_error("file descriptor 0: neither");
}

fn refuses_closed_standard_input() {
    end_of(&mut probe_after("exec <&-", &["harden"])).expect_error("file descriptor 0: neither");
}

fn refuses_a_file_as_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("out")).unwrap();
    end_of(probe(&["harden"]).stdout(file)).expect_error("file descriptor 1: neither a pipe");
}

fn refuses_a_second_thread() {
    end_of(&mut probe(&["harden-with-thread"])).expect_error("2 threads are running");
}

fn deadline_ends_a_process_that_waits() {
    assert_deadline(&mut probe(&["deadline"]));
}

fn deadline_holds_under_the_filter() {
    assert_deadline(&mut probe(&["confined-deadline"]));
}

fn deadline_is_refused_when_the_signal_is_ignored() {
    end_of(&mut probe_after("trap '' ALRM", &["deadline"])).expect_error("SIGALRM is ignored");
}

fn deadline_holds_when_the_signal_was_blocked() {
    assert_deadline(&mut probe_after(BLOCK_ALARM, &["deadline"]));
}

/// The probe waits for input that never comes; only the deadline can end it.
fn assert_deadline(command: &mut std::process::Command) {
    let mut child = command.spawn().unwrap();
    let input = child.stdin.take();
    let end = end(child);
    drop(input);
    assert_eq!(end.signal(), Some(libc::SIGALRM), "{end:?}");
}
