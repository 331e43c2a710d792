//! The operator's tool `nethsm-cli`. What it does stands in the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    nethsm_cli::run(std::env::args_os())
}
