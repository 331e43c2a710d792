//! Cards that are missing, replaced, held, or refuse: nothing but a refusal comes out.

use std::os::unix::net::UnixListener;
use std::process::Command;

use pcsc::{Card, Context, Protocols, Scope, ShareMode};
use signstar_core::{KeyKind, Refusal};
use signstar_smartcard::provision::Touch as Policy;
use signstar_virtual_card::{Touch, VirtualCard, USER_PIN};

use crate::machine::{until_locked_down, Machine, SERIAL};
use crate::scene::{assert_refused_and_recorded, assert_signed, run_unread, INPUT};
use crate::support::world::give;
use crate::support::{Configuration, Running, SigningKey};

fn machine() -> Machine {
    configured(&Configuration::new())
}

fn configured(configuration: &Configuration) -> Machine {
    Machine::new(SigningKey::new(KeyKind::Ed25519), configuration)
}

/// A shell that has opened the card and waits for its input.
fn waiting(machine: &Machine) -> Running {
    let running = machine.world.shell().start();
    until_locked_down(running.id());
    running
}

/// Somebody else's connection to the reader.
fn stranger(machine: &Machine, mode: ShareMode) -> Card {
    machine.world.within(|| {
        let context = Context::establish(Scope::System).unwrap();
        let mut names = [0; 2048];
        let first = context.list_readers(&mut names).unwrap().next().unwrap();
        context.connect(first, mode, Protocols::ANY).unwrap()
    })
}

#[test]
fn a_wrong_pin_costs_one_try_for_each_request_and_none_when_one_is_left() {
    let machine = machine();
    machine.set_pin("918273");
    for left in [2, 1] {
        let outcome = machine.world.shell().run(INPUT);
        // The intent is there, and then the refusal.
        assert_eq!(
            (outcome.stdout.len(), outcome.code()),
            (0, 78),
            "{outcome:?}"
        );
        let lines = machine.world.audit_lines().join("\n");
        assert!(lines.contains("code=credential"), "{lines}");
        for text in [&lines, &outcome.stderr] {
            assert!(!text.contains("918273"), "{text}");
        }
        machine.world.forget();
        assert_eq!(machine.status().tries, left);
    }
    let outcome = run_unread(machine.world.shell());
    assert_refused_and_recorded(&machine.world, &outcome, Refusal::Credential);
    machine.set_pin(USER_PIN);
    let outcome = run_unread(machine.world.shell());
    assert_refused_and_recorded(&machine.world, &outcome, Refusal::Credential);
    assert_eq!(machine.status().tries, 1);
    assert_eq!(machine.status().counter, 0);
}

#[test]
fn what_is_not_there_is_unavailable_before_anything_is_read() {
    let mut machine = machine();
    let card = machine.take();
    let outcome = run_unread(machine.world.shell());
    assert_refused_and_recorded(&machine.world, &outcome, Refusal::DeviceUnavailable);
    machine.insert(VirtualCard::new(SERIAL + 1, Touch::Given));
    let outcome = run_unread(machine.world.shell());
    assert_refused_and_recorded(&machine.world, &outcome, Refusal::DeviceUnavailable);
    machine.take();
    machine.pcscd = None;
    let outcome = run_unread(machine.world.shell());
    assert_refused_and_recorded(&machine.world, &outcome, Refusal::DeviceUnavailable);
    machine.start_pcscd();
    machine.insert(card);
    assert_signed(&machine.world.shell().run(INPUT));
}

#[test]
fn another_key_on_the_card_is_refused_before_anything_is_read() {
    let machine = machine();
    let other = SigningKey::new(KeyKind::Ed25519);
    machine.world.install_key(&other);
    let outcome = run_unread(machine.world.shell());
    assert_refused_and_recorded(&machine.world, &outcome, Refusal::Certificate);
}

/// Sends the input, and the card must turn out to be unavailable.
fn unavailable(machine: &Machine, mut running: Running) {
    running.send(INPUT);
    let outcome = running.outcome();
    assert_eq!(outcome.stdout, b"", "{outcome:?}");
    assert_eq!(outcome.code(), 69, "{outcome:?}");
    assert!(outcome.stderr.contains("code device"), "{outcome:?}");
    let lines = machine.world.audit_lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("event=intent"), "{lines:?}");
    assert!(lines[1].contains("event=refusal"), "{lines:?}");
    machine.world.forget();
}

#[test]
fn a_card_that_is_taken_out_during_the_upload_is_unavailable() {
    let mut machine = machine();
    let running = waiting(&machine);
    let card = machine.take();
    unavailable(&machine, running);
    machine.insert(card);
    assert_eq!(machine.status().tries, 3);
    assert_signed(&machine.world.shell().run(INPUT));
}

#[test]
fn a_card_that_is_replaced_during_the_upload_is_unavailable_and_gets_no_pin() {
    let mut machine = machine();
    machine.set_pin("918273");
    let running = waiting(&machine);
    let card = machine.take();
    machine.insert(VirtualCard::new(SERIAL + 1, Touch::Given));
    unavailable(&machine, running);
    let other = machine.take();
    // GET DATA of the PINs' state: tries of the user's are the fifth byte.
    let state = other.execute(&[0x00, 0xca, 0x00, 0xc4, 0x00]);
    assert_eq!(state[4], 3, "{state:02x?}");
    machine.insert(card);
    assert_eq!(machine.status().tries, 3);
}

#[test]
fn a_card_that_comes_back_during_the_upload_signs() {
    let mut machine = machine();
    let mut running = waiting(&machine);
    let card = machine.take();
    machine.insert(card);
    running.send(INPUT);
    assert_signed(&running.outcome());
}

