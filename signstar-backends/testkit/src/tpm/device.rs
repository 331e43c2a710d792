//! One way to a TPM: a pseudo terminal that is opened like /dev/tpmrm0.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use nix::sys::termios::{FlushArg, SetArg, cfmakeraw, tcflush, tcgetattr, tcsetattr};

use super::command::{self, HEADER_BYTES};
use super::{Server, lock};

/// How often the far end looks whether it should end, or somebody has opened it.
const PACE: u8 = 10;

/// A command and its answer, as the bus has seen them.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the program sent.
    pub command: Vec<u8>,
    /// What it received.
    pub answer: Vec<u8>,
}

/// What a program receives.
#[derive(Debug)]
pub enum Answer {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing, for ever.
    Silence,
    /// The device is gone.
    Gone,
}

/// Somebody on the bus: gets the number of the exchange from 0, the command, and a way to ask the
/// TPM (as often as they like), and says what the program receives.
pub type Tamper = Box<dyn FnMut(usize, &[u8], &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Answer + Send>;

/// A device, which breaks when this is dropped.
pub struct Device {
    path: PathBuf,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    exchanges: Mutex<Vec<Exchange>>,
    tamper: Mutex<Option<(usize, Tamper)>>,
}

impl Device {
    pub(super) fn new(server: Arc<Mutex<Server>>) -> Self {
        // No program that the test starts may have a copy: the device could not be pulled out.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).expect("a pseudo terminal");
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(ptsname_r(&master).unwrap());
        let near = open(&path, flags, Mode::empty()).unwrap();
        let mut settings = tcgetattr(&near).unwrap();
        cfmakeraw(&mut settings);
        tcsetattr(&near, SetArg::TCSANOW, &settings).unwrap();
        let state = Arc::<State>::default();
        let far = Far {
            master,
            path: path.clone(),
            state: Arc::clone(&state),
        };
        let thread = std::thread::spawn(move || far.serve(&server));
        Self {
            path,
            state,
            thread: Some(thread),
        }
    }

    /// Its path: the device that a program opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that has crossed the bus so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.state.exchanges).clone()
    }

    /// Forgets what has crossed the bus.
    pub fn forget(&self) {
        lock(&self.state.exchanges).clear();
    }

    /// Puts somebody on the bus, who counts from now.
    pub fn tamper(
        &self,
        tamper: impl FnMut(usize, &[u8], &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Answer + Send + 'static,
    ) {
        *lock(&self.state.tamper) = Some((0, Box::new(tamper)));
    }

    /// An honest bus again.
    pub fn mend(&self) {
        *lock(&self.state.tamper) = None;
    }

    /// Pulls the device out, whoever uses it.
    pub fn remove(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The far end.
struct Far {
    master: PtyMaster,
    path: PathBuf,
    state: Arc<State>,
}

impl Far {
    fn serve(mut self, shared: &Mutex<Server>) {
        let mut lease: Option<MutexGuard<'_, Server>> = None;
        let mut is_open = false;
        while !self.state.stop.load(Ordering::SeqCst) {
            let mut polled = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            poll(&mut polled, PollTimeout::from(PACE)).unwrap();
            let events = polled[0].revents().unwrap_or(PollFlags::empty());
            if events.contains(PollFlags::POLLIN) {
                is_open = true;
                let Some(command) = self.command() else {
                    continue;
                };
                let mut server = lease.take().unwrap_or_else(|| lock(shared));
                // Whoever has not waited for the TPM to be free is gone, and somebody else is there
                // now: a device forgets what was asked by those who have closed it.
                if self.is_abandoned() {
                    continue;
                }
                match self.answer(&mut server, &command) {
                    Answer::Bytes(_) if self.is_abandoned() => {}
                    Answer::Bytes(answer) => {
                        let _ = self.master.write_all(&answer);
                        let exchange = Exchange { command, answer };
                        lock(&self.state.exchanges).push(exchange);
                    }
                    Answer::Silence => {
                        let answer = Vec::new();
                        let exchange = Exchange { command, answer };
                        lock(&self.state.exchanges).push(exchange);
                    }
                    Answer::Gone => {
                        server.flush();
                        return;
                    }
                }
                if !server.loaded().is_empty() {
                    lease = Some(server);
                }
            } else if events.contains(PollFlags::POLLHUP) {
                if is_open {
                    self.discard();
                }
                is_open = false;
                if let Some(mut server) = lease.take() {
                    server.flush();
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if let Some(mut server) = lease.take() {
            server.flush();
        }
    }

    /// Whether nobody waits for an answer: the device is closed, or open again with another command.
    fn is_abandoned(&self) -> bool {
        let mut polled = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut polled, PollTimeout::ZERO);
        polled[0].any() == Some(true)
    }

    /// A whole command, which carries its length.
    fn command(&mut self) -> Option<Vec<u8>> {
        let mut command = vec![0; HEADER_BYTES];
        self.master.read_exact(&mut command).ok()?;
        command.resize(command::length(&command).max(HEADER_BYTES), 0);
        self.master.read_exact(&mut command[HEADER_BYTES..]).ok()?;
        Some(command)
    }

    fn answer(&self, server: &mut Server, command: &[u8]) -> Answer {
        let mut broken = false;
        let mut ask = |command: &[u8]| {
            server.transmit(command).unwrap_or_else(|_| {
                broken = true;
                Vec::new()
            })
        };
        let mut tamper = lock(&self.state.tamper);
        let answer = match tamper.as_mut() {
            Some((count, tamper)) => {
                *count += 1;
                tamper(*count - 1, command, &mut ask)
            }
            None => Answer::Bytes(ask(command)),
        };
        if broken { Answer::Gone } else { answer }
    }

    /// Whoever opens the device next finds nothing of the one before.
    fn discard(&self) {
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        if let Ok(near) = open(&self.path, flags, Mode::empty()) {
            let _ = tcflush(&near, FlushArg::TCIFLUSH);
        }
    }
}
