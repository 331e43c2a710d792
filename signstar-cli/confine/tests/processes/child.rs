//! Children of this program: started as probes, with pipes as standard streams.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Much longer than any probe takes, also on a busy machine.
const PROBE_TIME_MAX: Duration = Duration::from_secs(20);

/// How a probe ended and what it said.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl End {
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Fails the claim unless the probe did everything it set out to do.
    pub(crate) fn expect_success(self) -> Self {
        assert!(self.status.success(), "probe failed: {self:?}");
        self
    }

    /// Fails the claim unless a step of the confinement returned an error that says this.
    pub(crate) fn expect_error(self, text: &str) -> Self {
        assert_eq!(
            self.status.code(),
            Some(crate::probes::UNCONFINED),
            "{self:?}"
        );
        assert!(self.stderr.contains(text), "expected {text:?}: {self:?}");
        self
    }
}

impl From<Output> for End {
    fn from(output: Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A probe that is ready to be started. Its standard input is an empty pipe.
pub(crate) fn probe(arguments: &[&str]) -> Command {
    with_pipes(Command::new(env::current_exe().unwrap()), arguments)
}

/// A probe started by a shell script that first does something to the process: `SCRIPT; exec …`.
pub(crate) fn probe_after(script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(format!("{script}\nexec \"$0\" \"$@\""));
    command.arg(env::current_exe().unwrap());
    with_pipes(command, arguments)
}

/// Blocks SIGALRM for what comes after. The shell cannot block signals; perl can.
pub(crate) const BLOCK_ALARM: &str = "exec perl -MPOSIX -e '\
    sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGALRM)) or die; exec @ARGV' \"$0\" \"$@\"";

fn with_pipes(mut command: Command, arguments: &[&str]) -> Command {
    command.arg("probe").args(arguments).env_clear();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a probe to its end.
pub(crate) fn end_of(command: &mut Command) -> End {
    end(command.spawn().unwrap())
}

/// Waits for a probe to end, and ends it when it does not.
pub(crate) fn end(child: Child) -> End {
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    receiver
        .recv_timeout(PROBE_TIME_MAX)
        .unwrap_or_else(|_| {
            kill(pid, Signal::SIGKILL).unwrap();
            panic!("a probe did not end");
        })
        .unwrap()
        .into()
}
