//! `signstar-pkcs11-worker`: loads a vendor's PKCS#11 module, signs one digest with it, and ends.
//!
//! The login shell starts it before lock-down. Its standard input is a socket with the messages of
//! `signstar-core` on it; it has nothing of the caller's, no arguments, and an environment that the
//! configuration lists. The module's code may be careless or hostile, so the process is confined in
//! two steps: by Landlock and a first filter before the module is loaded, by a second filter before
//! the PIN is sent. It ends with the shell, or when the shell closes the socket.
//!
//! The straight line is `run.rs`.
//!
//! # What is deliberately absent
//! A log, standard output, options, a second try of a PIN, a second digest, everything that makes,
//! imports or deletes keys, and any text of the module's: what goes wrong is a number.

mod run;
mod sign;

use std::process::ExitCode;

use signstar_core::WorkerAnswer;
use signstar_pkcs11_worker::channel;

fn main() -> ExitCode {
    // The default would print, and a message could hold anything.
    std::panic::set_hook(Box::new(|_| std::process::exit(70)));
    match run::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Whoever has gone needs no answer.
            let _ = channel::answer(&WorkerAnswer::Fault(fault));
            ExitCode::FAILURE
        }
    }
}
