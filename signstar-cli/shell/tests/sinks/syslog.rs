//! syslog as sink: a real rsyslogd, and another one behind it.

use std::fs;
use std::process::Command;

use signstar_core::{Event, Refusal};

use crate::rsyslogd::{Forms, Machine, LOCAL, PLAIN, REMOTE, SOCKET};
use crate::scene::{assert_refused, assert_signed, until_waiting_in, INPUT, POLL, WRITE};
use crate::support::until;

fn events(machine: &Machine, file: &str, count: usize) -> Vec<Event> {
    let records = machine.records(file, count);
    records.iter().map(|record| record.event).collect()
}

const BOTH: [Event; 2] = [Event::Intent, Event::Release];

fn started(timeout_milliseconds: u32, forms: Forms) -> Machine {
    let mut machine = Machine::new(timeout_milliseconds, forms);
    machine.start_remote();
    machine.start_local();
    machine
}

#[test]
fn records_reach_a_file_and_another_machine_over_tls_in_every_form() {
    for socket in ["local", "rfc5424"] {
        for file in [
            "RSYSLOG_FileFormat",
            "RSYSLOG_TraditionalFileFormat",
            "RSYSLOG_SyslogProtocol23Format",
        ] {
            let machine = started(2000, Forms { socket, file });
            assert_signed(&machine.world.shell().run(INPUT));
            assert_refused(&machine.world.shell().run(b""), Refusal::InputEmpty);
            let here = machine.records(LOCAL, 3);
            assert_eq!(machine.records(REMOTE, 3), here);
            for log in [LOCAL, REMOTE] {
                let said = machine.check(log, 0);
                assert!(said.contains("3 records: 1 released, 1 refused"), "{said}");
            }
        }
    }
}

#[test]
fn what_goes_to_the_other_machine_is_encrypted_and_only_for_the_one_that_is_named() {
    let mut machine = Machine::new(2000, PLAIN);
    // Somebody else with a certificate of the same authority.
    let path = machine.path("/run/rsyslog/remote.conf");
    let text = fs::read_to_string(&path).unwrap();
    let other = text.replace("collector.", "enclave.");
    assert_ne!(text, other);
    fs::write(&path, other).unwrap();
    machine.start_remote();
    machine.start_local();
    assert_signed(&machine.world.shell().run(INPUT));
    machine.records(LOCAL, 2);
    let said = machine.path("/run/rsyslog/local.said");
    until("the other one is refused", || {
        fs::read_to_string(&said)
            .unwrap_or_default()
            .contains("not permitted to talk to it")
    });
    assert_eq!(machine.lines(REMOTE), [""; 0]);
    machine.remote.take().unwrap().end();
    fs::write(&path, text).unwrap();
    machine.start_remote();
    assert_eq!(events(&machine, REMOTE, 2), BOTH);
}

#[test]
fn what_a_stopped_rsyslogd_has_queued_is_written_when_it_goes_on() {
    let machine = started(2000, PLAIN);
    let mut running = machine.world.shell().start();
    until_waiting_in(&running, POLL);
    let local = machine.local.as_ref().unwrap();
    local.stop();
    running.send(INPUT);
    assert_signed(&running.outcome());
    assert_eq!(machine.lines(LOCAL), [""; 0], "they are queued");
    local.go_on();
    assert_eq!(events(&machine, LOCAL, 2), BOTH);
    assert_eq!(events(&machine, REMOTE, 2), BOTH);
    machine.check(REMOTE, 0);
}

#[test]
fn no_signature_when_a_stopped_rsyslogd_takes_the_intent_and_not_the_release() {
    let machine = started(300, PLAIN);
    let local = machine.local.as_ref().unwrap();
    let mut running = machine.world.shell().start();
    until_waiting_in(&running, POLL);
    local.stop();
    fill(&machine);
    let second = machine.world.shell().run(INPUT);
    // The first one after the queue is full is refused, and so is what is under way.
    assert_refused(&second, Refusal::Audit);
    running.send(INPUT);
    assert_refused(&running.outcome(), Refusal::Audit);
    local.go_on();
    until("the queue is emptied", || {
        fs::read_to_string(machine.path(LOCAL))
            .unwrap_or_default()
            .contains("filler")
    });
    assert_eq!(machine.lines(LOCAL), [""; 0]);
}

/// Fills the queue of a stopped rsyslogd with messages that end up in the file.
fn fill(machine: &Machine) {
    let sender = machine.world.within(|| {
        let sender = std::os::unix::net::UnixDatagram::unbound().unwrap();
        sender.connect(SOCKET).unwrap();
        sender
    });
    sender.set_nonblocking(true).unwrap();
    while sender.send(b"<85>signstar[1]: filler").is_ok() {}
}

