//! What is asked at a terminal: a passphrase, which it does not show, and a yes.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::process::{Child, Stdio};

use nix::pty::openpty;

use crate::gpg::Gpg;
use crate::place::Place;
use crate::{KEY, PASSPHRASE, primary_in};

/// The program at a terminal. Its errors, where questions go, are read apart from what is shown.
struct Console {
    child: Child,
    terminal: File,
    asked: String,
}

impl Console {
    fn new(place: &Place, arguments: &[&str]) -> Self {
        let pty = openpty(None, None).unwrap();
        let mut command = place.command(arguments);
        command
            .stdin(Stdio::from(pty.slave))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            child: command.spawn().unwrap(),
            terminal: File::from(pty.master),
            asked: String::new(),
        }
    }

    /// Waits for the question, then types.
    fn answer(&mut self, question: &str, answer: &str) {
        let errors = self.child.stderr.as_mut().unwrap();
        let mut byte = [0];
        while !self.asked.ends_with(question) {
            let count = errors.read(&mut byte).unwrap();
            assert_eq!(count, 1, "{}", self.asked);
            self.asked.push(char::from(byte[0]));
        }
        self.terminal.write_all(answer.as_bytes()).unwrap();
    }

    /// How it ended, what it said, and what the terminal has shown.
    fn end(mut self) -> (i32, String, String) {
        let status = self.child.wait().unwrap().code().unwrap();
        let errors = self.child.stderr.as_mut().unwrap();
        errors.read_to_string(&mut self.asked).unwrap();
        let mut shown = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            match self.terminal.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => shown.extend_from_slice(&chunk[..count]),
                // The other side is closed.
                Err(error) if error.raw_os_error() == Some(nix::libc::EIO) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted),
            }
        }
        (status, self.asked, String::from_utf8(shown).unwrap())
    }
}

#[test]
fn asks_for_the_passphrase_of_a_primary_key_and_shows_nothing_of_it() {
    let place = Place::new();
    place.admin(&KEY).done();
    let file = place.path("primary.pgp");
    let file = file.to_str().unwrap();
    let generate = primary_in(file);
    let typed = format!("{PASSPHRASE}\n");
    let mut console = Console::new(&place, &generate);
    console.answer("a new one: ", &typed);
    console.answer("once more: ", "something else\n");
    let (status, asked, shown) = console.end();
    assert_eq!(
        (status, place.path("primary.pgp").exists()),
        (64, false),
        "{asked}"
    );
    assert!(asked.contains("the two passphrases differ"), "{asked}");
    assert_eq!(shown, "");

    let mut console = Console::new(&place, &generate);
    console.answer("a new one: ", &typed);
    console.answer("once more: ", &typed);
    let (status, asked, shown) = console.end();
    assert_eq!((status, shown.as_str()), (0, ""), "{asked}");

    let create = ["cert", "create", "--key", "packages", "--primary", file];
    for (answer, expected) in [("wrong\n", 65), ("\u{3}\n", 64), (typed.as_str(), 0)] {
        let mut console = Console::new(&place, &create);
        console.answer("primary.pgp: ", answer);
        let (status, asked, shown) = console.end();
        assert_eq!((status, shown.as_str()), (expected, ""), "{asked}");
        assert!(!asked.contains("staple"));
    }
    place.admin(&["config", "check"]).done();
}

#[test]
fn names_certificate_and_device_before_there_is_no_way_back() {
    let place = Place::new();
    place.equip();
    let revoke = ["cert", "revoke", "--key", "packages", "--reason", "retired"];
    let before = place.contents();
    let question = "Write yes to go on: ";
    for no in ["no\n", "\n", "y\n", "YES\n"] {
        let mut console = Console::new(&place, &revoke);
        console.answer(question, no);
        let (status, asked, _) = console.end();
        assert_eq!(status, 64, "{asked}");
        assert!(asked.contains("nothing was done"), "{asked}");
        assert_eq!(place.contents(), before);
    }
    let mut console = Console::new(&place, &revoke);
    console.answer(question, "yes\n");
    let (status, asked, shown) = console.end();
    assert_eq!(status, 0, "{asked}");
    // This terminal shows what is typed, so the test above can fail.
    assert_eq!(shown, "yes\r\n");
    for named in [
        "[key.packages]",
        "packages.pgp: certificate ",
        "A <a@example.org>",
        "secret key file",
        "packages.secret.pgp",
        "retired",
    ] {
        assert!(asked.contains(named), "{named}: {asked}");
    }
    let gpg = Gpg::with(&place.path("packages.pgp"));
    assert_eq!(gpg.listed("pub")[0][0], "r");
}
