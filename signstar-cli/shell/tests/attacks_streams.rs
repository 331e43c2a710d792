//! Streams and descriptors that sshd would not give.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

#[path = "support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::process::Stdio;

use support::shell::SHELL;
use support::{Judge, Outcome, World};

#[test]
fn standard_streams_that_sshd_would_not_give_are_refused() {
    let world = World::new();
    let input = world.path("/client/input");
    fs::write(&input, "artifact").unwrap();
    let output = world.path("/client/output");
    fs::write(&output, "").unwrap();
    let terminal = || nix::pty::openpty(None, None).unwrap();
    let judge = Judge::new(&world);
    let read = |path: &str| File::open(path).unwrap();
    let write = || OpenOptions::new().append(true).open(&output).unwrap();

    let pty = terminal();
    for (what, stdin) in [
        ("a file", Stdio::from(File::open(&input).unwrap())),
        ("a folder", Stdio::from(read("/"))),
        ("nothing", Stdio::null()),
        ("zeros", Stdio::from(read("/dev/zero"))),
        ("a terminal", Stdio::from(pty.slave.try_clone().unwrap())),
    ] {
        judge.refused(what, &world.shell().stdin(stdin).run(b""), "invocation", 64);
    }
    for (what, stdout) in [
        ("to a file", Stdio::from(write())),
        ("to nothing", Stdio::null()),
        ("to a terminal", Stdio::from(pty.slave.try_clone().unwrap())),
        ("to a folder", Stdio::from(read("/"))),
    ] {
        judge.refused(
            what,
            &world.shell().stdout(stdout).run(b"artifact"),
            "invocation",
            64,
        );
    }
    assert_eq!(fs::read(&output).unwrap(), b"");
    // Closed ones: a shell in between closes them.
    let run = |script: &str| {
        let arguments = ["-c", script].map(OsStr::new);
        world
            .shell()
            .through("/usr/bin/bash", &arguments)
            .run(b"artifact")
    };
    for script in ["<&-", ">&-", "<&- >&-"] {
        let script = format!("exec -a signstar {SHELL} -c {SHELL} {script}");
        judge.refused(&script, &run(&script), "invocation", 64);
    }
    let outcome = run(&format!("exec -a signstar {SHELL} -c {SHELL} <&- >&- 2>&-"));
    assert_eq!(outcome.code(), 64);
    judge.refused_somehow("nothing open", &outcome, "invocation");
    // Without standard error there is a signature, and nothing else.
    let outcome = run(&format!("exec -a signstar {SHELL} -c {SHELL} 2>&-"));
    judge.signed("no standard error", &outcome);
}

#[test]
fn further_open_descriptors_are_closed_before_anything_is_read() {
    let world = World::new();
    let judge = Judge::new(&world);
    let script = format!(
        "exec 3</etc/passwd 4>/dev/null 7</etc 9<>/dev/zero 20>&1 25<&0; \
         exec -a signstar {SHELL} -c {SHELL}"
    );
    let arguments = ["-c", &script].map(OsStr::new);
    let mut running = world.shell().through("/usr/bin/bash", &arguments).start();
    support::until("it waits for input", || {
        let status = fs::read_to_string(format!("/proc/{}/status", running.id()));
        status.unwrap_or_default().contains("Seccomp:\t2")
    });
    let open: Vec<String> = fs::read_dir(format!("/proc/{}/fd", running.id()))
        .unwrap()
        .map(|entry| {
            fs::read_link(entry.unwrap().path())
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    // The three standard streams, the audit log and the file of sessions.
    assert_eq!(open.len(), 5, "{open:?}");
    for gone in ["/etc", "/dev/zero", "/dev/null"] {
        assert!(!open.iter().any(|path| path.starts_with(gone)), "{open:?}");
    }
    running.send(b"artifact");
    judge.signed("open descriptors", &running.outcome());
}

#[test]
fn sockets_serve_as_standard_streams() {
    let world = World::new();
    let judge = Judge::new(&world);
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let theirs_too = theirs.try_clone().unwrap();
    let mut shell = world.shell();
    shell = shell
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .stdout(std::os::fd::OwnedFd::from(theirs_too));
    let mut running = shell.start();
    use std::io::{Read, Write};
    (&ours).write_all(b"artifact").unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    let status = running.wait();
    let mut answer = vec![0; 4096];
    let length = (&ours).read(&mut answer).unwrap();
    answer.truncate(length);
    let outcome = Outcome {
        status,
        stdout: answer,
        stderr: String::new(),
    };
    judge.signed("sockets", &outcome);
}
