//! A real systemd-journald in a world, and its journal.
//!
//! As on a machine with systemd, the socket outlives the daemon: there process 1 holds it, here the
//! test does.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::PassCred;
use serde_json::Value;
use signstar_core::Record;

use crate::daemon::Daemon;
use crate::support::built::{admin, Build};
use crate::support::world::give;
use crate::support::{until, Configuration, Outcome, World};

/// Where everybody looks for it.
const SOCKET: &str = "/run/systemd/journal/socket";
const JOURNAL: &str = "/run/log/journal";
const PROGRAM: &str = "/lib/systemd/systemd-journald";

/// Has its socket as standard input, and finds it where systemd puts it.
const START: &str = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\"";

/// A world with a journal.
pub(crate) struct Machine {
    pub(crate) journald: Option<Daemon>,
    socket: UnixDatagram,
    pub(crate) world: World,
}

impl Machine {
    /// With journald as sink, which may block for so long.
    pub(crate) fn new(timeout_milliseconds: u32, settings: &str) -> Self {
        let configuration = Configuration::new().audit(&format!(
            "sink = \"journald\"\ntimeout-milliseconds = {timeout_milliseconds}"
        ));
        let world = World::configured(&configuration);
        for folder in [
            "run/systemd/journal",
            "run/systemd/journald.conf.d",
            "run/log/journal",
        ] {
            fs::create_dir_all(world.path(folder)).unwrap();
        }
        let text = format!("[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=\n{settings}\n");
        let place = "/run/systemd/journald.conf.d/test.conf";
        world.write(place, text, (0, 0), 0o644);
        let socket = world.within(|| UnixDatagram::bind(SOCKET).unwrap());
        give(&world.path(SOCKET), (0, 0), 0o666);
        // As systemd-journald.socket has it: who sends is noted by the kernel.
        setsockopt(&socket, PassCred, &true).unwrap();
        Self {
            journald: None,
            socket,
            world,
        }
    }

    pub(crate) fn start(&mut self) {
        let socket: OwnedFd = self.socket.try_clone().unwrap().into();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", START, PROGRAM])
            .env_clear()
            .env("SYSTEMD_LOG_TARGET", "null")
            .stdin(socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.journald = Some(Daemon::new(self.world.spawn(&mut command)));
    }

    /// Fills the queue of a stopped journald until only `room` more messages are taken.
    pub(crate) fn fill_queue(&self, room: usize) {
        let sender = self.world.within(|| {
            let sender = UnixDatagram::unbound().unwrap();
            sender.connect(SOCKET).unwrap();
            sender
        });
        sender.set_nonblocking(true).unwrap();
        while sender.send(b"MESSAGE=filler\n").is_ok() {}
        let mut buffer = [0; 64];
        for _ in 0..room {
            self.socket.recv(&mut buffer).unwrap();
        }
    }

    /// Runs journalctl over this journal.
    pub(crate) fn journalctl(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new("journalctl");
        command.args(["--no-pager", "-D", JOURNAL]).args(arguments);
        self.world.run(&mut command)
    }

    /// The entries of the login shell, as journalctl prints them for programs.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let outcome = self.journalctl(&["-o", "json", "SYSLOG_IDENTIFIER=signstar"]);
        // It fails as long as there is no journal.
        let text = String::from_utf8(outcome.stdout).unwrap();
        let lines = text.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The records in the journal, once there are so many.
    pub(crate) fn records(&self, count: usize) -> Vec<Record> {
        let mut records = Vec::new();
        until("the journal has the records", || {
            records = self.entries();
            records.len() >= count
        });
        assert_eq!(records.len(), count, "{records:?}");
        let read = |entry: &Value| Record::from_line(entry["MESSAGE"].as_str().unwrap()).unwrap();
        records.iter().map(read).collect()
    }

    /// What `signstar-admin audit check` says of the journal in both of its forms.
    pub(crate) fn check(&self, status: i32) -> String {
        let said = ["export", "json"].map(|form| {
            let log = self.journalctl(&["--all", "-o", form]).success();
            self.world.write("/run/journal.log", log, (0, 0), 0o644);
            let mut command = Command::new(admin(Build::Static));
            let check = ["audit", "check", "--running", "0s", "/run/journal.log"];
            let outcome = self.world.run(command.args(check));
            assert_eq!(outcome.code(), status, "{form}: {outcome:?}");
            let text = String::from_utf8(outcome.stdout).unwrap();
            // Places are counted in lines there, and in entries here.
            let without_place = |line: &str| match line.split_once(": ") {
                Some((place, text)) if place.starts_with("/run/journal.log") => text.to_owned(),
                _ => line.to_owned(),
            };
            text.lines()
                .map(without_place)
                .collect::<Vec<_>>()
                .join("\n")
        });
        assert_eq!(said[0], said[1]);
        said[0].clone()
    }
}
