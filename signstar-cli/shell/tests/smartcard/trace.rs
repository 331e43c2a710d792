//! After lock-down the release binary makes the calls of its own table and those that the back end
//! says it needs: all of these, and no others.
//!
//! That the back end names these rules and no more is tested where it is.

use std::collections::BTreeSet;

use pcsc::{Context, Protocols, Scope, ShareMode};
use signstar_confine::{rule, shell_rules, OpenFds, Rule};
use signstar_core::KeyKind;

use crate::machine::{until_locked_down, Machine};
use crate::scene::{assert_signed, INPUT};
use crate::support::{Configuration, SigningKey};
use crate::traced::{calls_of_strace, traced, tracee, Call};

/// Judges the calls of one run; the rules of the back end that they used.
fn judge(calls: &[Call]) -> BTreeSet<&'static str> {
    let only = |name: &str, least: u64| -> u64 {
        let mut found: BTreeSet<u64> = BTreeSet::new();
        for call in calls.iter().filter(|call| call.name == name) {
            found.insert(call.arguments[0]);
        }
        found.retain(|&descriptor| descriptor > least);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found.into_iter().next().unwrap()
    };
    let log = i32::try_from(only("write", 2)).unwrap();
    let socket = u32::try_from(only("sendto", 2)).unwrap();
    let table = shell_rules(&OpenFds { log: Some(log) }).unwrap();
    let added: [(&str, Rule); 3] = [
        (
            "sendto",
            rule("sendto", &[(0, socket), (3, 0x4000), (4, 0), (5, 0)], "").unwrap(),
        ),
        ("read", rule("read", &[(0, socket)], "").unwrap()),
        (
            "clock_nanosleep",
            rule("clock_nanosleep", &[(1, 0)], "").unwrap(),
        ),
    ];
    let mut used = BTreeSet::new();
    for call in calls {
        let allows = |rule: &Rule| rule.syscall.name == call.name && rule.allows(&call.arguments);
        let new = added.iter().find(|(_, rule)| allows(rule));
        assert!(new.is_some() || table.iter().any(allows), "{call:?}");
        used.extend(new.map(|(name, _)| *name));
    }
    used
}

#[test]
fn the_calls_with_a_card_are_the_table_and_what_the_back_end_names() {
    let mut used = BTreeSet::new();
    for kind in [KeyKind::Ed25519, KeyKind::P384, KeyKind::Rsa(4096)] {
        let key = SigningKey::new(kind);
        let machine = Machine::new(key, &Configuration::new());
        let world = &machine.world;
        assert_signed(&traced(world.shell()).run(INPUT));
        used.extend(judge(&calls_of_strace(world)));
        assert_signed(&traced(world.shell()).run(&vec![0x55; 3 << 20]));
        used.extend(judge(&calls_of_strace(world)));
    }
    let machine = Machine::new(SigningKey::new(KeyKind::Ed25519), &Configuration::new());
    let world = &machine.world;
    // Others use the card, and reset it when they are done.
    let mut running = traced(world.shell()).start();
    until_locked_down(tracee(running.id()));
    let mut theirs = world.within(|| {
        let context = Context::establish(Scope::System).unwrap();
        let mut names = [0; 2048];
        let first = context.list_readers(&mut names).unwrap().next().unwrap();
        context
            .connect(first, ShareMode::Shared, Protocols::ANY)
            .unwrap()
    });
    let lock = theirs.transaction().unwrap();
    running.send(INPUT);
    std::thread::sleep(std::time::Duration::from_millis(500));
    drop(lock);
    drop(theirs);
    assert_signed(&running.outcome());
    used.extend(judge(&calls_of_strace(world)));

    // What goes wrong: a PIN, a card, pcscd.
    machine.set_pin("918273");
    assert_eq!(traced(world.shell()).run(INPUT).code(), 78);
    used.extend(judge(&calls_of_strace(world)));
    machine.set_pin(signstar_virtual_card::USER_PIN);
    faulty(machine, &mut used);
    let all = BTreeSet::from(["clock_nanosleep", "read", "sendto"]);
    assert_eq!(used, all, "what the back end names, and nobody uses");
}

fn faulty(mut machine: Machine, used: &mut BTreeSet<&'static str>) {
    for round in 0..2 {
        let mut running = traced(machine.world.shell()).start();
        until_locked_down(tracee(running.id()));
        let card = machine.take();
        if round == 1 {
            machine.pcscd = None;
        }
        running.send(INPUT);
        assert_eq!(running.outcome().code(), 69);
        used.extend(judge(&calls_of_strace(&machine.world)));
        if round == 0 {
            machine.insert(card);
        }
    }
}
