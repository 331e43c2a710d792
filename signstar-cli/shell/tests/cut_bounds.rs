//! Bounds of one session and of one account, at their limit and one beyond.

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

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use support::cutting::kill_now;
use support::world::SECOND;
use support::{until, Configuration, Judge, Running, World};

fn with(lines: &str) -> World {
    World::configured(&Configuration::new().user(lines))
}

/// A session that has passed lock-down and waits for its input.
fn waiting(running: &Running) {
    until("it waits for input", || {
        let status = fs::read_to_string(format!("/proc/{}/status", running.id()));
        status.unwrap_or_default().contains("Seccomp:\t2")
    });
}

#[test]
fn the_largest_input_is_signed_and_one_byte_more_is_refused() {
    for limit in [1, 1000, 262_144, 1_000_003] {
        let world = with(&format!("input-bytes-max = {limit}"));
        let judge = Judge::new(&world);
        judge.signed("limit", &world.shell().run(&vec![7; limit]));
        judge.refused(
            "limit + 1",
            &world.shell().run(&vec![7; limit + 1]),
            "input-too-large",
            65,
        );
        let outcome = world.shell().run(&vec![7; limit + 1_000_000]);
        judge.refused("far beyond", &outcome, "input-too-large", 65);
    }
}

#[test]
fn the_last_session_passes_and_one_more_is_busy_until_another_ends() {
    let world = with("sessions-max = 3");
    let mut sessions: Vec<Running> = (0..3).map(|_| world.shell().start()).collect();
    sessions.iter().for_each(waiting);
    let judge = Judge::new(&world);
    for _ in 0..3 {
        judge.refused("one more", &world.shell().run(b"artifact"), "busy", 75);
    }
    // Another account has places of its own.
    judge.signed(
        "another account",
        &world.shell().account(SECOND).run(b"artifact"),
    );

    // A place is free again however its session ends: killed, …
    let mut killed = sessions.remove(0);
    kill_now(killed.id());
    killed.wait();
    let replacement = world.shell().start();
    waiting(&replacement);
    assert_eq!(world.shell().run(b"artifact").code(), 75);
    // … refused, …
    assert_eq!(replacement.finish().code(), 65);
    let mut replacement = world.shell().start();
    waiting(&replacement);
    assert_eq!(world.shell().run(b"artifact").code(), 75);
    // … or with a signature.
    replacement.send(b"artifact");
    assert_eq!(replacement.outcome().code(), 0);
    assert_eq!(world.shell().run(b"artifact").code(), 0);
    for mut session in sessions {
        session.send(b"artifact");
        assert_eq!(session.outcome().code(), 0);
    }
}

/// How long the login shell bears with a client that sends `bytes` and then waits.
fn patience(world: &World, bytes: usize) -> Duration {
    let judge = Judge::new(world);
    let start = Instant::now();
    let mut running = world.shell().start();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(&vec![7; bytes]).unwrap();
    let outcome = running.outcome();
    judge.refused("slow", &outcome, "input-stalled", 65);
    drop(stdin);
    start.elapsed()
}

#[test]
fn minimum_progress_passes_and_one_byte_less_stalls() {
    let world = with("progress-seconds = 2\nprogress-bytes = 100000");
    // One byte less: ended by the first window. As much: by the second, in which nothing comes.
    let (less, enough) = std::thread::scope(|scope| {
        let less = scope.spawn(|| patience(&world, 99_999));
        let other = with("progress-seconds = 2\nprogress-bytes = 100000");
        (patience(&other, 100_000), less.join().unwrap())
    });
    let (less, enough) = (enough, less);
    assert!(
        less >= Duration::from_secs(2) && less < Duration::from_secs(4),
        "{less:?}"
    );
    assert!(enough >= Duration::from_secs(4), "{enough:?}");
}

#[test]
fn the_deadline_ends_an_upload_however_much_comes() {
    let world = with("deadline-seconds = 2\nprogress-seconds = 1\nprogress-bytes = 1");
    let judge = Judge::new(&world);
    let start = Instant::now();
    let mut running = world.shell().start();
    let mut stdin = running.stdin.take().unwrap();
    // A pipe that is always full, until nobody reads it any more.
    while stdin.write_all(&[7; 65536]).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    let outcome = running.outcome();
    judge.refused("late", &outcome, "input-stalled", 65);
    assert!(
        start.elapsed() >= Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn an_upload_that_ends_before_the_deadline_is_signed() {
    let world = with("deadline-seconds = 30\nprogress-seconds = 1\nprogress-bytes = 1");
    let judge = Judge::new(&world);
    let start = Instant::now();
    let mut running = world.shell().start();
    let mut stdin = running.stdin.take().unwrap();
    // One byte at a time, through more than two windows of progress.
    until("it was slow enough", || {
        stdin.write_all(b"x").unwrap();
        start.elapsed() > Duration::from_millis(2500)
    });
    drop(stdin);
    judge.signed("slow but steady", &running.outcome());
}

#[test]
fn a_stopped_session_does_not_outlive_its_deadline() {
    // The kernel's own deadline: one second for the upload, three for the device, one for records, ten for
    // standard output, five of grace. It holds even when the program does not run, as soon as it does again.
    let audit = "sink = \"file\"\ntimeout-milliseconds = 100\n[audit.file]\n\
                 path = \"/run/signstar/audit.log\"";
    let world = World::configured(
        &Configuration::new()
            .audit(audit)
            .user("deadline-seconds = 1\nprogress-seconds = 3600")
            .key("device-seconds = 1"),
    );
    let running = world.shell().start();
    waiting(&running);
    let id = nix::unistd::Pid::from_raw(i32::try_from(running.id()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGSTOP).unwrap();
    let start = Instant::now();
    until("the deadline of the kernel is over", || {
        start.elapsed() > Duration::from_millis(20_500)
    });
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGCONT).unwrap();
    let outcome = running.outcome();
    assert_eq!(outcome.code(), 128 + 14, "{}", outcome.stderr);
    assert_eq!(outcome.stdout, b"");
    assert!(world.audit().is_empty());
}

#[test]
fn the_least_memory_suffices_and_less_is_no_configuration() {
    let world = with("memory-bytes-max = 16777216");
    let judge = Judge::new(&world);
    judge.signed("16 MiB", &world.shell().run(&vec![7; 5_000_000]));
    world.configure(&Configuration::new().user("memory-bytes-max = 16777215"));
    let outcome = world.shell().run(b"artifact");
    assert_eq!((outcome.code(), outcome.stdout.len()), (78, 0));
    judge.nothing("no configuration");
}
