//! The program: started, fed, watched.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use signstar_inspector::{Code, Identity, Verdict};

use crate::fresh;

/// Longer than anything here takes, also on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(240);

/// How it is built, and where cargo puts it.
const BUILD: &str =
    "cargo build --release --target x86_64-unknown-linux-musl -p signstar-inspector";
const BUILT: &str = "x86_64-unknown-linux-musl/release/signstar-inspector";

/// The release binary: that of the staged tree, or the one that was built last.
#[track_caller]
pub(crate) fn binary() -> PathBuf {
    static BINARY: LazyLock<Result<PathBuf, String>> = LazyLock::new(find);
    BINARY.clone().unwrap_or_else(|why| panic!("{why}"))
}

/// Where it is; it must have been built from the sources that are here.
fn find() -> Result<PathBuf, String> {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let (target, path, again) = match std::env::var_os("SIGNSTAR_STAGE").map(PathBuf::from) {
        Some(stage) => {
            let path = stage.join("usr/lib/signstar/signstar-inspector");
            let beside = stage.join("..");
            let target = match beside.join(BUILT).is_file() {
                true => beside,
                false => own,
            };
            (target, path, "cargo xtask test --part stage")
        }
        None => {
            let path = own.join(BUILT);
            (own, path, BUILD)
        }
    };
    if !path.is_file() {
        return Err(format!(
            "there is no release of the inspector: run `{again}`"
        ));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listed = target.join(BUILT).with_extension("d");
    let stale = |why| format!("the release of the inspector is stale ({why}): run `{again}`");
    fresh::check(&path, &listed, &root).map_err(stale)?;
    Ok(path)
}

/// One that runs, between two pipes.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    peak_kib: u64,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    /// The most memory that it had resident, as far as it was seen.
    pub(crate) peak_kib: u64,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.args(arguments);
        Self::of(command)
    }

    /// As [`Running::start`], by a command that becomes the inspector.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut stdout, stdin) = (child.stdout.take().unwrap(), child.stdin.take());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut said = Vec::new();
            stdout.read_to_end(&mut said).unwrap();
            let _ = sender.send(said);
        });
        Self {
            child,
            stdin,
            stdout: receiver,
            peak_kib: 0,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input; false where it does not read any more.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> bool {
        self.stdin.as_mut().unwrap().write_all(bytes).is_ok()
    }

    /// Waits until it has read everything and waits for more. It sleeps nowhere else.
    pub(crate) fn settle(&mut self) {
        let start = Instant::now();
        loop {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
            let state = stat[stat.rfind(')').unwrap() + 2..].chars().next();
            self.peak_kib = self.peak_kib.max(self.high_water());
            if matches!(state, Some('S' | 'Z')) {
                return;
            }
            assert!(start.elapsed() < TIME_MAX, "it does not wait for more");
            thread::yield_now();
        }
    }

    /// The kernel's own note of the most memory that was resident.
    pub(crate) fn high_water(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.map_or(0, |line| {
            line.trim().trim_end_matches(" kB").parse().unwrap()
        })
    }

    /// Nothing was answered so far, and it lives.
    #[track_caller]
    pub(crate) fn assert_silent(&self) {
        assert_eq!(self.stdout.try_recv().unwrap_err(), TryRecvError::Empty);
    }

    /// Ends its input and waits for it.
    pub(crate) fn end(mut self) -> End {
        drop(self.stdin.take());
        let stdout = self.stdout.recv_timeout(TIME_MAX).unwrap_or_else(|_| {
            let _ = self.child.kill();
            panic!("it does not end");
        });
        End {
            status: self.child.wait().unwrap(),
            stdout,
            peak_kib: self.peak_kib,
        }
    }
}

impl End {
    /// The one verdict, whole and alone.
    #[track_caller]
    pub(crate) fn verdict(&self) -> Verdict {
        assert!(self.status.success(), "{self:?}");
        let message = self.stdout.as_slice().try_into().expect("one message");
        Verdict::decode(message).unwrap()
    }

    #[track_caller]
    pub(crate) fn code(&self) -> Code {
        self.verdict().finding().expect("a refusal").code
    }

    #[track_caller]
    pub(crate) fn identity(&self) -> Identity {
        let verdict = self.verdict();
        assert_eq!(verdict.finding(), None);
        verdict.identity().unwrap().clone()
    }
}

/// Feeds everything, sees that nothing is said before the end, and ends.
#[track_caller]
pub(crate) fn run(arguments: &[&str], artifact: &[u8]) -> End {
    let mut running = Running::start(arguments);
    assert!(running.feed(artifact), "it stopped reading");
    running.settle();
    running.assert_silent();
    running.end()
}
