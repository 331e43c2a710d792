//! A daemon in a world, and what can happen to it.

use std::process::Child;

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::support::until;

/// A running daemon; it ends with this.
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn new(child: Child) -> Self {
        Self(child)
    }

    /// Nothing of it runs until it is continued.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        let status = format!("/proc/{}/status", self.0.id());
        until("the daemon is stopped", || {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            text.contains("State:\tT")
        });
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Ends it as a service manager does.
    pub(crate) fn end(mut self) {
        self.signal(Signal::SIGTERM);
        until("the daemon ends", || self.0.try_wait().unwrap().is_some());
    }

    /// Ends it as a crash does.
    pub(crate) fn crash(self) {}

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
