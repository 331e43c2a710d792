//! Standard error as sink, and standard error in general: closed, full, gone.

use std::io::Read;
use std::os::fd::OwnedFd;

use signstar_core::{Event, Record, Refusal};

use crate::scene::{assert_refused_and_recorded, events, fill_pipe, INPUT};
use crate::support::{Configuration, World};

fn to_stderr() -> Configuration {
    Configuration::new()
        .audit("sink = \"stderr\"\ntimeout-milliseconds = 300")
        .user("deadline-seconds = 1")
        .key("device-seconds = 1")
}

#[test]
fn records_go_to_standard_error_where_it_is_the_sink() {
    let world = World::configured(&to_stderr());
    let outcome = world.shell().run(INPUT);
    assert_eq!(outcome.code(), 0);
    let events: Vec<Event> = outcome
        .stderr
        .lines()
        .map(|line| Record::from_line(line).unwrap().event)
        .collect();
    assert_eq!(events, [Event::Intent, Event::Release]);
    assert!(!outcome.stdout.is_empty());
}

#[test]
fn no_signature_when_standard_error_is_the_sink_and_full() {
    let world = World::configured(&to_stderr());
    let (_reader, writer) = std::io::pipe().unwrap();
    fill_pipe(&writer);
    let outcome = world.shell().stderr(OwnedFd::from(writer)).run(INPUT);
    assert_eq!(outcome.stdout, b"");
    assert_eq!(outcome.code(), i32::from(Refusal::Audit.exit_status()));
}

#[test]
fn no_signature_when_standard_error_is_the_sink_and_gone() {
    let world = World::configured(&to_stderr());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let outcome = world.shell().stderr(OwnedFd::from(writer)).run(INPUT);
    assert_eq!(outcome.stdout, b"");
    assert_eq!(outcome.code(), i32::from(Refusal::Audit.exit_status()));
}

#[test]
fn no_signature_when_standard_error_is_the_sink_and_closed() {
    let world = World::configured(&to_stderr());
    let script = "exec -a signstar /usr/bin/signstar -c /usr/bin/signstar 2>&-";
    let shell = world
        .shell()
        .through("/bin/bash", &["-c".as_ref(), script.as_ref()]);
    let outcome = shell.run(INPUT);
    assert_eq!(outcome.stdout, b"", "{outcome:?}");
    assert_eq!(outcome.code(), i32::from(Refusal::Audit.exit_status()));
}

#[test]
fn signs_with_standard_error_closed_full_or_gone_where_nothing_is_said_there() {
    let world = World::new();
    let script = "exec -a signstar /usr/bin/signstar -c /usr/bin/signstar 2>&-";
    let closed = world
        .shell()
        .through("/bin/bash", &["-c".as_ref(), script.as_ref()]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let gone = world.shell().stderr(OwnedFd::from(writer));
    let (_reader, writer) = std::io::pipe().unwrap();
    fill_pipe(&writer);
    let full = world.shell().stderr(OwnedFd::from(writer));
    for shell in [closed, gone, full] {
        let outcome = shell.run(INPUT);
        assert_eq!(outcome.code(), 0);
        assert!(!outcome.stdout.is_empty());
        assert_eq!(events(&world), [Event::Intent, Event::Release]);
        world.forget();
    }
}

#[test]
fn a_refusal_ends_with_its_status_when_nobody_can_be_told() {
    let world = World::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let filled = fill_pipe(&writer);
    let full = world.shell().stderr(OwnedFd::from(writer));
    let outcome = full.run(b"");
    assert_eq!(outcome.code(), i32::from(Refusal::InputEmpty.exit_status()));
    assert_eq!(events(&world), [Event::Refusal]);
    let mut said = Vec::new();
    reader.read_to_end(&mut said).unwrap();
    assert_eq!(said.len(), filled, "half a sentence");
    world.forget();

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let outcome = world.shell().stderr(OwnedFd::from(writer)).run(b"");
    assert_eq!(outcome.code(), i32::from(Refusal::InputEmpty.exit_status()));
    assert_eq!(events(&world), [Event::Refusal]);
    world.forget();

    // The sentence itself, for comparison.
    let outcome = world.shell().run(b"");
    assert_refused_and_recorded(&world, &outcome, Refusal::InputEmpty);
}
