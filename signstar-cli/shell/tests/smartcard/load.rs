//! Many sessions on one card: it is nobody's while they upload.

use std::collections::BTreeSet;
use std::io::Write;

use signstar_core::{Event, Field, KeyKind};

use crate::counter::found;
use crate::machine::Machine;
use crate::support::sshd::{MATCH, STRICT};
use crate::support::verifiers::library_takes;
use crate::support::{Configuration, Running, SigningKey, Sshd};

const SESSIONS: usize = 64;
/// Nine of ten.
const SLOW: usize = 58;

#[test]
fn sixty_four_sessions_share_a_card_and_slow_uploads_hold_nobody_up() {
    let configuration = Configuration::new()
        .user("sessions-max = 64")
        .user("progress-seconds = 600")
        .key("device-seconds = 120");
    let machine = Machine::new(SigningKey::new(KeyKind::Ed25519), &configuration);
    let world = &machine.world;
    let sshd = Sshd::start(world, STRICT, MATCH);
    let client = sshd.client();
    let start = |count: usize| -> Vec<Running> {
        let one = || client.start(&mut client.ssh(&["signer"]));
        std::iter::repeat_with(one).take(count).collect()
    };
    let mut slow = start(SLOW);
    for running in &mut slow {
        let stdin = running.stdin.as_mut().unwrap();
        stdin.write_all(b"the first half, ").unwrap();
    }
    // All of them are in the middle of their uploads, with the card open.
    crate::support::until("all uploads have begun", || {
        let found = crate::support::traces::processes(world);
        let shells = found.values().filter(|name| *name == "signstar").count();
        shells == SLOW
    });
    let mut quick = start(SESSIONS - SLOW);
    for running in &mut quick {
        running.send(b"at once");
    }
    let mut signatures: Vec<(Vec<u8>, &[u8])> = Vec::new();
    for running in quick {
        signatures.push((running.outcome().success(), b"at once"));
    }
    for running in &mut slow {
        assert!(running.child.try_wait().unwrap().is_none());
        running.send(b"the second");
    }
    for running in slow {
        let signature = running.outcome().success();
        signatures.push((signature, b"the first half, the second"));
    }
    let artifact = client.path("artifact");
    for (signature, text) in &signatures {
        std::fs::write(&artifact, text).unwrap();
        assert!(library_takes(&world.key, signature, &artifact));
    }
    let records = world.audit();
    let released = records
        .iter()
        .filter(|record| record.event == Event::Release);
    let counters: BTreeSet<u64> = released
        .map(|record| record.get(Field::Counter).unwrap().parse().unwrap())
        .collect();
    let expected: BTreeSet<u64> = (1..=64).collect();
    assert_eq!(counters, expected);
    assert_eq!(signatures.len(), SESSIONS);
    assert_eq!(machine.status().counter, 64);
    // Records of so many at the same time come in another order than the card has counted.
    let (kinds, report) = found(&machine, 0, &["--device"]);
    assert_eq!(kinds, [""; 0]);
    assert_eq!(report["requests"]["released"], 64);
}
