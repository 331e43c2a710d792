//! After lock-down the release binary makes the calls of its table and the three that inspection adds,
//! and makes all of the latter.

use std::collections::BTreeSet;

use signstar_confine::{inspection_rules, shell_rules, OpenFds, Rule};

use crate::scene::{package, world};
use crate::traced::{calls_beside_a_helper, traced, Call};

#[test]
fn the_calls_are_those_of_the_table_and_of_inspection_in_both_directions() {
    let world = world(
        "pacman-package",
        "artifact-notation = \"artifact@example.org\"",
    );
    let artifact = package(&world);
    let large = vec![0x55; 3 << 20];
    for (input, status) in [(&artifact, 0), (&large, 65)] {
        let outcome = traced(world.shell()).run(input);
        assert_eq!(outcome.code(), status, "{outcome:?}");
        let calls = calls_beside_a_helper(&world);
        let first = |name: &str, among: &dyn Fn(u64) -> bool| {
            let mut found = calls.iter().filter(|call| call.name == name);
            let found = found.find(|call| among(call.arguments[0]));
            i32::try_from(found.expect("a call").arguments[0]).unwrap()
        };
        let artifact = first("close", &|_| true);
        let verdict = first("read", &|fd| fd != 0);
        let is_log = |fd: u64| fd > 2 && fd != u64::try_from(artifact).unwrap();
        let log = first("write", &is_log);
        let base = shell_rules(&OpenFds { log: Some(log) }).unwrap();
        let added = inspection_rules(artifact, verdict).unwrap();
        let allows = |rule: &Rule, call: &Call| {
            rule.syscall.name == call.name && rule.allows(&call.arguments)
        };
        for call in &calls {
            let mut rules = base.iter().chain(&added);
            assert!(
                rules.any(|rule| allows(rule, call)),
                "not in the table: {call:?}"
            );
        }
        for rule in &added {
            let used = calls.iter().any(|call| allows(rule, call));
            assert!(used, "{} is not needed", rule.syscall.name);
        }
        let named: BTreeSet<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        println!("{named:?}");
    }
}