#[test]
fn no_signature_when_rsyslogd_ends_or_starts_again_during_the_upload() {
    let mut machine = started(2000, PLAIN);
    for crashes in [false, true] {
        let mut running = machine.world.shell().start();
        until_waiting_in(&running, POLL);
        let local = machine.local.take().unwrap();
        match crashes {
            true => local.crash(),
            false => local.end(),
        }
        let _ = fs::remove_file(machine.path("/run/rsyslog/local.pid"));
        let _ = fs::remove_file(machine.path(SOCKET));
        machine.start_local();
        running.send(INPUT);
        assert_refused(&running.outcome(), Refusal::Audit);
    }
    assert_eq!(machine.lines(LOCAL), [""; 0]);
    assert_signed(&machine.world.shell().run(INPUT));
    assert_eq!(events(&machine, LOCAL, 2), BOTH);
}

#[test]
fn no_signature_when_rsyslogd_crashes_between_intent_and_release() {
    let mut machine = started(60_000, PLAIN);
    let local = machine.local.take().unwrap();
    let mut running = machine.world.shell().start();
    until_waiting_in(&running, POLL);
    local.stop();
    fill(&machine);
    running.send(INPUT);
    until_waiting_in(&running, WRITE);
    local.crash();
    assert_refused(&running.outcome(), Refusal::Audit);
    assert_eq!(machine.lines(LOCAL), [""; 0]);
}

#[test]
fn what_a_crashed_rsyslogd_had_queued_is_lost() {
    // The page says so: only the kernel had taken these records.
    let mut machine = started(2000, PLAIN);
    let local = machine.local.take().unwrap();
    local.stop();
    assert_signed(&machine.world.shell().run(INPUT));
    local.crash();
    let _ = fs::remove_file(machine.path("/run/rsyslog/local.pid"));
    let _ = fs::remove_file(machine.path(SOCKET));
    machine.start_local();
    assert_signed(&machine.world.shell().run(INPUT));
    assert_eq!(events(&machine, LOCAL, 2), BOTH);
}

#[test]
fn what_the_other_machine_missed_it_gets_later() {
    let mut machine = started(2000, PLAIN);
    assert_signed(&machine.world.shell().run(INPUT));
    assert_eq!(events(&machine, REMOTE, 2), BOTH);
    machine.remote.take().unwrap().end();
    let _ = fs::remove_file(machine.path("/run/rsyslog/remote.pid"));
    // Until it is noticed that the other one is gone, what is sent is lost; it is here all the same.
    let mut running = machine.world.shell().start();
    until_waiting_in(&running, POLL);
    running.send(INPUT);
    assert_signed(&running.outcome());
    assert_eq!(events(&machine, LOCAL, 4)[2..], BOTH);
    for _ in 0..3 {
        assert_signed(&machine.world.shell().run(INPUT));
    }
    let here = machine.records(LOCAL, 10);
    // What waits survives an end of the one that waits.
    machine.local.take().unwrap().end();
    let _ = fs::remove_file(machine.path("/run/rsyslog/local.pid"));
    machine.start_remote();
    machine.start_local();
    until("the last record arrives", || {
        machine
            .lines(REMOTE)
            .last()
            .is_some_and(|line| line.ends_with(&here[9].to_line()))
    });
    // What was on its way when the other one ended may be missing there, and is here.
    machine.check(LOCAL, 0);
}

#[test]
fn the_other_machine_has_the_records_that_a_full_disk_here_has_not() {
    let mut machine = Machine::new(2000, PLAIN);
    let mount = "-t tmpfs -o size=64k,mode=755 tmpfs /run/rsyslog/local";
    let mut command = Command::new("mount");
    machine.world.run(command.args(mount.split(' '))).success();
    machine.start_remote();
    machine.start_local();
    assert_signed(&machine.world.shell().run(INPUT));
    assert_eq!(events(&machine, LOCAL, 2), BOTH);
    let mut running = machine.world.shell().start();
    until_waiting_in(&running, POLL);
    let filler = machine.path("/run/rsyslog/local/filler");
    assert!(
        fs::write(&filler, vec![1; 1 << 20]).is_err(),
        "it is not full"
    );
    // What is left of the last page.
    let log = fs::OpenOptions::new()
        .append(true)
        .open(machine.path(LOCAL))
        .unwrap();
    let length = log.metadata().unwrap().len();
    let rest = vec![b'\n'; usize::try_from(4096 - length % 4096).unwrap()];
    std::io::Write::write_all(&mut &log, &rest).unwrap();
    running.send(INPUT);
    assert_signed(&running.outcome());
    // rsyslogd writes what it can and drops what it cannot, here; it says so in a log of its own.
    assert_eq!(events(&machine, REMOTE, 4)[2..], BOTH);
    let said = machine.path("/run/rsyslog/local.said");
    until("rsyslogd says that it has no room", || {
        fs::read_to_string(&said)
            .unwrap_or_default()
            .contains("No space left on device")
    });
    fs::remove_file(filler).unwrap();
    assert_signed(&machine.world.shell().run(INPUT));
    let last = machine.records(REMOTE, 6)[5].to_line();
    until("the disk takes records again", || {
        machine
            .lines(LOCAL)
            .iter()
            .any(|line| line.ends_with(&last))
    });
    machine.check(REMOTE, 0);
}
