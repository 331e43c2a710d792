//! With a key in a TPM the release binary makes, after lock-down, the system calls of its table and
//! those that the back end asks for, all of these, and no others.

use std::collections::BTreeSet;

use signstar_confine::{rule, shell_rules, OpenFds, Rule};
use signstar_core::{KeyKind, Reach, Refusal};
use signstar_tpm::provision::Template;
use signstar_tpm::{KeyPlace, Settings};

use crate::scene::{template, Kept, Scene, INPUT};
use crate::support::built::Build;
use crate::traced::{calls_of_python, calls_of_strace, traced, without_vdso, Call};

/// The descriptors that a call names, if it is one that writes or reads.
fn written_to(calls: &[Call], name: &str, but: &[u64]) -> Vec<u32> {
    let named = calls.iter().filter(|call| call.name == name);
    let all: BTreeSet<u64> = named.map(|call| call.arguments[0]).collect();
    let rest = all.into_iter().filter(|fd| !but.contains(fd));
    rest.map(|fd| u32::try_from(fd).unwrap()).collect()
}

/// What the back end asks for, with the descriptor that the library had in the traced process.
fn asked_for(device: u32) -> Vec<Rule> {
    let scene = Scene::with(KeyKind::P256);
    let ours = scene.tpm.device();
    let settings = Settings {
        device: ours.path().to_owned(),
        parent: scene.parent.clone(),
        key: KeyPlace::Persistent("0x81000100".parse().unwrap()),
        registers: None,
    };
    let opened = signstar_tpm::open(&settings, template(KeyKind::P256).auth).unwrap();
    let Reach { rules, tcp_ports } = opened.reach;
    assert_eq!(tcp_ports, [] as [u16; 0]);
    let mut named = BTreeSet::new();
    let rules = rules.into_iter().map(|needed| {
        let is_stream = ["read", "write"].contains(&needed.syscall);
        let equals = if is_stream {
            named.extend(needed.equals.clone());
            vec![(0, device)]
        } else {
            needed.equals
        };
        rule(needed.syscall, &equals, needed.reason).unwrap()
    });
    let rules = rules.collect();
    assert_eq!(named.len(), 1, "one descriptor: {named:?}");
    rules
}

/// Which rules of the back end were used by calls that all have a rule.
fn used(calls: &[Call]) -> BTreeSet<String> {
    // Standard input is read and the device; records, signature and commands are written.
    let devices = written_to(calls, "read", &[0]);
    assert!(devices.len() <= 1, "{devices:?}");
    // A request that is refused before has not used the device.
    let device = devices.first().copied().unwrap_or(u32::MAX >> 1);
    let logs = written_to(calls, "write", &[0, 1, 2, device.into()]);
    let [log] = logs.as_slice() else {
        panic!("{logs:?}");
    };
    let log = Some(i32::try_from(*log).unwrap());
    let base = shell_rules(&OpenFds { log }).unwrap();
    let beside = asked_for(device);
    let mut found = BTreeSet::new();
    for call in calls {
        let allows = |rule: &&Rule| rule.syscall.name == call.name && rule.allows(&call.arguments);
        let ours: Vec<&Rule> = beside.iter().filter(allows).collect();
        let any = base.iter().any(|rule| allows(&rule)) || !ours.is_empty();
        assert!(any, "not in the table: {call:?}");
        // What the table allows anyway needs no rule of the back end.
        let both = base.iter().any(|rule| allows(&rule)) && !ours.is_empty();
        assert!(!both, "allowed twice: {call:?}");
        found.extend(
            ours.iter()
                .map(|rule| format!("{} {}", rule.syscall.name, rule.reason)),
        );
    }
    found
}

#[test]
fn the_calls_of_all_scenarios_are_the_table_and_what_the_back_end_asks_for() {
    let mut seen = BTreeSet::new();
    let policy = Template {
        registers: Some("0,7".parse().unwrap()),
        ..template(KeyKind::P256)
    };
    let scenes = [
        Scene::with(KeyKind::P256),
        Scene::with(KeyKind::P384),
        Scene::with(KeyKind::P521),
        Scene::with(KeyKind::Rsa(2048)),
        Scene::with(KeyKind::Rsa(3072)),
        Scene::of(Kept::InFiles, &template(KeyKind::P256)),
        Scene::of(Kept::InFiles, &template(KeyKind::Rsa(2048))),
        Scene::of(Kept::InTpm, &policy),
    ];
    for scene in &scenes {
        for input in [INPUT, &[0x55; 3 << 20]] {
            let outcome = traced(scene.world.shell()).run(input);
            assert_eq!(outcome.code(), 0, "{outcome:?}");
            seen.extend(used(&calls_of_strace(&scene.world)));
        }
        let outcome = traced(scene.world.shell()).run(b"");
        let refused = i32::from(Refusal::InputEmpty.exit_status());
        assert_eq!(outcome.code(), refused, "{outcome:?}");
        seen.extend(used(&calls_of_strace(&scene.world)));
    }
    let outcome = without_vdso(&scenes[0].world, Build::Devices).run(INPUT);
    assert_eq!(outcome.code(), 0, "{outcome:?}");
    seen.extend(used(&calls_of_python(&scenes[0].world)));

    let asked = asked_for(5);
    let asked = asked
        .iter()
        .map(|rule| format!("{} {}", rule.syscall.name, rule.reason));
    assert_eq!(seen, asked.collect(), "a rule that no call uses");
}
