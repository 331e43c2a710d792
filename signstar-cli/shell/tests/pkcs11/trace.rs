//! After lock-down the release binary makes the calls of its table and those that the back end asks
//! for, and makes all of the latter.

use std::collections::BTreeSet;

use signstar_confine::{rule, shell_rules, OpenFds, Rule};
use signstar_testkit::token::Software;

use crate::scene::{composite_world, world};
use crate::support::World;
use crate::traced::{calls_beside_a_helper, traced, Call};

#[test]
fn the_calls_are_those_of_the_table_and_of_the_back_end_in_both_directions() {
    for (software, kind) in [
        (Software::SoftHsm, "ed25519"),
        (Software::SoftHsm, "rsa4096"),
        (Software::Kryoptic, "p521"),
    ] {
        check(&format!("{software:?} {kind}"), &world(software, kind));
    }
}

#[test]
fn a_composite_key_needs_no_other_calls() {
    check("Kryoptic mldsa65-ed25519", &composite_world());
}

fn check(what: &str, world: &World) {
    let outcome = traced(world.shell()).run(&vec![0x55; 3 << 20]);
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    let calls = calls_beside_a_helper(world);
    let read = |call: &&Call| call.name == "read" && call.arguments[0] != 0;
    let sockets: BTreeSet<u64> = calls
        .iter()
        .filter(read)
        .map(|call| call.arguments[0])
        .collect();
    let written = |call: &&Call| call.name == "write" && call.arguments[0] > 2;
    let others = calls.iter().filter(written).map(|call| call.arguments[0]);
    let logs: BTreeSet<u64> = others.filter(|fd| !sockets.contains(fd)).collect();
    assert_eq!((sockets.len(), logs.len()), (1, 1), "{calls:?}");
    let socket = u32::try_from(*sockets.first().unwrap()).unwrap();
    let log = i32::try_from(*logs.first().unwrap()).unwrap();
    let base = shell_rules(&OpenFds { log: Some(log) }).unwrap();
    let ours = ["read", "write"].map(|name| rule(name, &[(0, socket)], "the worker").unwrap());
    let allows =
        |rule: &Rule, call: &Call| rule.syscall.name == call.name && rule.allows(&call.arguments);
    for call in &calls {
        let mut rules = base.iter().chain(&ours);
        assert!(
            rules.any(|rule| allows(rule, call)),
            "not in the table: {call:?}"
        );
    }
    for rule in &ours {
        let used = calls.iter().any(|call| allows(rule, call));
        assert!(used, "{} is not needed", rule.syscall.name);
    }
    let named: BTreeSet<&str> = calls.iter().map(|call| call.name.as_str()).collect();
    println!("{what}: {named:?}");
}
