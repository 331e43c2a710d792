//! The login shell `signstar`: reads an artifact, answers with a detached signature, and can do
//! nothing else. What it does stands in the library of this package; this file only starts it.

use std::process::ExitCode;

use signstar::invocation::Invocation;
use signstar::run;

fn main() -> ExitCode {
    // First of all, while there is one thread and nothing has read the environment.
    let invocation = Invocation::from_process();
    run::run(invocation)
}
