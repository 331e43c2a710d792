//! The journal as sink.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use signstar_core::{Event, Field, Record, Refusal, RequestId};

use crate::journald::Machine;
use crate::scene::{assert_refused, assert_signed, until_waiting_in, INPUT, POLL, WRITE};
use crate::support::built::{admin, Build};
use crate::support::{until, Running};

/// Where journald takes messages.
const JOURNALD: &str = "/run/systemd/journal/socket";

/// A machine whose journald runs and has the two records of a request.
fn signed_once(timeout_milliseconds: u32, settings: &str) -> Machine {
    let mut machine = Machine::new(timeout_milliseconds, settings);
    machine.start();
    sign(&machine);
    machine
}

fn sign(machine: &Machine) -> Vec<Record> {
    assert_signed(&machine.world.shell().run(INPUT));
    machine.records(2)
}

/// A session that is locked down and waits for its artifact.
fn waiting(machine: &Machine) -> Running {
    let running = machine.world.shell().start();
    until_waiting_in(&running, POLL);
    running
}

/// Sends a message to journald, whoever it is said to come from.
fn forge(machine: &Machine, message: &[u8]) {
    machine.world.within(|| {
        let socket = UnixDatagram::unbound().unwrap();
        socket.send_to(message, JOURNALD).unwrap();
    });
}

fn events(machine: &Machine, count: usize) -> Vec<Event> {
    let records = machine.records(count);
    records.iter().map(|record| record.event).collect()
}

#[test]
fn journalctl_finds_the_records_by_their_fields() {
    let mut machine = Machine::new(2000, "");
    machine.start();
    assert_signed(&machine.world.shell().run(INPUT));
    assert_refused(&machine.world.shell().run(b""), Refusal::InputEmpty);
    let records = machine.records(3);
    for (entry, record) in machine.entries().iter().zip(&records) {
        assert_eq!(entry["SIGNSTAR_EVENT"], record.event.name());
        assert_eq!(entry["SIGNSTAR_ID"], record.id.to_string());
        for (field, value) in record.fields() {
            let name = format!("SIGNSTAR_{}", field.name().to_uppercase().replace('-', "_"));
            assert_eq!(entry[&name], value, "{name}");
        }
        // What the kernel has told journald, so no other account can say it.
        assert_eq!(entry["_UID"], "6001");
        assert_eq!(entry["SYSLOG_FACILITY"], "10");
        let priority = if record.event == Event::Refusal {
            "4"
        } else {
            "5"
        };
        assert_eq!(entry["PRIORITY"], priority);
    }
    // The line of docs/audit.md.
    let found = machine.journalctl(&[
        "-o",
        "cat",
        "SIGNSTAR_EVENT=release",
        "SIGNSTAR_KEY=packages",
    ]);
    let found = String::from_utf8(found.success()).unwrap();
    assert_eq!(found.lines().collect::<Vec<_>>(), [records[1].to_line()]);
    let said = machine.check(0);
    assert!(said.contains("3 records: 1 released, 1 refused"), "{said}");
}

#[test]
fn a_field_that_somebody_has_written_beside_the_message_is_found() {
    let mut machine = Machine::new(2000, "");
    machine.start();
    let line = sign(&machine)[0].to_line();
    machine.check(0);
    let forged = format!("SYSLOG_IDENTIFIER=signstar\nSIGNSTAR_EVENT=release\nMESSAGE={line}\n");
    forge(&machine, forged.as_bytes());
    machine.records(3);
    let said = machine.check(65);
    assert!(
        said.contains("the journal's fields and its message disagree"),
        "{said}"
    );
}

