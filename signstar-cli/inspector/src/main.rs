//! `signstar-inspector`: standard input is an artifact, standard output a verdict, and there is
//! nothing else. Started by the login shell, or by `signstar-admin policy try`.
//!
//! Arguments: the kind, then each set of rules behind a `--`, as `RULE=VALUE`. They come from the
//! configuration.

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use signstar_confine::{
    ConfineError, Limits, die_with_parent, harden, inspector_rules, limit_processor, load_filter,
    restrict_files_and_network,
};
use signstar_inspector::{Order, inspect};

/// The window of a container, a list of every path in an archive, and room.
const ADDRESS_SPACE_BYTES: u64 = 768 << 20;

/// An image of 16 GiB, or a package that unpacks to as much, takes a minute or two.
const PROCESSOR_SECONDS: u64 = 900;

fn main() -> ExitCode {
    let Ok(order) = Order::from_arguments(std::env::args().skip(1)) else {
        return ExitCode::from(64);
    };
    if confine().is_err() {
        return ExitCode::from(70);
    }
    let verdict = inspect(&order, stdin().lock());
    // A verdict before the end of the artifact would be one over a part of it.
    let answered = exhaust().and_then(|()| {
        let message = verdict.encode().map_err(std::io::Error::other)?;
        let mut stdout = stdout().lock();
        stdout.write_all(&message)?;
        stdout.flush()
    });
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(74),
    }
}

/// Gives everything up but two pipes and memory.
fn confine() -> Result<(), ConfineError> {
    die_with_parent()?;
    harden(&Limits {
        open_files: 8,
        address_space_bytes: ADDRESS_SPACE_BYTES,
    })?;
    limit_processor(PROCESSOR_SECONDS)?;
    restrict_files_and_network(&[])?;
    load_filter(&inspector_rules()?)
}

/// Reads to the end of the artifact.
fn exhaust() -> std::io::Result<()> {
    let mut chunk = [0; 64 * 1024];
    let mut stdin = stdin().lock();
    loop {
        match stdin.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}
