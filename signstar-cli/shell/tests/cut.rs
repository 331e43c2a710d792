//! Uploads that are cut: no signature of a part is ever delivered to a client whose connection
//! was lost, and with size and digest declared none is ever made.

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

use std::process::Child;

use support::cutting::{ending, kill_now, kill_sessions, Ending, Upload};
use support::sshd::{Client, MATCH, STRICT};
use support::traces::{processes, until_process};
use support::{Sshd, World};

/// Uploads of each kind.
const RUNS: usize = 20;

/// What must hold when client or session died.
#[track_caller]
fn nothing_delivered(ending: &Ending, declared: bool, what: &str) {
    assert!(ending.outcome.stdout.is_empty(), "{what}: {ending:?}");
    assert!(!ending.outcome.status.success(), "{what}: {ending:?}");
    let events: Vec<&str> = ending.events.iter().map(String::as_str).collect();
    match events.as_slice() {
        // The connection was lost before there was a request.
        [] => {}
        ["input-cut" | "input-empty" | "size-mismatch" | "identity-missing"] => {}
        // A window that only a declaration closes: input ends and output breaks one after the
        // other. What was made then reaches nobody.
        ["intent", "output"] | ["intent", "release"] | ["intent", "release", "undelivered"]
            if !declared => {}
        _ => panic!("{what}: {ending:?}"),
    }
}

/// Cuts uploads, declared and not, and counts how often a signature was made for nobody.
fn cut(what: &str, client: &Client<'_>, mut cut: impl FnMut(&mut Upload)) {
    let (world, idle) = (client.world(), processes(client.world()));
    let mut released = 0;
    for run in 0..2 * RUNS {
        let declared = run % 2 == 0;
        let mut upload = Upload::start(world, client, declared);
        let sent = upload.sent;
        cut(&mut upload);
        let ending = ending(world, &idle, upload);
        nothing_delivered(&ending, declared, &format!("{what} after {sent} bytes"));
        released += usize::from(ending.events.iter().any(|event| event == "release"));
    }
    println!("{what}: {released} of {RUNS} undeclared uploads were signed for nobody");
    // The window is narrow: a look at the output closes nearly all of it.
    assert!(released * 10 <= RUNS, "{what}: {released} of {RUNS}");
}

#[test]
fn nothing_is_delivered_when_the_client_is_killed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    cut("client", &client, |upload| kill_now(upload.client.id()));
}

#[test]
fn nothing_is_delivered_when_the_session_of_sshd_is_killed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    cut("session", &client, |upload| {
        support::until("there is a session", || {
            kill_sessions(&sshd);
            upload.client.child.try_wait().unwrap().is_some()
        });
    });
}

#[test]
fn nothing_is_delivered_when_a_client_on_a_shared_connection_is_killed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let _connection = client.share("signer");
    cut("shared client", &client, |upload| {
        kill_now(upload.client.id())
    });
}

#[test]
fn nothing_is_delivered_when_the_master_of_a_shared_connection_is_killed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let idle = processes(&world);
    for run in 0..2 * RUNS {
        let shared = client.share("signer");
        let declared = run % 2 == 0;
        let upload = Upload::start(&world, &client, declared);
        // Without the shared connection it would make one of its own.
        until_process(&world, "signstar");
        // The client's end of the connection, or that of sshd.
        if run % 4 < 2 {
            kill_now(shared.id());
        } else {
            kill_sessions(&sshd);
        }
        let what = format!("master after {} bytes", upload.sent);
        nothing_delivered(&ending(&world, &idle, upload), declared, &what);
        drop(shared);
    }
}

/// A program before `ssh` that dies looks like the end of the artifact. Only a declaration tells.
fn producers_die(client: &Client<'_>) {
    let (world, idle) = (client.world(), processes(client.world()));
    for run in 0..2 * RUNS {
        let declared = run % 2 == 0;
        let (upload, producer) = Upload::through_pipe(client, declared);
        if run % 4 < 2 {
            until_process(world, "signstar");
        }
        let sent = upload.sent;
        kill(producer);
        let ending = ending(world, &idle, upload);
        let events: Vec<&str> = ending.events.iter().map(String::as_str).collect();
        if declared || ending.outcome.stdout.is_empty() {
            // An empty one is refused with a declaration too, by its size or for its emptiness.
            assert_eq!(ending.outcome.code(), 65, "{ending:?}");
            assert!(ending.outcome.stdout.is_empty(), "{ending:?}");
            assert!(
                matches!(events.as_slice(), ["size-mismatch" | "input-empty"]),
                "{ending:?}"
            );
        } else {
            // What was signed is what was sent, and the record says how much.
            assert_eq!(events, ["intent", "release"], "{ending:?}");
            let bytes: usize = ending.bytes.unwrap().parse().unwrap();
            assert!(bytes <= sent, "{bytes} {sent}");
        }
    }
}

fn kill(mut producer: Child) {
    producer.kill().unwrap();
    producer.wait().unwrap();
}

#[test]
fn a_declared_upload_is_never_signed_when_its_producer_is_killed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    producers_die(&sshd.client());
}

#[test]
fn a_declared_upload_on_a_shared_connection_is_never_signed_when_its_producer_is_killed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let _connection = client.share("signer");
    producers_die(&client);
}

/// The positive control: the same upload, not cut, is signed.
#[test]
fn the_whole_upload_is_signed() {
    let world = World::new();
    let sshd = Sshd::start(&world, STRICT, MATCH);
    let client = sshd.client();
    let idle = processes(&world);
    for declared in [true, false] {
        let mut upload = Upload::start(&world, &client, declared);
        upload.send_rest();
        let ending = ending(&world, &idle, upload);
        assert_eq!(ending.outcome.code(), 0, "{ending:?}");
        assert_eq!(ending.outcome.stdout.first(), Some(&0x88));
    }
}
