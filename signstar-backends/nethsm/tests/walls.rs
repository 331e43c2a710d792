//! What a process that was taken over can do with the sockets: each attempt works unconfined, and under
//! Landlock and filter with this back end's reach only connecting to its devices' ports does.
//!
//! Processes that confine themselves need a main thread of their own, which the test harness has not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

use std::net::{SocketAddrV4, TcpListener};
use std::os::fd::RawFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockaddrIn, connect, recv, send, sendto};
use signstar_confine::{OpenFds, load_filter, restrict_files_and_network, rule, shell_rules};
use signstar_core::Reach;
use signstar_nethsm::client::Trust;
use signstar_nethsm::{Device, Order, Settings};
use signstar_testkit::nethsm::{NetHsm, PASSPHRASE, credentials};

const NAME: &str = "only_the_ports_of_devices_are_reached_by_whatever_call";
/// Set for a process that makes one attempt: which, confined or not, and all that it must know.
const ATTEMPT: &str = "SIGNSTAR_TEST_ATTEMPT";
/// How a process ends whose attempt the kernel has answered with an error.
const REFUSED: i32 = 10;
/// `MSG_FASTOPEN`: sendto(2) connects, too.
const FAST_OPEN: MsgFlags = MsgFlags::from_bits_retain(0x2000_0000);

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Worked,
    Refused,
    Killed,
}

impl Outcome {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(0), _) => Self::Worked,
            (Some(REFUSED), _) => Self::Refused,
            (_, Some(signal)) if signal == nix::libc::SIGSYS => Self::Killed,
            _ => panic!("{status:?}"),
        }
    }
}

/// What one attempt needs.
struct Scene {
    key: String,
    operator: String,
    device: String,
    fingerprint: String,
    /// The ports of a device that was not asked yet, and of somebody else.
    granted: u16,
    other: u16,
}

impl Scene {
    fn told(&self) -> String {
        let texts = [&self.key, &self.operator, &self.device, &self.fingerprint];
        let texts = texts.map(String::as_str).join(" ");
        format!("{texts} {} {}", self.granted, self.other)
    }

    fn settings(&self) -> Settings {
        let device = |label: &str, address: &str| Device {
            label: label.to_owned(),
            address: address.parse().unwrap(),
            name: None,
            trust: Trust::Pin(self.fingerprint.parse().unwrap()),
        };
        let second = format!("https://127.0.0.1:{}/api/v1", self.granted);
        Settings {
            key: self.key.clone(),
            devices: vec![device("first", &self.device), device("second", &second)],
            credentials: credentials(&self.operator, PASSPHRASE),
            order: Order::Listed,
            connect_wait: Duration::from_secs(5),
            wait: Duration::from_secs(10),
        }
    }
}

/// Opens the key, takes the defence, makes the attempt, and says by its end what came of it.
fn attempt(told: &str) -> ! {
    let words: Vec<&str> = told.split(' ').collect();
    let [
        what,
        port,
        defence,
        key,
        operator,
        device,
        fingerprint,
        granted,
        other,
    ] = words[..]
    else {
        panic!("{words:?}");
    };
    let scene = Scene {
        key: key.to_owned(),
        operator: operator.to_owned(),
        device: device.to_owned(),
        fingerprint: fingerprint.to_owned(),
        granted: granted.parse().unwrap(),
        other: other.parse().unwrap(),
    };
    // Its sockets are never closed.
    let reach = signstar_nethsm::open(&scene.settings()).unwrap().reach;
    let unused = reach.rules.iter().find(|rule| rule.syscall == "connect");
    let socket = RawFd::try_from(unused.unwrap().equals[0].1).unwrap();
    let port = match port {
        "granted" => scene.granted,
        _ => scene.other,
    };
    let address = SockaddrIn::from(SocketAddrV4::new([127, 0, 0, 1].into(), port));
    if defence == "confined" {
        confine(&reach);
    }
    let quiet = MsgFlags::MSG_NOSIGNAL;
    let outcome = match what {
        "connect" => connect(socket, &address),
        "fast-open" => sendto(socket, b"secret", &address, FAST_OPEN | quiet).map(drop),
        "address" => sendto(socket, b"secret", &address, quiet).map(drop),
        "urgent" => {
            begun(connect(socket, &address)).unwrap();
            loop {
                match send(socket, b"s", MsgFlags::MSG_OOB | quiet) {
                    Err(Errno::EAGAIN) => {}
                    outcome => break outcome.map(drop),
                }
            }
        }
        _ => {
            begun(connect(socket, &address)).unwrap();
            recv(socket, &mut [0], MsgFlags::MSG_PEEK).map(drop)
        }
    };
    match begun(outcome) {
        Ok(()) => std::process::exit(0),
        Err(_) => std::process::exit(REFUSED),
    }
}

/// The sockets do not block.
fn begun(outcome: nix::Result<()>) -> nix::Result<()> {
    match outcome {
        Err(Errno::EINPROGRESS) => Ok(()),
        outcome => outcome,
    }
}

/// As the login shell does.
fn confine(reach: &Reach) {
    let mut rules = shell_rules(&OpenFds::default()).unwrap();
    for needed in &reach.rules {
        rules.push(rule(needed.syscall, &needed.equals, needed.reason).unwrap());
    }
    restrict_files_and_network(&reach.tcp_ports).unwrap();
    load_filter(&rules).unwrap();
}

/// Whether somebody has connected, whether or not they are still there.
fn reached(listener: &TcpListener) -> bool {
    let mut found = false;
    while listener.accept().is_ok() {
        found = true;
    }
    found
}

fn main() {
    if let Ok(told) = std::env::var(ATTEMPT) {
        attempt(&told);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let listed = arguments.iter().any(|argument| argument == "--list");
    let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
    match (listed, words.all(|word| NAME.contains(word.as_str()))) {
        (true, _) => println!("{NAME}: test"),
        (false, false) => println!("\ntest result: ok. 0 passed; 0 failed\n"),
        (false, true) => {
            only_the_ports_of_devices_are_reached_by_whatever_call();
            println!("test {NAME} ... ok\n\ntest result: ok. 1 passed; 0 failed\n");
        }
    }
}

fn only_the_ports_of_devices_are_reached_by_whatever_call() {
    let device = NetHsm::simulated();
    let key = device.generate("ed25519");
    let listening = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    };
    let ((mine, granted), (theirs, other)) = (listening(), listening());
    let scene = Scene {
        key,
        operator: device.operator.clone(),
        device: device.address().to_string(),
        fingerprint: device.fingerprint(),
        granted,
        other,
    };
    let tried = |what: &str, port: &str, defence: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(ATTEMPT, format!("{what} {port} {defence} {}", scene.told()));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "", "{what} {port} {defence}: {:?}", output.status);
        let arrived = match port {
            "granted" => reached(&mine),
            _ => reached(&theirs),
        };
        (Outcome::of(output.status), arrived)
    };
    use Outcome::{Killed, Refused, Worked};
    for (what, port, unconfined, confined) in [
        ("connect", "granted", (Worked, true), (Worked, true)),
        ("connect", "other", (Worked, true), (Refused, false)),
        ("fast-open", "other", (Worked, true), (Killed, false)),
        ("fast-open", "granted", (Worked, true), (Killed, false)),
        ("address", "other", (Refused, false), (Killed, false)),
        ("urgent", "granted", (Worked, true), (Killed, true)),
        ("peek", "granted", (Refused, true), (Killed, true)),
    ] {
        assert_eq!(tried(what, port, "open"), unconfined, "{what} {port}");
        assert_eq!(tried(what, port, "confined"), confined, "{what} {port}");
    }
}
