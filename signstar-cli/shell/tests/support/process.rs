//! A process of a world, and how it ended.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{channel, Receiver};

use super::{until, World, PATIENCE};

/// A running process. What it writes is collected, so that it never waits for us.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Where its input comes from, unless it has another.
    pub(crate) stdin: Option<ChildStdin>,
    stdout: Option<Receiver<Vec<u8>>>,
    stderr: Option<Receiver<Vec<u8>>>,
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Its exit status; 128 and the signal where one ended it, as shells have it.
    pub(crate) fn code(&self) -> i32 {
        let signal = self.status.signal().map(|signal| 128 + signal);
        self.status.code().or(signal).expect("it has ended")
    }

    /// Standard output of a process that must have succeeded.
    #[track_caller]
    pub(crate) fn success(self) -> Vec<u8> {
        assert!(self.status.success(), "{}: {}", self.status, self.stderr);
        self.stdout
    }
}

impl Running {
    /// Starts `command` in `world`. Streams that the command does not have yet become pipes where
    /// `pipes` says so: input, output, errors.
    pub(crate) fn start(world: &World, command: &mut Command, pipes: [bool; 3]) -> Self {
        if pipes[0] {
            command.stdin(Stdio::piped());
        }
        if pipes[1] {
            command.stdout(Stdio::piped());
        }
        if pipes[2] {
            command.stderr(Stdio::piped());
        }
        let mut child = world.spawn(command);
        Self {
            stdin: child.stdin.take(),
            stdout: child.stdout.take().map(collect),
            stderr: child.stderr.take().map(collect),
            child,
        }
    }

    /// Its number, as this test sees it.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes `input` and ends it there. That the process takes all of it is not required.
    pub(crate) fn send(&mut self, input: &[u8]) {
        if let Some(mut stdin) = self.stdin.take() {
            let _ = stdin.write_all(input);
        }
    }

    /// Waits for its end, without ending its input.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        until("a process ends", || {
            status = self.child.try_wait().expect("its status");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Ends its input and waits for its end.
    pub(crate) fn finish(mut self) -> Outcome {
        drop(self.stdin.take());
        self.outcome()
    }

    /// Waits for its end, without ending its input.
    pub(crate) fn outcome(mut self) -> Outcome {
        let status = self.wait();
        let stdout = said(self.stdout.take(), "standard output");
        let stderr = said(self.stderr.take(), "standard error");
        Outcome {
            status,
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }
}

/// No process outlives its test, even when that fails.
impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn said(stream: Option<Receiver<Vec<u8>>>, name: &str) -> Vec<u8> {
    stream.map_or(Vec::new(), |stream| {
        stream
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("{name} is still held open by another process"))
    })
}
