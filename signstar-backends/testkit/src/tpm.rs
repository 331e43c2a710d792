//! A TPM for one test: swtpm in a folder of its own, and devices of it that behave as /dev/tpmrm0.
//!
//! No kernel is needed for that: a [`Device`] is a pseudo terminal in raw mode, whose other end
//! carries whole commands to swtpm and whole answers back. It does what the kernel's resource
//! manager does for those who share a TPM, in a simpler way: who has a session or a loaded object
//! has the TPM for themselves until these are gone, and whoever closes the device loses them.
//!
//! Deliberately absent: any judgement of what a command means, and every port of the network.

mod command;
mod device;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use command::{Property, code, response_code};
pub use device::{Answer, Device, Exchange, Tamper};

/// A TPM in a fresh state, which ends when this is dropped.
pub struct Tpm {
    // In this order: the program ends before its folder goes.
    shared: Arc<Mutex<Server>>,
    _folder: TempDir,
}

impl Tpm {
    /// A new one: no owner, no key, no failed attempt.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tpm-").tempdir().unwrap();
        let server = Server::start(folder.path());
        Self {
            shared: Arc::new(Mutex::new(server)),
            _folder: folder,
        }
    }

    /// Another way to the same TPM.
    pub fn device(&self) -> Device {
        Device::new(Arc::clone(&self.shared))
    }

    /// Power off and on: what is not persistent is gone.
    pub fn restart(&self) {
        let mut server = self.server();
        server.stop();
        *server = Server::start(&server.folder.clone());
    }

    /// Power off. Every device breaks at its next command.
    pub fn stop(&self) {
        self.server().stop();
    }

    /// Sends a command past all devices.
    pub fn transmit(&self, command: &[u8]) -> Vec<u8> {
        self.server().transmit(command).expect("swtpm answers")
    }

    /// How many failed attempts the protection against guessing has counted.
    pub fn lockout_counter(&self) -> u32 {
        self.property(Property::LockoutCounter)
    }

    /// How many sessions, and how many objects, are loaded.
    pub fn loaded(&self) -> usize {
        self.server().loaded().len()
    }

    /// A variable property.
    pub fn property(&self, property: Property) -> u32 {
        command::property_of(&self.transmit(&command::get_property(property)))
    }

    /// Changes the value of a register of the SHA-256 bank.
    pub fn extend(&self, register: u32) {
        let answer = self.transmit(&command::extend(register));
        assert_eq!(response_code(&answer), 0, "extending a register");
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        lock(&self.shared)
    }
}

/// A test that failed elsewhere does not make the TPM unusable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The program, and the one connection to it.
struct Server {
    child: Child,
    stream: UnixStream,
    folder: PathBuf,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("socket");
        // What a program that was ended leaves behind.
        let _ = std::fs::remove_file(&socket);
        let _ = std::fs::remove_file(folder.join(".lock"));
        let mut child = Command::new("swtpm")
            .args(["socket", "--tpm2", "--tpmstate"])
            .arg(format!("dir={}", folder.display()))
            .arg("--server")
            .arg(format!("type=unixio,path={}", socket.display()))
            .args(["--flags", "not-need-init,startup-clear"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("swtpm starts");
        let start = Instant::now();
        let stream = loop {
            if let Ok(stream) = UnixStream::connect(&socket) {
                break stream;
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "swtpm ended: {ended:?}");
            assert!(start.elapsed() < Duration::from_secs(30), "no socket");
            std::thread::sleep(Duration::from_millis(5));
        };
        Self {
            child,
            stream,
            folder: folder.to_owned(),
        }
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        self.stream.write_all(command)?;
        let mut answer = vec![0; command::HEADER_BYTES];
        self.stream.read_exact(&mut answer)?;
        answer.resize(command::length(&answer), 0);
        self.stream
            .read_exact(&mut answer[command::HEADER_BYTES..])?;
        Ok(answer)
    }

    /// Handles of sessions and objects that somebody has loaded.
    fn loaded(&mut self) -> Vec<u32> {
        let mut handles = Vec::new();
        for kind in [command::TRANSIENT, command::LOADED_SESSION] {
            let answer = self.transmit(&command::get_handles(kind));
            handles.extend(answer.map_or(Vec::new(), |answer| command::handles_of(&answer)));
        }
        handles
    }

    fn flush(&mut self) {
        for handle in self.loaded() {
            let _ = self.transmit(&command::flush(handle));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
