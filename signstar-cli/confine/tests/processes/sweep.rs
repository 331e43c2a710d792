//! All system call numbers under the real filter, against a table that is checked in.

use signstar_confine::{Arch, Instruction, OpenFds, Rule, inspector_rules, shell_rules};

use crate::raw::{End, LOG, ends, inspector_filter, shell_filter};
use crate::rules::intended;
use crate::runner::{Claim, claim};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(sweep_of_all_numbers_agrees_with_the_table),
        claim(sweep_of_all_numbers_agrees_with_the_table_of_the_inspector),
        claim(every_x32_call_is_killed),
    ]
}

/// Well beyond the last number of any kernel so far.
const NUMBER_MAX: i64 = 600;
/// The bit that makes a call one of the x32 ABI.
const X32: i64 = 0x4000_0000;

const TABLE: &str = match Arch::NATIVE {
    Arch::X86_64 => include_str!("../data/sweep-x86_64.txt"),
    Arch::Aarch64 => include_str!("../data/sweep-aarch64.txt"),
};

const INSPECTOR_TABLE: &str = match Arch::NATIVE {
    Arch::X86_64 => include_str!("../data/sweep-inspector-x86_64.txt"),
    Arch::Aarch64 => include_str!("../data/sweep-inspector-aarch64.txt"),
};

/// Arguments that differ as much as they can.
const EXTREMES: [[u64; 6]; 2] = [[0; 6], [u64::MAX; 6]];

fn call(number: i64, arguments: [u64; 6]) -> String {
    format!(
        "{number} {}",
        arguments.map(|argument| argument.to_string()).join(" ")
    )
}

fn sweep_of_all_numbers_agrees_with_the_table() {
    let fds = OpenFds {
        log: Some(LOG.try_into().unwrap()),
    };
    sweep(&shell_rules(&fds).unwrap(), &shell_filter(), TABLE);
}

fn sweep_of_all_numbers_agrees_with_the_table_of_the_inspector() {
    let rules = inspector_rules().unwrap();
    sweep(&rules, &inspector_filter(), INSPECTOR_TABLE);
}

/// A number is allowed when any arguments are answered: extreme ones, or those that a rule intends.
///
/// Two calls exist only for the kernel's own trampolines, and newer kernels let them pass every
/// filter (`uretprobe` since 6.14, `uprobe` since 6.18). From anywhere else the kernel ends the
/// process or answers ENXIO: the table calls them unfiltered.
fn sweep(rules: &[Rule], filter: &[Instruction], table: &str) {
    let mut numbers = Vec::new();
    let mut scripts = Vec::new();
    for number in 0..=NUMBER_MAX {
        let ruled = rules
            .iter()
            .filter(|rule| rule.syscall.number == number)
            .map(intended);
        for arguments in EXTREMES.into_iter().chain(ruled) {
            numbers.push(number);
            scripts.push(call(number, arguments));
        }
    }
    let ends = ends(Some(filter), &scripts);
    let mut found = String::new();
    for number in 0..=NUMBER_MAX {
        let mut ends = numbers
            .iter()
            .zip(&ends)
            .filter(|(made, _)| **made == number);
        let name = Arch::NATIVE
            .syscalls()
            .find(|syscall| syscall.number == number)
            .map_or("-", |syscall| syscall.name);
        let fate = if ["uretprobe", "uprobe"].contains(&name) {
            let harmless = [
                End::Killed,
                End::Died(libc::SIGILL),
                End::Answered(libc::ENXIO),
            ];
            assert!(ends.all(|(_, end)| harmless.contains(end)), "{name}");
            "unfiltered"
        } else if ends.any(|(_, end)| matches!(end, End::Answered(_))) {
            "allowed"
        } else {
            "killed"
        };
        found.push_str(&format!("{number} {name} {fate}\n"));
    }
    for (found, listed) in found.lines().zip(table.lines()) {
        assert_eq!(found, listed, "found, listed");
    }
    assert_eq!(found.lines().count(), table.lines().count());
}

fn every_x32_call_is_killed() {
    if Arch::NATIVE != Arch::X86_64 {
        return;
    }
    let scripts: Vec<String> = (0..=NUMBER_MAX)
        .map(|number| call(X32 + number, [0; 6]))
        .collect();
    for filter in [shell_filter(), inspector_filter()] {
        for (script, end) in scripts.iter().zip(ends(Some(&filter), &scripts)) {
            assert_eq!(end, End::Killed, "{script}");
        }
    }
}
