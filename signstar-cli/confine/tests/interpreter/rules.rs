//! What may stand in a table of rules, and what compiling one refuses.

use signstar_confine::{
    Arch, ConfineError, OpenFds, Rule, inspector_rules_for, program, rule, shell_rules_for,
};

use crate::machine::{
    ALLOW, ARCHITECTURES, AUDIT_ARCH_AARCH64, AUDIT_ARCH_X86_64, KILL_PROCESS, interpret, log,
    seccomp_data,
};

#[test]
fn no_rule_is_lost_beside_another_for_the_same_call() {
    let rules: Vec<Rule> = (0..300)
        .map(|fd| rule("write", &[(0, fd)], "one of many").unwrap())
        .collect();
    let program = program(&rules, Arch::NATIVE).unwrap();
    let audit = match Arch::NATIVE {
        Arch::X86_64 => AUDIT_ARCH_X86_64,
        Arch::Aarch64 => AUDIT_ARCH_AARCH64,
    };
    let number = u32::try_from(rules[0].syscall.number).unwrap();
    for fd in 0..301 {
        let data = seccomp_data(audit, number, [fd, 0, 0, 0, 0, 0]);
        let expected = if fd < 300 { ALLOW } else { KILL_PROCESS };
        assert_eq!(interpret(&program, &data), expected, "{fd}");
    }
}

#[test]
fn a_rule_that_makes_others_void_is_refused() {
    let bare = rule("sendto", &[], "everywhere").unwrap();
    let bound = rule("sendto", &[(0, 5)], "one socket").unwrap();
    for rules in [
        [bare.clone(), bound.clone()],
        [bound, bare.clone()],
        [bare.clone(), bare],
    ] {
        let outcome = program(&rules, Arch::NATIVE);
        assert!(
            matches!(outcome, Err(ConfineError::Shadowed("sendto"))),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_rule_for_another_architecture_is_refused() {
    let [(one, _), (other, _)] = ARCHITECTURES;
    for (made_for, used_for) in [(one, other), (other, one)] {
        let rules = shell_rules_for(made_for, &log()).unwrap();
        let outcome = program(&rules, used_for);
        assert!(
            matches!(outcome, Err(ConfineError::ForeignRule { .. })),
            "{outcome:?}"
        );
    }
}

#[test]
fn faulty_rules_are_refused() {
    let unknown = rule("no_such_call", &[], "none");
    assert!(
        matches!(unknown, Err(ConfineError::UnknownSyscall { .. })),
        "{unknown:?}"
    );
    let seventh = program(&[rule("sendto", &[(6, 0)], "none").unwrap()], Arch::NATIVE);
    assert!(
        matches!(seventh, Err(ConfineError::Compile(_))),
        "{seventh:?}"
    );
    let negative = shell_rules_for(Arch::NATIVE, &OpenFds { log: Some(-1) });
    assert!(
        matches!(negative, Err(ConfineError::Descriptor(-1))),
        "{negative:?}"
    );
}

#[test]
fn every_rule_says_why_and_where_it_is_seen() {
    let scenarios = [
        "sign",
        "refusal",
        "large-input",
        "signal-stop-continue",
        "clock-without-vdso",
    ];
    for (arch, _) in ARCHITECTURES {
        for rule in shell_rules_for(arch, &log()).unwrap() {
            assert!(!rule.reason.is_empty(), "{rule:?}");
            assert!(scenarios.contains(&rule.scenario), "{rule:?}");
        }
        for rule in inspector_rules_for(arch).unwrap() {
            assert!(!rule.reason.is_empty(), "{rule:?}");
            assert_eq!(rule.scenario, "inspect", "{rule:?}");
        }
    }
}

#[test]
fn filter_stays_short() {
    for (arch, _) in ARCHITECTURES {
        let length = program(&shell_rules_for(arch, &log()).unwrap(), arch)
            .unwrap()
            .len();
        assert!(length <= 120, "{arch}: {length} instructions");
    }
}
