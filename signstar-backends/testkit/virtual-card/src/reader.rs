//! A real pcscd with the virtual readers of vpcd, and cards put into them.
//!
//! pcscd's socket has a fixed path and vpcd listens on all interfaces at a fixed port, so both are
//! started in mount and network namespaces of the test's own, which the caller provides.

use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::VirtualCard;

/// Where the first of vpcd's two readers listens; the second is next to it.
pub const PORT: u16 = 35963;

/// Whatever a test waits for must happen within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running pcscd. It ends, by its process id, when this is dropped.
#[derive(Debug)]
pub struct Pcscd {
    child: Child,
    folder: PathBuf,
}

impl Pcscd {
    /// Starts one by `spawn`, in whose namespaces it then runs. Seen from here its `/run` is `run`.
    pub fn start(run: &Path, spawn: impl FnOnce(&mut Command) -> Child) -> Self {
        let folder = run.join("pcscd");
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut command = Command::new("/usr/sbin/pcscd");
        command
            .args(["--foreground", "--critical"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut started = Self {
            child: spawn(&mut command),
            folder,
        };
        let socket = started.folder.join("pcscd.comm");
        until("pcscd listens", || {
            let ended = started.child.try_wait().expect("its status");
            assert_eq!(ended, None, "pcscd ended (package pcscd)");
            socket.exists()
        });
        started
    }

    /// Ends it as a crash does.
    pub fn kill(self) {}
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The next one takes a socket for that of a living one.
        for name in ["pcscd.comm", "pcscd.pid"] {
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }
}

/// An empty reader of vpcd's, at `port`. To be called in the network namespace of pcscd.
pub fn slot(port: u16) -> TcpStream {
    let mut connected = None;
    until("vpcd listens (package vsmartcard-vpcd)", || {
        connected = TcpStream::connect(("127.0.0.1", port)).ok();
        connected.is_some()
    });
    connected.expect("it is connected")
}

/// A card in a reader. It is taken out when this is dropped.
#[derive(Debug)]
pub struct Inserted {
    stream: TcpStream,
    thread: Option<JoinHandle<VirtualCard>>,
}

impl Inserted {
    /// Puts `card` into the reader that [`slot`] has found.
    pub fn new(mut card: VirtualCard, stream: TcpStream) -> Self {
        let connection = vpicc::Connection::from(stream.try_clone().expect("a descriptor"));
        let thread = std::thread::spawn(move || {
            // Ends when the card is taken out, or pcscd ends.
            let _ = connection.run(&mut card);
            card
        });
        Self {
            stream,
            thread: Some(thread),
        }
    }

    /// Takes the card out.
    pub fn take(mut self) -> VirtualCard {
        let thread = self.end().expect("it was not taken out");
        thread.join().expect("the card is still there")
    }

    fn end(&mut self) -> Option<JoinHandle<VirtualCard>> {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.thread.take()
    }
}

impl Drop for Inserted {
    fn drop(&mut self) {
        if let Some(thread) = self.end() {
            let _ = thread.join();
        }
    }
}

/// Waits until `condition` holds.
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
