//! What a client can ask sshd for beside a command: forwarding, terminals, further sessions.
//!
//! sshd is as careless as it can be outside of the block that design asks for.

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

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use signstar_core::Event;
use support::sshd::{CARELESS, MATCH};
use support::traces::Traces;
use support::world::SIGNER;
use support::{until, Judge, Running, Sshd, World};

/// A service of the enclave's that nobody outside may reach.
fn service(world: &World) -> TcpListener {
    let listener = world
        .within(|| TcpListener::bind("127.0.0.1:9001"))
        .unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// Whether a connection through `port` reaches the service.
fn reaches(world: &World, service: &TcpListener, port: u16, first: &[u8]) -> bool {
    let mut stream = None;
    until("the client listens", || {
        stream = world
            .within(|| TcpStream::connect(("127.0.0.1", port)))
            .ok();
        stream.is_some()
    });
    let mut stream = stream.unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let _ = stream.write_all(first);
    let mut reached = false;
    let mut ended = false;
    stream.set_nonblocking(true).unwrap();
    until("the connection is refused or made", || {
        reached = service.accept().is_ok();
        let mut buffer = [0; 64];
        match stream.read(&mut buffer) {
            Ok(0) => ended = true,
            Ok(_) => {}
            Err(error) => ended = error.kind() != std::io::ErrorKind::WouldBlock,
        }
        reached || ended
    });
    reached
}

/// SOCKS5: no authentication; connect to 127.0.0.1:9001.
const SOCKS: &[u8] = b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x23\x29";

#[test]
fn nothing_behind_sshd_can_be_reached() {
    for (host, expected) in [("control", true), ("signer", false)] {
        let world = World::new();
        let sshd = Sshd::start(&world, CARELESS, MATCH);
        let client = sshd.client();
        let service = service(&world);
        let judge = Judge::new(&world);
        for (option, what, first) in [
            ("-L", "9000:127.0.0.1:9001", &b"hello"[..]),
            ("-D", "9000", SOCKS),
        ] {
            let forwarder = client.start(&mut client.ssh(&["-N", option, what, host]));
            assert_eq!(
                reaches(&world, &service, 9000, first),
                expected,
                "{option} {host}"
            );
            drop(forwarder);
            judge.nothing(option);
        }
        let mut through = client.start(&mut client.ssh(&["-W", "127.0.0.1:9001", host]));
        if expected {
            until("-W is there", || service.accept().is_ok());
            drop(through);
        } else {
            let status = through.wait();
            assert_eq!(status.code(), Some(255), "-W {host}");
            assert!(service.accept().is_err());
        }
        judge.nothing("-W");
        let log = sshd.log();
        let denied = log.matches("refused local port forward").count();
        assert_eq!(denied, if expected { 0 } else { 3 }, "{log}");
    }
}

#[test]
fn nothing_is_opened_on_the_enclave_for_others() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let attempts = [
        ["-R", "9100:127.0.0.1:9001"],
        ["-R", "127.0.0.1:9101:127.0.0.1:9001"],
        ["-R", "9102"],
        ["-R", "/tmp/remote.socket:127.0.0.1:9001"],
        ["-w", "any:any"],
    ];
    for attempt in attempts {
        let what = attempt.join(" ");
        let mut ssh = client.ssh(&["-N", "-o", "ExitOnForwardFailure=yes"]);
        let outcome = client.run(ssh.args(attempt).arg("signer"), b"");
        assert_eq!(outcome.code(), 255, "{what}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, b"", "{what}");
        judge.nothing(&what);
    }
    // The positive control: an ordinary account gets them.
    for (attempt, socket) in [
        (attempts[0], "tcp 0100007F:238C"),
        (attempts[3], "/tmp/remote.socket"),
    ] {
        let mut ssh = client.ssh(&["-N", "-o", "ExitOnForwardFailure=yes"]);
        let _forwarder = client.start(ssh.args(attempt).arg("control"));
        until("the port is open", || {
            support::traces::sockets(&world)
                .iter()
                .any(|s| s.contains(socket))
        });
    }
}

#[test]
fn terminal_agent_and_display_are_refused_and_a_session_is_only_for_signing() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    // By its name in the client's folder: the path of a socket must be short.
    let socket = "agent";
    let mut agent = client.program("ssh-agent");
    let _agent = client.start(agent.args(["-D", "-a", socket]));
    until("the agent listens", || client.path(socket).exists());
    let judge = Judge::new(&world);
    let attempt = |arguments: &[&str], input: &[u8]| {
        let mut ssh = client.ssh(arguments);
        ssh.env("SSH_AUTH_SOCK", socket)
            .env("DISPLAY", ":9")
            .env("TERM", "xterm");
        client.run(&mut ssh, input)
    };
    for option in ["-A", "-X", "-Y", "-n", "-C", "-4", "-T", "-t"] {
        let outcome = attempt(&[option, "signer"], b"");
        judge.refused(option, &outcome, "input-empty", 65);
    }
    let outcome = attempt(&["-A", "signer", "id"], b"artifact");
    judge.refused("-A", &outcome, "command", 64);
    // The client gives up when it gets no terminal; what was started may have seen that or not.
    for arguments in [
        &["-tt", "signer"][..],
        &["-tt", "signer", "id"],
        &["-oRequestTTY=force", "signer"],
    ] {
        let outcome = attempt(arguments, b"");
        let refused = outcome.stderr.contains("PTY allocation request failed");
        assert!(refused && outcome.stdout.is_empty(), "{outcome:?}");
        assert_eq!(outcome.code(), 255);
        judge.settled("-tt");
        assert!(world
            .audit()
            .iter()
            .all(|record| record.event == Event::Refusal));
        world.forget();
    }
    // The positive control.
    let outcome = attempt(
        &["-A", "control", "test -S \"$SSH_AUTH_SOCK\" && echo there"],
        b"",
    );
    assert_eq!(outcome.success(), b"there\n");
    let outcome = attempt(&["-tt", "control", "test -t 0 && echo there"], b"");
    assert_eq!(outcome.success(), b"there\r\n");
}

