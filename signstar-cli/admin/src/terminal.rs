//! Asking the operator.
//!
//! A terminal is what standard input is; where that is something else, nobody is there to answer.
//! Questions go to standard error, so that standard output has the report alone.

use std::io::{self, IsTerminal as _, Write as _};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::failure::{Failure, Status};

/// Longest answer, in bytes: that of passphrases.
const ANSWER_BYTES_MAX: usize = 4096;

/// What the key combination for an interruption sends where it is no signal.
const INTERRUPT: u8 = 3;

/// Whether somebody can be asked.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Fails where nobody can agree to what cannot be undone.
pub(crate) fn check() -> Result<(), Failure> {
    match is_there() {
        true => Ok(()),
        false => Err(Failure::new(
            Status::Usage,
            "this cannot be undone and nobody is there to ask: give --yes",
        )),
    }
}

/// Has the operator agree to what cannot be undone. `what` says it in whole lines.
pub(crate) fn confirm(what: &str) -> Result<(), Failure> {
    check()?;
    ask(&format!(
        "{what}This cannot be undone. Write yes to go on: "
    ))?;
    let answer = line()?;
    match answer.as_slice() {
        b"yes" => Ok(()),
        _ => Err(Failure::new(
            Status::Usage,
            "not confirmed: nothing was done",
        )),
    }
}

/// Asks for the passphrase of `what`, without showing it.
pub(crate) fn passphrase(what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    secret(&format!("Passphrase of {what}"))
}

/// Asks for `what`, without showing it.
pub(crate) fn secret(what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let hidden = Hidden::new()?;
    ask(&format!("{what}: "))?;
    let answer = line();
    // The line end of the answer was not shown either.
    ask("\n")?;
    drop(hidden);
    answer
}

/// Asks for a new passphrase for `what`, twice.
pub(crate) fn new_passphrase(what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let first = passphrase(&format!("{what}, a new one"))?;
    let second = passphrase(&format!("{what}, once more"))?;
    match first == second {
        true => Ok(first),
        false => Err(Failure::new(Status::Usage, "the two passphrases differ")),
    }
}

fn ask(text: &str) -> Result<(), Failure> {
    io::stderr()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::with("standard error".as_ref(), &error))
}

/// One line of standard input, without its end. Read byte by byte: what follows belongs to the next
/// question, and unlike the standard library's input there is no buffer that keeps a copy.
fn line() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: nix::Error| Failure::with("the terminal".as_ref(), &error.into());
    let mut answer = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX));
    let mut byte = Zeroizing::new([0_u8]);
    while answer.len() < ANSWER_BYTES_MAX {
        let count = nix::unistd::read(io::stdin(), byte.as_mut_slice()).map_err(failed)?;
        match byte.as_slice() {
            _ if count == 0 => return Ok(answer),
            [b'\n'] => return Ok(answer),
            [INTERRUPT] => {
                return Err(Failure::new(Status::Usage, "interrupted: nothing was done"));
            }
            other => answer.extend_from_slice(other),
        }
    }
    let text = format!("an answer is shorter than {ANSWER_BYTES_MAX} bytes");
    Err(Failure::new(Status::Usage, text))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn new() -> Result<Self, Failure> {
        let failed = |error: nix::Error| Failure::with("the terminal".as_ref(), &error.into());
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut hidden = before.clone();
        // Without signals: an interrupted program would leave the terminal silent.
        hidden
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ISIG);
        // What was typed before the question was asked is no answer to it.
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &hidden).map_err(failed)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Where that fails there is no terminal any more.
        let _ = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &self.0);
    }
}
