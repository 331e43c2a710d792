//! Signals and the deadline, in every phase: standard output stays empty or gets all, and the log
//! shows an intent without an outcome.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use signstar_core::{Event, Refusal};

use crate::messages::parse;
use crate::process::waiting;
use crate::scene::{
    assert_refused_and_recorded, assert_signed, events, fill_pipe, to_socket, until_waiting_in,
    LogSocket, FILLER, INPUT, POLL, SOCKET_SINKS, WRITE,
};
use crate::support::{until, Configuration, Running, World};

/// Signals that end a process unless it does something about them.
const ENDING: [Signal; 7] = [
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGKILL,
    Signal::SIGQUIT,
    Signal::SIGALRM,
    Signal::SIGUSR1,
];

fn send(running: &Running, signal: Signal) {
    kill(Pid::from_raw(running.id().try_into().unwrap()), signal).unwrap();
}

#[track_caller]
fn assert_ended_by(running: Running, signal: Signal) {
    let outcome = running.outcome();
    assert_eq!(outcome.status.signal(), Some(signal as i32));
    assert_eq!(
        (outcome.stdout.as_slice(), outcome.stderr.as_str()),
        (&b""[..], "")
    );
}

/// Stops a process, waits until it has stopped, and continues it.
fn stop_and_continue(running: &Running) {
    send(running, Signal::SIGSTOP);
    let path = format!("/proc/{}/stat", running.id());
    until("the process stops", || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.contains(") T "))
    });
    send(running, Signal::SIGCONT);
}

fn socket_events(socket: &LogSocket) -> Vec<Event> {
    let messages = socket
        .received()
        .into_iter()
        .filter(|message| message != FILLER);
    messages
        .map(|message| parse(SOCKET_SINKS[0], &message).event)
        .collect()
}

/// A request whose intent is recorded and whose release waits for the log.
fn between(world: &World) -> (Running, LogSocket) {
    let socket = LogSocket::bind(world);
    socket.fill(world, 1);
    let mut running = world.shell().start();
    running.send(INPUT);
    until_waiting_in(&running, WRITE);
    (running, socket)
}

#[test]
fn a_signal_while_reading_ends_it_without_output_and_without_intent() {
    let world = World::new();
    for signal in ENDING {
        let mut running = waiting(&world);
        running.stdin.as_mut().unwrap().write_all(INPUT).unwrap();
        until_waiting_in(&running, POLL);
        send(&running, signal);
        assert_ended_by(running, signal);
        assert_eq!(events(&world), []);
    }
}

#[test]
fn a_signal_between_intent_and_release_leaves_the_intent_and_no_output() {
    let world = World::configured(&to_socket(SOCKET_SINKS[0], 60_000));
    for signal in ENDING {
        let (running, socket) = between(&world);
        send(&running, signal);
        assert_ended_by(running, signal);
        assert_eq!(socket_events(&socket), [Event::Intent]);
    }
}

#[test]
fn a_signal_while_writing_leaves_the_release_and_no_output() {
    let world = World::new();
    for signal in ENDING {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let filled = fill_pipe(&writer);
        let mut running = world.shell().stdout(OwnedFd::from(writer)).start();
        running.send(INPUT);
        until("the release is recorded", || events(&world).len() == 2);
        until_waiting_in(&running, POLL);
        send(&running, signal);
        assert_ended_by(running, signal);
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        assert_eq!(found.len(), filled);
        assert_eq!(events(&world), [Event::Intent, Event::Release]);
        world.forget();
    }
}

#[test]
fn a_broken_pipes_signal_ends_nothing() {
    let world = World::new();
    let mut running = waiting(&world);
    send(&running, Signal::SIGPIPE);
    running.send(INPUT);
    assert_signed(&running.outcome());
}

#[test]
fn goes_on_after_it_was_stopped_while_reading() {
    let world = World::new();
    let mut running = waiting(&world);
    for part in INPUT.chunks(7) {
        stop_and_continue(&running);
        until_waiting_in(&running, POLL);
        running.stdin.as_mut().unwrap().write_all(part).unwrap();
    }
    running.send(b"");
    assert_signed(&running.outcome());
    assert_eq!(events(&world), [Event::Intent, Event::Release]);
}

#[test]
fn goes_on_after_it_was_stopped_while_writing() {
    let world = World::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let filled = fill_pipe(&writer);
    let mut running = world.shell().stdout(OwnedFd::from(writer)).start();
    running.send(INPUT);
    until("the release is recorded", || events(&world).len() == 2);
    until_waiting_in(&running, POLL);
    stop_and_continue(&running);
    let mut found = Vec::new();
    reader.read_to_end(&mut found).unwrap();
    assert_eq!(running.outcome().code(), 0);
    assert_eq!(found.len(), filled + 2 + usize::from(found[filled + 1]));
}

#[test]
fn goes_on_after_it_was_stopped_while_the_log_was_full() {
    let world = World::configured(&to_socket(SOCKET_SINKS[0], 60_000));
    let (running, socket) = between(&world);
    stop_and_continue(&running);
    until_waiting_in(&running, WRITE);
    let mut found = socket_events(&socket);
    assert_signed(&running.outcome());
    found.extend(socket_events(&socket));
    assert_eq!(found, [Event::Intent, Event::Release]);
}

fn hasty(configuration: Configuration) -> Configuration {
    configuration
        .user("deadline-seconds = 1")
        .key("device-seconds = 1")
}

#[test]
fn an_upload_past_its_deadline_is_refused_however_fast_it_comes() {
    let world = World::configured(&hasty(Configuration::new()));
    let start = Instant::now();
    let mut running = world.shell().start();
    let mut stdin = running.stdin.take().unwrap();
    while stdin.write_all(&[0x55; 4096]).is_ok() {
        assert!(start.elapsed() < crate::support::PATIENCE, "no deadline");
    }
    assert!(start.elapsed() >= Duration::from_millis(900));
    assert_refused_and_recorded(&world, &running.outcome(), Refusal::InputStalled);
}