#[test]
fn a_connection_without_a_session_starts_nothing() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let judge = Judge::new(&world);
    let idle = client.start(&mut client.ssh(&["-N", "signer"]));
    until("the client is let in", || {
        sshd.log().contains("Accepted publickey for signer")
    });
    drop(idle);
    judge.nothing("-N");
}

#[test]
fn a_second_session_of_one_connection_waits_for_the_first_to_end() {
    let world = World::new();
    let sshd = Sshd::start(&world, CARELESS, MATCH);
    let client = sshd.client();
    let _connection = client.share("signer");
    let first = client.start(&mut client.ssh(&["signer"]));
    support::traces::until_process(&world, "signstar");
    // With a shared connection the client falls back to a new one where it may; here it may not.
    let mut second = client.ssh(&["-o", "ProxyCommand=false", "signer"]);
    let outcome = client.run(&mut second, b"artifact");
    assert!(
        !outcome.status.success() && outcome.stdout.is_empty(),
        "{outcome:?}"
    );
    assert!(sshd.log().contains("no more sessions"), "{}", sshd.log());
    assert_eq!(world.audit(), []);
    let outcome = send(first, b"artifact");
    assert_eq!(outcome.stdout.first(), Some(&0x88));
}

fn send(mut running: Running, input: &[u8]) -> support::Outcome {
    running.send(input);
    running.outcome()
}

/// The positive control of all attempts: what is left behind is found.
#[test]
fn a_planted_file_process_and_socket_are_found() {
    let world = World::new();
    let before = Traces::of(&world);
    assert!(before.differences(&Traces::of(&world)).is_empty());
    world.write("/var/tmp/planted", "", (SIGNER.id, SIGNER.group), 0o600);
    let mut sleep = std::process::Command::new("sleep");
    let _process = Running::start(&world, sleep.arg("600"), [true; 3]);
    let _port = world
        .within(|| TcpListener::bind("127.0.0.1:9001"))
        .unwrap();
    let _socket = world
        .within(|| UnixListener::bind("/tmp/planted.socket"))
        .unwrap();
    until("it has started", || {
        Traces::of(&world)
            .differences(&before)
            .iter()
            .any(|line| line.contains("sleep"))
    });
    let found = before.differences(&Traces::of(&world)).join("\n");
    for planted in [
        "var/tmp/planted",
        "\"sleep\"",
        "tcp 0100007F:2329",
        "unix /tmp/planted.socket",
    ] {
        assert!(found.contains(planted), "{planted}: {found}");
    }
}
