//! An operator at a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use nix::pty::openpty;

use crate::place::Place;

/// Does `arguments` at a terminal where `answer` is typed after `question`; says the status, what was
/// asked and what the terminal has shown.
pub(crate) fn at_terminal(
    place: &Place,
    arguments: &[&str],
    question: &str,
    answer: &str,
) -> (i32, String, String) {
    let pty = openpty(None, None).unwrap();
    let mut command = place.command(arguments);
    command
        .stdin(Stdio::from(pty.slave))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It has a copy of the terminal.
    drop(command);
    let (mut errors, mut terminal) = (child.stderr.take().unwrap(), File::from(pty.master));
    let (mut asked, mut byte) = (String::new(), [0]);
    while !asked.ends_with(question) {
        assert_eq!(errors.read(&mut byte).unwrap(), 1, "{asked}");
        asked.push(char::from(byte[0]));
    }
    terminal.write_all(answer.as_bytes()).unwrap();
    errors.read_to_string(&mut asked).unwrap();
    let status = child.wait().unwrap().code().unwrap();
    let mut shown = Vec::new();
    // Ends with an error, since nobody has the other side any more.
    let _ = terminal.read_to_end(&mut shown);
    (status, asked, String::from_utf8(shown).unwrap())
}