/// As the login shell sends it: each value with its length.
fn native(record: &Record) -> Vec<u8> {
    let line = record.to_line();
    let (event, id) = (record.event.name(), record.id.to_string());
    let own = [
        ("MESSAGE", line.as_str()),
        ("SYSLOG_IDENTIFIER", "signstar"),
        ("SIGNSTAR_EVENT", event),
        ("SIGNSTAR_ID", &id),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let fields = record.fields().map(|(field, value)| {
        let name = field.name().to_uppercase().replace('-', "_");
        (format!("SIGNSTAR_{name}"), value)
    });
    let mut message = Vec::new();
    for (name, value) in own.into_iter().chain(fields) {
        message.extend(name.as_bytes());
        message.push(b'\n');
        message.extend(u64::try_from(value.len()).unwrap().to_le_bytes());
        message.extend(value.as_bytes());
        message.push(b'\n');
    }
    message
}

#[test]
fn values_that_no_line_can_have_come_back_from_the_journal() {
    let mut machine = Machine::new(2000, "");
    machine.start();
    let records = sign(&machine);
    let id = RequestId::from_bytes([7; 16]);
    for mut record in records {
        record.id = id;
        record.set(Field::SshCertificate, "x\nSIGNSTAR_USER=root\n\u{1b}\u{0}é");
        forge(&machine, &native(&record));
    }
    machine.records(4);
    let said = machine.check(0);
    assert!(said.contains("4 records: 2 released"), "{said}");
}

#[test]
fn what_a_stopped_journald_has_queued_is_stored_when_it_goes_on() {
    let machine = signed_once(2000, "");
    let mut running = waiting(&machine);
    let journald = machine.journald.as_ref().unwrap();
    journald.stop();
    running.send(INPUT);
    let outcome = running.outcome();
    assert_signed(&outcome);
    assert_eq!(machine.entries().len(), 2, "they are queued");
    journald.go_on();
    assert_eq!(
        events(&machine, 4),
        [Event::Intent, Event::Release, Event::Intent, Event::Release]
    );
    machine.check(0);
}

#[test]
fn no_signature_when_a_stopped_journald_takes_the_intent_and_not_the_release() {
    let machine = signed_once(300, "");
    let mut running = waiting(&machine);
    let journald = machine.journald.as_ref().unwrap();
    journald.stop();
    machine.fill_queue(1);
    running.send(INPUT);
    assert_refused(&running.outcome(), Refusal::Audit);
    journald.go_on();
    assert_eq!(events(&machine, 3).last(), Some(&Event::Intent));
    let said = machine.check(65);
    assert!(said.contains("an intent without an outcome"), "{said}");
}

#[test]
fn a_journald_that_crashes_between_intent_and_release_has_both_when_it_is_started_again() {
    let mut machine = signed_once(60_000, "");
    let journald = machine.journald.take().unwrap();
    journald.stop();
    machine.fill_queue(1);
    let mut running = machine.world.shell().start();
    running.send(INPUT);
    // The intent is queued, the release waits for room.
    until_waiting_in(&running, WRITE);
    journald.crash();
    machine.start();
    assert_signed(&running.outcome());
    assert_eq!(events(&machine, 4)[2..], [Event::Intent, Event::Release]);
    machine.check(0);
}

#[test]
fn a_journald_that_is_ended_during_the_upload_has_the_records_when_it_is_started_again() {
    let mut machine = signed_once(2000, "");
    let mut running = waiting(&machine);
    machine.journald.take().unwrap().end();
    running.send(INPUT);
    assert_signed(&running.outcome());
    machine.start();
    assert_eq!(events(&machine, 4)[2..], [Event::Intent, Event::Release]);
    machine.check(0);
}

/// A journal on a file system of its own of so many bytes.
fn small(machine: &Machine, bytes: &str) {
    let size = format!("size={bytes},mode=755");
    let mount = ["-t", "tmpfs", "-o", &size, "tmpfs", "/run/log/journal"];
    machine
        .world
        .run(Command::new("mount").args(mount))
        .success();
}

#[test]
fn a_journal_that_fills_up_loses_old_entries_and_keeps_the_records_of_what_it_has_let_out() {
    let settings = "RuntimeMaxUse=2M\nRuntimeMaxFileSize=512K\nRateLimitIntervalSec=0";
    let mut machine = Machine::new(5000, settings);
    small(&machine, "4m");
    machine.start();
    let first = sign(&machine)[0].id.to_string();
    let mut running = waiting(&machine);
    // More than it may keep.
    noise(&machine, 4000);
    running.send(INPUT);
    assert_signed(&running.outcome());
    // The first request has made room.
    until("the journal has the second request alone", || {
        let entries = machine.entries().into_iter();
        let mut ids = entries.map(|entry| entry["SIGNSTAR_ID"].as_str().unwrap().to_owned());
        let second = ids.clone().filter(|id| *id != first).count();
        second == 2 && !ids.any(|id| id == first)
    });
    machine.check(0);
}

/// Messages of others, so many, of which nothing packs well.
fn noise(machine: &Machine, count: u32) {
    machine.world.within(|| {
        let socket = UnixDatagram::unbound().unwrap();
        socket.connect(JOURNALD).unwrap();
        for number in 0..count {
            let words = (0..60).map(|at| number.wrapping_mul(2_654_435_761).rotate_left(at));
            let words: String = words.map(|word| format!("{word:08x}")).collect();
            let message = format!("MESSAGE={number} {words}\n");
            socket.send(message.as_bytes()).unwrap();
        }
    });
}

/// What `health` says of the sink.
fn sink_health(machine: &Machine) -> serde_json::Value {
    let mut command = Command::new(admin(Build::Static));
    command.args(["health", "--output", "json"]);
    let outcome = machine.world.run(&mut command);
    let said: serde_json::Value = serde_json::from_slice(&outcome.stdout).unwrap();
    said["checks"][0].clone()
}

#[test]
fn health_says_that_the_disk_of_the_journal_is_full() {
    // journald takes records that it then cannot store and tells nobody: this is what there is.
    let mut machine = Machine::new(5000, "");
    small(&machine, "64m");
    machine.start();
    sign(&machine);
    let said = sink_health(&machine);
    assert_eq!(
        (&said["check"], &said["state"]),
        (&"sink".into(), &"ok".into())
    );
    let filler = machine.world.any_path("/run/log/journal/filler");
    assert!(
        fs::write(filler, vec![1; 64 << 20]).is_err(),
        "it is not full"
    );
    let said = sink_health(&machine);
    assert_eq!(said["state"], "critical", "{said}");
    assert!(
        said["text"].as_str().unwrap().contains("is nearly full"),
        "{said}"
    );
}
