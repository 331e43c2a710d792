//! Asking the operator.
//!
//! A terminal is what standard input is; where that is something else, nobody is there to answer.
//! Questions go to standard error, so that standard output has the report alone. With several devices
//! at once, one question stands at a time.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::ConsoleError;

/// Longest answer, in bytes: that of passphrases of keys.
const ANSWER_BYTES_MAX: usize = 4096;
/// What the key combination for an interruption sends where it is no signal.
const INTERRUPT: u8 = 3;
/// What ends an answer, where the terminal does not.
const END: u8 = 4;
/// What takes a letter away, on one keyboard or another.
const BACKSPACE: u8 = 8;
const DELETE: u8 = 0x7f;
/// What takes the whole answer away.
const KILL: u8 = 21;

static ASKING: Mutex<()> = Mutex::new(());
/// Whether a line stands there that is to go before something else is said.
static DRAWN: AtomicBool = AtomicBool::new(false);

/// Shows `text` on standard error in place of what was shown so before, unless somebody is being asked. It
/// stands there until a question, or [`erase`].
pub fn draw(text: &str) {
    // Who is asked has the terminal until there is an answer.
    if let Ok(_asking) = ASKING.try_lock() {
        DRAWN.store(true, Ordering::SeqCst);
        // Where that cannot be shown, nobody misses it.
        let _ = io::stderr().write_all(format!("\r\x1b[K{text}").as_bytes());
    }
}

/// Takes away what [`draw`] has shown.
pub fn erase() {
    if DRAWN.swap(false, Ordering::SeqCst) {
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
}

/// Says one line on standard error that cannot wait until all is done, unasked.
pub fn remark(text: &str) {
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    erase();
    // Where that cannot be written, what was asked for goes on.
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Whether somebody can be asked.
pub fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Shows the operator a secret, once. `what` names it.
///
/// # Errors
/// [`ConsoleError::Usage`] if standard error is no terminal, [`ConsoleError::File`] if it fails.
pub fn show(what: &str, secret: &str) -> Result<(), ConsoleError> {
    if !io::stderr().is_terminal() {
        return Err(ConsoleError::usage(format!(
            "{what} would not be shown to anybody, but be written somewhere: standard error is no terminal"
        )));
    }
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    ask(&Zeroizing::new(format!("{what}, shown once: {secret}\n")))
}

/// Fails where nobody can agree to anything.
///
/// # Errors
/// [`ConsoleError::Usage`] then.
pub fn check() -> Result<(), ConsoleError> {
    match is_there() {
        true => Ok(()),
        false => Err(ConsoleError::usage(
            "nobody is there to confirm this: give --yes if you are sure",
        )),
    }
}

/// Has the operator agree by writing `word`. `what` says to what, in whole lines; the last one has no
/// line end.
///
/// # Errors
/// [`ConsoleError::Usage`] if nobody is there or something else was written.
pub fn confirm(what: &str, word: &str) -> Result<(), ConsoleError> {
    check()?;
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    ask(&format!("{what}\nWrite {word} to go on: "))?;
    match line()?.as_slice() == word.as_bytes() {
        true => Ok(()),
        false => Err(ConsoleError::usage("not confirmed: nothing was done")),
    }
}

/// Asks for `what`, without showing it.
///
/// # Errors
/// [`ConsoleError::Usage`] if nobody is there, [`ConsoleError::File`] if the terminal fails.
pub fn secret(what: &str) -> Result<Zeroizing<Vec<u8>>, ConsoleError> {
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    hidden(what)
}

/// Asks for `what`, which is new, twice.
///
/// # Errors
/// Those of [`secret`], and [`ConsoleError::Usage`] if the two differ.
pub fn new_secret(what: &str) -> Result<Zeroizing<Vec<u8>>, ConsoleError> {
    let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    let first = hidden(&format!("{what}, a new one"))?;
    let second = hidden(&format!("{what}, once more"))?;
    match first == second {
        true => Ok(first),
        false => Err(ConsoleError::usage("the two passphrases differ")),
    }
}

fn hidden(what: &str) -> Result<Zeroizing<Vec<u8>>, ConsoleError> {
    if !is_there() {
        return Err(ConsoleError::usage(format!(
            "{what} is needed and nobody is there to ask: say where it comes from"
        )));
    }
    let hidden = Hidden::new()?;
    ask(&format!("{what}: "))?;
    let answer = line();
    // The line end of the answer was not shown either.
    ask("\n")?;
    drop(hidden);
    answer
}

fn ask(text: &str) -> Result<(), ConsoleError> {
    erase();
    io::stderr()
        .write_all(text.as_bytes())
        .map_err(|error| ConsoleError::with("standard error".as_ref(), error))
}

/// One line of standard input, without its end. Read byte by byte: what follows belongs to the next
/// question, and unlike the standard library's input there is no buffer that keeps a copy.
fn line() -> Result<Zeroizing<Vec<u8>>, ConsoleError> {
    let failed = |error: nix::Error| ConsoleError::with("the terminal".as_ref(), error.into());
    let mut answer = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX));
    let mut byte = Zeroizing::new([0_u8]);
    while answer.len() < ANSWER_BYTES_MAX {
        let count = nix::unistd::read(io::stdin(), byte.as_mut_slice()).map_err(failed)?;
        match byte.as_slice() {
            _ if count == 0 => return Ok(answer),
            [b'\n'] => return Ok(answer),
            // The terminal edits no line of which it shows nothing.
            [INTERRUPT] => return Err(ConsoleError::usage("interrupted: nothing was done")),
            [END] => return Ok(answer),
            [KILL] => answer.clear(),
            [BACKSPACE | DELETE] => {
                // A whole letter: in UTF-8 those that follow the first byte begin with 10.
                while answer.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            other => answer.extend_from_slice(other),
        }
    }
    let text = format!("an answer is shorter than {ANSWER_BYTES_MAX} bytes");
    Err(ConsoleError::usage(text))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn new() -> Result<Self, ConsoleError> {
        let failed = |error: nix::Error| ConsoleError::with("the terminal".as_ref(), error.into());
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut hidden = before.clone();
        // Without signals: an interrupted program would leave the terminal silent. And key by key, or
        // an interruption would wait for the end of the line.
        hidden
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::ICANON);
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