#[test]
fn pcscd_that_ends_during_the_upload_is_unavailable() {
    let mut machine = machine();
    let running = waiting(&machine);
    machine.pcscd = None;
    let card = machine.take();
    unavailable(&machine, running);
    machine.start_pcscd();
    machine.insert(card);
    assert_signed(&machine.world.shell().run(INPUT));
}

#[test]
fn pcscd_that_is_restarted_during_the_upload_is_unavailable() {
    let mut machine = machine();
    let running = waiting(&machine);
    machine.pcscd = None;
    let card = machine.take();
    machine.start_pcscd();
    machine.insert(card);
    unavailable(&machine, running);
    assert_signed(&machine.world.shell().run(INPUT));
}

#[test]
fn a_reader_that_another_program_has_for_itself_is_busy() {
    let machine = configured(&Configuration::new().key("device-seconds = 1"));
    let theirs = stranger(&machine, ShareMode::Exclusive);
    let outcome = run_unread(machine.world.shell());
    assert_refused_and_recorded(&machine.world, &outcome, Refusal::Busy);
    drop(theirs);
    assert_signed(&machine.world.shell().run(INPUT));
}

#[test]
fn a_card_that_is_locked_beyond_the_wait_is_busy() {
    let machine = configured(&Configuration::new().key("device-seconds = 1"));
    let mut running = waiting(&machine);
    let mut theirs = stranger(&machine, ShareMode::Shared);
    let lock = theirs.transaction().unwrap();
    running.send(INPUT);
    let outcome = running.outcome();
    assert_eq!(
        (outcome.stdout.len(), outcome.code()),
        (0, 75),
        "{outcome:?}"
    );
    assert_eq!(machine.world.audit_lines().len(), 2);
    drop(lock);
    assert_eq!(machine.status().counter, 0);
    assert_signed(&machine.world.shell().run(INPUT));
}

#[test]
fn a_missing_touch_is_unavailable_and_costs_no_try() {
    let card = VirtualCard::new(SERIAL, Touch::Missing);
    let key = SigningKey::new(KeyKind::Ed25519);
    let machine = Machine::with(card, Policy::Needed, key, &Configuration::new());
    let running = waiting(&machine);
    unavailable(&machine, running);
    assert_eq!(machine.status().tries, 3);
}

/// Told before the signature comes: a card that is not touched would say nothing at all for 15 seconds.
#[test]
fn a_caller_is_told_that_the_card_waits_for_a_touch() {
    let card = VirtualCard::new(SERIAL, Touch::Given);
    let key = SigningKey::new(KeyKind::Ed25519);
    let machine = Machine::with(card, Policy::Needed, key, &Configuration::new());
    let outcome = machine.world.shell().run(INPUT);
    let told = (outcome.code(), outcome.stderr.as_str());
    assert_eq!(told, (0, "signstar: the card waits for a touch\n"));
    assert!(!outcome.stdout.is_empty());
}

#[test]
fn no_variable_leads_to_another_pcscd() {
    let machine = machine();
    let place = machine.world.path("/tmp/elsewhere");
    let elsewhere = machine
        .world
        .within(|| UnixListener::bind("/tmp/elsewhere").unwrap());
    give(&place, (0, 0), 0o666);
    elsewhere.set_nonblocking(true).unwrap();
    let variable = "PCSCLITE_CSOCK_NAME";
    // Another program lets itself be led astray.
    let mut tool = machine.world.spawn(
        Command::new("opensc-tool")
            .arg("--list-readers")
            .env(variable, "/tmp/elsewhere"),
    );
    crate::support::until("the other program comes", || elsewhere.accept().is_ok());
    let _ = tool.kill();
    tool.wait().unwrap();
    while elsewhere.accept().is_ok() {}

    let shell = machine.world.shell().env(variable, "/tmp/elsewhere");
    assert_signed(&shell.run(INPUT));
    assert!(elsewhere.accept().is_err(), "the login shell came");
}

#[test]
fn the_pin_stands_in_no_argument_variable_or_record() {
    const PIN: &str = "Tr0ub4dor-and-3-pins";
    let card = VirtualCard::new(SERIAL, Touch::Given);
    // CHANGE REFERENCE DATA of the user's PIN.
    let both = [USER_PIN, PIN].concat();
    let length = u8::try_from(both.len()).unwrap();
    let change = [&[0x00, 0x24, 0x00, 0x81, length], both.as_bytes()].concat();
    assert_eq!(card.execute(&change), [0x90, 0x00]);
    let key = SigningKey::new(KeyKind::Ed25519);
    let machine = Machine::with(card, Policy::NotNeeded, key, &Configuration::new());
    machine.set_pin(PIN);
    let contains = |bytes: &[u8]| {
        bytes
            .windows(PIN.len())
            .any(|window| window == PIN.as_bytes())
    };
    // The search finds it where somebody has put it.
    let mut planted = machine
        .world
        .spawn(Command::new("sleep").arg("60").env("PLANTED", PIN));
    let environment = |id: u32| std::fs::read(format!("/proc/{id}/environ")).unwrap();
    crate::support::until("the planted PIN is found", || {
        contains(&environment(planted.id()))
    });
    planted.kill().unwrap();
    planted.wait().unwrap();

    let mut running = waiting(&machine);
    for file in ["cmdline", "environ", "comm"] {
        let bytes = std::fs::read(format!("/proc/{}/{file}", running.id())).unwrap();
        assert!(!contains(&bytes), "{file}");
    }
    running.send(INPUT);
    let outcome = running.outcome();
    assert_signed(&outcome);
    let lines = machine.world.audit_lines().join("\n");
    assert!(!contains(lines.as_bytes()) && !contains(&outcome.stdout));
}
