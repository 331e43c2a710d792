//! The operator's tool `signstar-admin`. What it does stands in the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    signstar_admin::run(std::env::args_os())
}
