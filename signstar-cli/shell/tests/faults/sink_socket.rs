//! journald and syslog as sinks: absent, full, blocked, and gone in the middle.

use std::fs;
use std::time::{Duration, Instant};

use signstar_core::{Event, Refusal};

use crate::messages::{event_of, parse};
use crate::scene::{
    assert_refused, assert_signed, run_unread, to_socket, until_waiting_in, LogSocket, FILLER,
    INPUT, LOG_SOCKET, SOCKET_SINKS, WRITE,
};
use crate::support::world::give;
use crate::support::World;

/// The events among what a socket has received.
fn events(sink: (&str, &str), socket: &LogSocket) -> Vec<Event> {
    let messages = socket.received().into_iter();
    let records = messages.filter(|message| message != FILLER);
    records
        .map(|message| event_of(&parse(sink, &message)))
        .collect()
}

#[test]
fn every_socket_sink_takes_intent_and_release() {
    for sink in SOCKET_SINKS {
        let world = World::configured(&to_socket(sink, 2000));
        let socket = LogSocket::bind(&world);
        assert_signed(&world.shell().run(INPUT));
        assert_eq!(events(sink, &socket), [Event::Intent, Event::Release]);
        let outcome = world.shell().run(b"");
        assert_refused(&outcome, Refusal::InputEmpty);
        assert_eq!(events(sink, &socket), [Event::Refusal]);
        assert_eq!(world.audit_lines(), [""; 0]);
    }
}

#[test]
fn nothing_is_read_when_the_socket_is_absent_or_no_datagram_socket() {
    for sink in SOCKET_SINKS {
        let world = World::configured(&to_socket(sink, 2000));
        let refused = || assert_refused(&run_unread(world.shell()), Refusal::Audit);
        refused();
        drop(LogSocket::bind(&world)); // nobody is behind the name
        refused();
        let closed = LogSocket::bind(&world);
        give(&world.path(LOG_SOCKET), (0, 0), 0o600);
        refused();
        assert_eq!(closed.received(), [b""; 0]);
        fs::remove_file(world.path(LOG_SOCKET)).unwrap();
        world.write(LOG_SOCKET, "", (0, 0), 0o666);
        refused();
        fs::remove_file(world.path(LOG_SOCKET)).unwrap();
        let _stream = world.within(|| std::os::unix::net::UnixListener::bind(LOG_SOCKET).unwrap());
        give(&world.path(LOG_SOCKET), (0, 0), 0o666);
        refused();
    }
}

#[test]
fn no_signature_when_the_queue_is_full_past_the_time_limit() {
    for sink in SOCKET_SINKS {
        let world = World::configured(&to_socket(sink, 300));
        let socket = LogSocket::bind(&world);
        socket.fill(&world, 0);
        let start = Instant::now();
        let outcome = world.shell().run(INPUT);
        assert!(
            start.elapsed() >= Duration::from_millis(300),
            "did not wait"
        );
        assert_refused(&outcome, Refusal::Audit);
        assert_eq!(events(sink, &socket), []);
    }
}

#[test]
fn no_signature_when_the_queue_fills_between_intent_and_release() {
    for sink in SOCKET_SINKS {
        let world = World::configured(&to_socket(sink, 300));
        let socket = LogSocket::bind(&world);
        socket.fill(&world, 1);
        assert_refused(&world.shell().run(INPUT), Refusal::Audit);
        assert_eq!(events(sink, &socket), [Event::Intent]);
    }
}

#[test]
fn signs_when_a_full_queue_is_emptied_within_the_time_limit() {
    for sink in SOCKET_SINKS {
        let world = World::configured(&to_socket(sink, 60_000));
        let socket = LogSocket::bind(&world);
        socket.fill(&world, 1);
        let mut running = world.shell().start();
        running.send(INPUT);
        until_waiting_in(&running, WRITE);
        // Reading the one makes room for the other, which may come at once.
        let mut seen = events(sink, &socket);
        assert_signed(&running.outcome());
        seen.extend(events(sink, &socket));
        assert_eq!(seen, [Event::Intent, Event::Release]);
    }
}

#[test]
fn no_signature_when_the_socket_is_closed_between_intent_and_release() {
    for sink in SOCKET_SINKS {
        let world = World::configured(&to_socket(sink, 60_000));
        let socket = LogSocket::bind(&world);
        socket.fill(&world, 1);
        let mut running = world.shell().start();
        running.send(INPUT);
        until_waiting_in(&running, WRITE);
        fs::remove_file(world.path(LOG_SOCKET)).unwrap();
        drop(socket);
        assert_refused(&running.outcome(), Refusal::Audit);
    }
}

#[test]
fn no_signature_when_the_socket_is_closed_during_the_upload() {
    for sink in SOCKET_SINKS {
        let world = World::configured(&to_socket(sink, 60_000));
        let socket = LogSocket::bind(&world);
        let mut running = world.shell().start();
        until_waiting_in(&running, crate::scene::POLL);
        drop(socket);
        running.send(INPUT);
        assert_refused(&running.outcome(), Refusal::Audit);
    }
}

#[test]
fn a_socket_that_is_replaced_during_the_upload_is_not_found_again() {
    // The enclave cannot connect any more; it says so instead of signing without a record.
    let world = World::configured(&to_socket(SOCKET_SINKS[0], 60_000));
    let old = LogSocket::bind(&world);
    let mut running = world.shell().start();
    until_waiting_in(&running, crate::scene::POLL);
    drop(old);
    let new = LogSocket::bind(&world);
    running.send(INPUT);
    assert_refused(&running.outcome(), Refusal::Audit);
    assert_eq!(new.received(), [b""; 0]);
}
