//! `signstar-pkcs11-provisioner`: loads a vendor's PKCS#11 module, lists its tokens, makes a key or takes one, and ends.
//!
//! `signstar-admin` starts it, which so never has a vendor's code beside an offline primary key or a PIN of
//! another device. It is a program of its own, and no mode of the worker, so that whoever takes over a
//! worker finds nothing in it that changes a token. Both confine themselves alike, by the same code: before
//! the module is loaded, and again before the PIN is sent. It becomes the account that will sign, so that
//! what the module writes is that account's.
//!
//! # What is deliberately absent
//! Signing, deleting and replacing keys (but for one that it has just made and that is not as it must be),
//! reading private keys, initialising tokens, changing PINs, options, a log, and text of the module's but
//! for the names of tokens and keys.

mod account;
mod import;
mod list;
mod make;
mod run;

use std::process::ExitCode;

use signstar_pkcs11::provision::Answer;
use signstar_pkcs11_worker::channel;

fn main() -> ExitCode {
    // The default would print, and a message could hold anything.
    std::panic::set_hook(Box::new(|_| std::process::exit(70)));
    match run::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            if let Ok(frame) = Answer::Fault(fault).to_frame() {
                channel::send(&frame);
            }
            ExitCode::FAILURE
        }
    }
}
