//! A harness that checks claims one after the other, in the manner of the usual one.

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use nix::unistd::alarm;

/// Much longer than any claim takes, also on a busy machine.
const CLAIM_SECONDS_MAX: u32 = 120;

/// A test: its name says what holds.
pub(crate) struct Claim {
    name: &'static str,
    check: Box<dyn Fn()>,
}

/// Names a claim after its function.
pub(crate) fn claim<F: Fn() + 'static>(check: F) -> Claim {
    Claim {
        name: type_name::<F>(),
        check: Box::new(check),
    }
}

/// Checks all claims whose name contains one of the words that are not options.
pub(crate) fn run(claims: Vec<Claim>, arguments: &[String]) -> ExitCode {
    let (options, words): (Vec<_>, Vec<_>) = arguments
        .iter()
        .partition(|argument| argument.starts_with('-'));
    if options.iter().any(|option| *option == "--list") {
        for claim in &claims {
            println!("{}: test", claim.name);
        }
        return ExitCode::SUCCESS;
    }
    let wanted =
        |claim: &&Claim| words.is_empty() || words.iter().any(|word| claim.name.contains(*word));
    let mut failed = Vec::new();
    let mut passed = 0;
    for claim in claims.iter().filter(wanted) {
        // A claim that hangs ends the whole run by SIGALRM.
        alarm::set(CLAIM_SECONDS_MAX);
        if catch_unwind(AssertUnwindSafe(|| (claim.check)())).is_ok() {
            println!("test {} ... ok", claim.name);
            passed += 1;
        } else {
            println!("test {} ... FAILED", claim.name);
            failed.push(claim.name);
        }
    }
    println!(
        "\ntest result: {passed} passed; {} failed: {failed:?}\n",
        failed.len()
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
