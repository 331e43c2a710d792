//! An operator at a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStderr, Stdio};

use nix::pty::openpty;

use crate::place::Place;

/// A program that has asked, and waits for an answer.
pub(crate) struct Asking {
    child: Child,
    errors: ChildStderr,
    terminal: File,
    asked: String,
}

impl Asking {
    /// Starts the program, which asks `question`.
    pub(crate) fn start(place: &Place, arguments: &[&str], question: &str) -> Self {
        let pty = openpty(None, None).unwrap();
        let mut command = place.command(arguments);
        command
            .stdin(Stdio::from(pty.slave))
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It has a copy of the terminal.
        drop(command);
        let (mut errors, terminal) = (child.stderr.take().unwrap(), File::from(pty.master));
        let (mut asked, mut byte) = (String::new(), [0]);
        while !asked.ends_with(question) {
            assert_eq!(errors.read(&mut byte).unwrap(), 1, "{asked}");
            asked.push(char::from(byte[0]));
        }
        Self {
            child,
            errors,
            terminal,
            asked,
        }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it, as somebody else may.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Types `answer`; says the status, what was asked and what the terminal has shown.
    pub(crate) fn answer(mut self, answer: &str) -> (i32, String, String) {
        self.terminal.write_all(answer.as_bytes()).unwrap();
        self.errors.read_to_string(&mut self.asked).unwrap();
        let status = self.child.wait().unwrap().code().unwrap();
        let mut shown = Vec::new();
        // Ends with an error, since nobody has the other side any more.
        let _ = self.terminal.read_to_end(&mut shown);
        (status, self.asked, String::from_utf8(shown).unwrap())
    }
}

/// Does `arguments` at a terminal where `answer` is typed after `question`; says the status, what was
/// asked and what the terminal has shown.
pub(crate) fn at_terminal(
    place: &Place,
    arguments: &[&str],
    question: &str,
    answer: &str,
) -> (i32, String, String) {
    Asking::start(place, arguments, question).answer(answer)
}
