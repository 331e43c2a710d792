//! After lock-down the release binary makes the calls of its table and those that the back end asks
//! for, and makes all of the latter.

use std::collections::BTreeSet;
use std::time::Duration;

use signstar_confine::{rule, shell_rules, Condition, OpenFds, Rule};

use crate::scene::{Scene, INPUT, SIGN};
use crate::support::built::Build;
use crate::traced::{calls_of_python, calls_of_strace, traced, without_vdso, Call};

/// What the back end asks for, with the descriptors of the traced process: the second socket of a
/// device is the one that was made before the first.
fn asked_for(scene: &Scene, connected: &[u32], spare: &[u32]) -> Vec<Rule> {
    let reach = scene.world.on_network(|| {
        let mut settings = scene.devices[0].settings(&scene.key);
        settings.credentials =
            signstar_testkit::nethsm::credentials("signer", signstar_testkit::nethsm::PASSPHRASE);
        let others = scene.devices[1..]
            .iter()
            .map(|device| device.device("other"));
        settings.devices.extend(others);
        signstar_nethsm::open(&settings).unwrap().reach
    });
    let ports: BTreeSet<u16> = reach.tcp_ports.iter().copied().collect();
    let listened = scene.devices.iter().map(|device| device.address().port());
    assert_eq!(ports, listened.collect());
    let rules = reach.rules;
    let sockets = |syscall: &str| {
        let named = rules.iter().filter(|rule| rule.syscall == syscall);
        named
            .map(|rule| rule.equals[0].1)
            .collect::<BTreeSet<u32>>()
    };
    let (theirs, unused) = (sockets("sendto"), sockets("connect"));
    let used: Vec<u32> = theirs.difference(&unused).copied().collect();
    let unused: Vec<u32> = unused.into_iter().collect();
    assert_eq!((used.len(), unused.len()), (connected.len(), spare.len()));
    let renamed = |descriptor: u32| {
        let at = |list: &[u32]| list.iter().position(|one| *one == descriptor);
        match at(&used) {
            Some(at) => connected[at],
            None => spare[at(&unused).unwrap()],
        }
    };
    let rules = rules.into_iter().map(|mut needed| {
        if needed.equals[0].0 == 0 {
            needed.equals[0].1 = renamed(needed.equals[0].1);
        }
        rule(needed.syscall, &needed.equals, needed.reason).unwrap()
    });
    rules.collect()
}

/// Which rules of the back end were used by calls that all have a rule; the first socket was connected
/// before, the second is connected now.
fn used(scene: &Scene, calls: &[Call]) -> BTreeSet<String> {
    let named = |name: &str| {
        let calls = calls.iter().filter(|call| call.name == name);
        calls
            .map(|call| u32::try_from(call.arguments[0]).unwrap())
            .collect::<BTreeSet<u32>>()
    };
    let spare: Vec<u32> = named("connect").into_iter().collect();
    let mut connected = named("sendto");
    connected.retain(|descriptor| !spare.contains(descriptor));
    let connected = match connected.first() {
        Some(descriptor) => *descriptor,
        // It was idle for too long, and is the one that was made after the other.
        None => spare[0] + 1,
    };
    let spare = spare.first().copied().unwrap_or(connected - 1);
    let logs: BTreeSet<u64> = calls
        .iter()
        .filter(|call| call.name == "write" && call.arguments[0] > 2)
        .map(|call| call.arguments[0])
        .collect();
    let [log] = logs.into_iter().collect::<Vec<_>>()[..] else {
        panic!("one log: {calls:?}");
    };
    let log = Some(i32::try_from(log).unwrap());
    let base = shell_rules(&OpenFds { log }).unwrap();
    let beside = asked_for(scene, &[connected], &[spare]);
    let mut found = BTreeSet::new();
    for call in calls {
        let allows = |rule: &&Rule| rule.syscall.name == call.name && rule.allows(&call.arguments);
        let ours: Vec<&Rule> = beside.iter().filter(allows).collect();
        let base = base.iter().any(|rule| allows(&rule));
        assert!(base || !ours.is_empty(), "not in the table: {call:?}");
        assert!(!base || ours.is_empty(), "allowed twice: {call:?}");
        for rule in ours {
            let on_spare = Condition::Equals {
                arg: 0,
                value: spare,
            };
            let which = match rule.conditions.contains(&on_spare) {
                true => "spare",
                false => "connected",
            };
            found.insert(format!("{} {which}", rule.syscall.name));
        }
    }
    found
}

#[test]
fn the_calls_of_all_scenarios_are_the_table_and_what_the_back_end_asks_for() {
    let mut seen = BTreeSet::new();
    for kind in ["ed25519", "p256", "rsa2048"] {
        let scene = Scene::with(kind);
        for input in [INPUT, &[0x55; 3 << 20]] {
            let outcome = traced(scene.world.shell()).run(input);
            let calls = std::fs::read_to_string(scene.world.path(crate::traced::TRACE)).unwrap();
            let last = calls.lines().rev().take(4).collect::<Vec<_>>();
            assert_eq!(
                (outcome.code(), outcome.stderr.as_str()),
                (0, ""),
                "{last:#?}"
            );
            seen.extend(used(&scene, &calls_of_strace(&scene.world)));
        }
    }
    let scene = Scene::with("ed25519");
    // The connection is idle for too long.
    let mut running = traced(scene.world.shell()).start();
    std::thread::sleep(Duration::from_secs(8));
    running.send(INPUT);
    let outcome = running.outcome();
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    seen.extend(used(&scene, &calls_of_strace(&scene.world)));
    // A clock that is a system call, and a device that fails.
    let outcome = without_vdso(&scene.world, Build::Static).run(INPUT);
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    seen.extend(used(&scene, &calls_of_python(&scene.world)));
    let fault = signstar_nethsm_simulator::Fault::CloseAfter;
    scene.devices[0].simulator().fail_next(Some(SIGN), fault, 1);
    assert_eq!(traced(scene.world.shell()).run(INPUT).code(), 69);
    seen.extend(used(&scene, &calls_of_strace(&scene.world)));
    let expected = [
        "connect spare",
        "getrandom connected",
        "getsockopt spare",
        "recvfrom connected",
        "recvfrom spare",
        "sendto connected",
        "sendto spare",
    ];
    assert_eq!(seen, expected.map(str::to_owned).into());
}
