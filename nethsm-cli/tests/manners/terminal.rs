//! The program at a pseudo terminal.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};

/// Nothing here takes longer, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that has all its streams at a terminal.
pub(crate) struct Terminal {
    child: Child,
    master: File,
    slave: OwnedFd,
    shown: String,
    /// Up to where something was waited for.
    seen: usize,
}

impl Terminal {
    /// Starts `command` at a terminal of so many columns.
    pub(crate) fn start(command: &mut Command, columns: u16) -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).unwrap();
        let stream = || Stdio::from(pty.slave.try_clone().unwrap());
        command.stdin(stream()).stdout(stream()).stderr(stream());
        command.env("TERM", "xterm");
        Self {
            child: command.spawn().unwrap(),
            master: File::from(pty.master),
            slave: pty.slave,
            shown: String::new(),
            seen: 0,
        }
    }

    /// Waits until `text` is shown after what was waited for before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait(text, |shown| shown.find(text).map(|at| at + text.len()));
    }

    /// The same, whatever colours it has.
    pub(crate) fn wait_for_plain(&mut self, text: &str) {
        self.wait(text, |shown| {
            plain(shown).contains(text).then_some(shown.len())
        });
    }

    fn wait(&mut self, what: &str, find: impl Fn(&str) -> Option<usize>) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(end) = find(&self.shown[self.seen..]) {
                self.seen += end;
                return;
            }
            assert!(Instant::now() < until, "no {what:?} in {:?}", self.shown);
            self.read(Duration::from_millis(100));
        }
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// How the terminal is set.
    pub(crate) fn settings(&self) -> Termios {
        tcgetattr(self.slave.as_fd()).unwrap()
    }

    pub(crate) fn echoes(&self) -> bool {
        let flags = self.settings().local_flags;
        flags.contains(LocalFlags::ECHO | LocalFlags::ISIG)
    }

    /// Waits until what is typed is not shown: a question stands there.
    pub(crate) fn wait_for_silence(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.echoes() {
            assert!(Instant::now() < until, "{:?}", self.shown);
            self.read(Duration::from_millis(10));
        }
    }

    fn read(&mut self, wait: Duration) {
        let wait = PollTimeout::try_from(wait).unwrap();
        let mut ready = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, wait).unwrap() == 0 {
            return;
        }
        let mut chunk = [0; 4096];
        match self.master.read(&mut chunk) {
            Ok(count) => self
                .shown
                .push_str(&String::from_utf8_lossy(&chunk[..count])),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted),
        }
    }

    /// How it ended and all that the terminal has shown.
    pub(crate) fn end(mut self) -> (i32, String) {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            self.read(Duration::from_millis(20));
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "{:?}", self.shown);
        };
        // What was written before the end is there by now.
        for _ in 0..64 {
            self.read(Duration::from_millis(1));
        }
        (status.code().unwrap_or(-1), self.shown.replace('\r', ""))
    }

    /// Ends it, and says what it has shown.
    pub(crate) fn stop(mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.shown
    }
}

/// Without what only says how it is shown.
fn plain(shown: &str) -> String {
    let mut parts = shown.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let end = part.find(|char: char| char.is_ascii_alphabetic());
        text + end.map_or("", |end| &part[end + 1..])
    })
}
