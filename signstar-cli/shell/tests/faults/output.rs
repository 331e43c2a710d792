//! Standard output: closed, a file, a terminal's device, a socket, full, gone before and after the
//! intent.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use signstar_core::{Event, Field, Record, Refusal};

use crate::messages::parse;
use crate::scene::{
    assert_refused, assert_refused_and_recorded, events, fill_pipe, run_unread, to_socket,
    until_waiting_in, LogSocket, INPUT, SOCKET_SINKS, WRITE,
};
use crate::support::{Configuration, World};

#[test]
fn nothing_is_read_when_standard_output_is_closed_or_no_stream() {
    let world = World::new();
    let script = "exec -a signstar /usr/bin/signstar -c /usr/bin/signstar >&-";
    let closed = world
        .shell()
        .through("/bin/bash", &["-c".as_ref(), script.as_ref()]);
    assert_refused(&run_unread(closed), Refusal::Invocation);
    let null = File::options().write(true).open("/dev/null").unwrap();
    assert_refused(&run_unread(world.shell().stdout(null)), Refusal::Invocation);
    let path = world.path("/tmp/output");
    let file = File::create(&path).unwrap();
    assert_refused(&run_unread(world.shell().stdout(file)), Refusal::Invocation);
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    assert_eq!(events(&world), [Event::Refusal; 3]);
}

#[test]
fn signs_into_a_socket_in_the_place_of_a_pipe() {
    let world = World::new();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let outcome = world.shell().stdout(OwnedFd::from(theirs)).run(INPUT);
    assert_eq!(outcome.code(), 0, "{outcome:?}");
    let mut signature = Vec::new();
    ours.read_to_end(&mut signature).unwrap();
    assert_eq!(signature.len(), 2 + usize::from(signature[1]));
    assert_eq!(events(&world), [Event::Intent, Event::Release]);
}

#[test]
fn refuses_before_the_intent_when_the_reader_has_gone() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let outcome = world.shell().stdout(OwnedFd::from(writer)).run(INPUT);
    assert_refused_and_recorded(&world, &outcome, Refusal::InputCut);
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    let outcome = world.shell().stdout(OwnedFd::from(theirs)).run(INPUT);
    assert_refused_and_recorded(&world, &outcome, Refusal::InputCut);
}

/// What is recorded when the reader goes while the record behind `room` others waits for room in the queue.
fn recorded_without_reader(sink: (&str, &str), room: usize) -> Vec<Record> {
    let world = World::configured(&to_socket(sink, 60_000));
    let socket = LogSocket::bind(&world);
    socket.fill(&world, room);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut running = world.shell().stdout(OwnedFd::from(writer)).start();
    running.send(INPUT);
    until_waiting_in(&running, WRITE);
    drop(reader);
    let mut messages = socket.received();
    let outcome = running.outcome();
    messages.extend(socket.received());
    let id = assert_refused(&outcome, Refusal::Output);
    let messages = messages
        .iter()
        .filter(|message| *message != crate::scene::FILLER);
    let records: Vec<_> = messages.map(|message| parse(sink, message)).collect();
    assert!(records.iter().all(|record| record.id.to_string() == id));
    let last = records.last().unwrap();
    assert_eq!(last.get(Field::Code), Some("output"));
    records
}

fn events_of(records: &[Record]) -> Vec<Event> {
    records.iter().map(|record| record.event).collect()
}

/// The intent waits: the upload is complete, and its reader was looked for before.
#[test]
fn records_what_was_thrown_away_when_the_reader_goes_before_the_release() {
    for sink in SOCKET_SINKS {
        let records = recorded_without_reader(sink, 0);
        assert_eq!(events_of(&records), [Event::Intent, Event::Refusal]);
        for field in [Field::Input, Field::Bytes] {
            assert!(records[1].get(field).is_some());
            assert_eq!(records[1].get(field), records[0].get(field), "{field:?}");
        }
    }
}

/// The release waits.
#[test]
fn records_undelivered_when_the_reader_goes_after_the_signature_was_made() {
    for sink in SOCKET_SINKS {
        let records = recorded_without_reader(sink, 1);
        let expected = [Event::Intent, Event::Release, Event::Undelivered];
        assert_eq!(events_of(&records), expected);
        let signature = records[1].get(Field::Signature);
        assert!(signature.is_some());
        assert_eq!(records[2].get(Field::Signature), signature);
    }
}

#[test]
fn records_undelivered_when_standard_output_stays_full() {
    // The kernel's deadline comes after this wait too, however short the others are.
    let audit = "sink = \"file\"\ntimeout-milliseconds = 300\n[audit.file]\n\
                 path = \"/run/signstar/audit.log\"";
    let world = World::configured(
        &Configuration::new()
            .audit(audit)
            .user("deadline-seconds = 1")
            .key("device-seconds = 1"),
    );
    let (mut reader, writer) = std::io::pipe().unwrap();
    let filled = fill_pipe(&writer);
    let outcome = world.shell().stdout(OwnedFd::from(writer)).run(INPUT);
    assert_refused(&outcome, Refusal::Output);
    assert_eq!(
        events(&world),
        [Event::Intent, Event::Release, Event::Undelivered]
    );
    let mut found = Vec::new();
    reader.read_to_end(&mut found).unwrap();
    assert_eq!(found.len(), filled, "a part of a signature came out");
}

#[test]
fn a_full_standard_output_that_is_read_in_time_gets_the_whole_signature() {
    let world = World::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let filled = fill_pipe(&writer);
    let mut running = world.shell().stdout(OwnedFd::from(writer)).start();
    running.send(INPUT);
    crate::support::until("the release is recorded", || events(&world).len() == 2);
    let mut found = Vec::new();
    reader.read_to_end(&mut found).unwrap();
    let outcome = running.outcome();
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    let signature = &found[filled..];
    assert_eq!(signature.len(), 2 + usize::from(signature[1]));
    assert_eq!(events(&world), [Event::Intent, Event::Release]);
}
