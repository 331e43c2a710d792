//! What the tests here have in common: assertions about an end, and places to wait at.

use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use signstar_core::{Event, Field, Record, Refusal};

use crate::support::{until, Configuration, Outcome, Running, Shell, World};

/// An artifact. Nothing of it may be seen anywhere.
pub(crate) const INPUT: &[u8] = b"ARTIFACT-THAT-NOBODY-ECHOES\n";

/// Asserts that nothing came out but one sentence, and returns the request's id from it.
#[track_caller]
pub(crate) fn assert_refused(outcome: &Outcome, refusal: Refusal) -> String {
    assert_eq!(outcome.stdout, b"", "{outcome:?}");
    assert_eq!(
        outcome.code(),
        i32::from(refusal.exit_status()),
        "{outcome:?}"
    );
    let before = format!(
        "signstar: {} (code {}, request ",
        refusal.sentence(),
        refusal.code()
    );
    let said = outcome.stderr.strip_prefix(before.as_str());
    let id = said.and_then(|rest| rest.strip_suffix(")\n"));
    let id = id.unwrap_or_else(|| panic!("another sentence: {outcome:?}"));
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    assert!(id.len() == 32 && id.as_bytes().iter().all(is_digit), "{id}");
    id.to_owned()
}

/// Asserts in addition that exactly this refusal stands in the audit log, and empties that.
#[track_caller]
pub(crate) fn assert_refused_and_recorded(
    world: &World,
    outcome: &Outcome,
    refusal: Refusal,
) -> Record {
    let id = assert_refused(outcome, refusal);
    let [record] = <[Record; 1]>::try_from(world.audit()).expect("one record");
    assert_eq!(record.event, Event::Refusal);
    assert_eq!(record.id.to_string(), id);
    assert_eq!(record.get(Field::Code), Some(refusal.code()));
    assert_eq!(record.get(Field::Verdict), Some("refused"));
    assert_eq!(record.get(Field::Signature), None);
    world.forget();
    record
}

/// Asserts that a signature came out, and nothing on standard error.
#[track_caller]
pub(crate) fn assert_signed(outcome: &Outcome) {
    assert_eq!((outcome.code(), outcome.stderr.as_str()), (0, ""));
    assert!(matches!(outcome.stdout.first(), Some(0x88 | 0x89 | 0xc2)));
}

/// The events of the audit log.
pub(crate) fn events(world: &World) -> Vec<Event> {
    world.audit().iter().map(|record| record.event).collect()
}

/// Runs a shell that has its whole input before it starts, and asserts that it takes none of it.
#[track_caller]
pub(crate) fn run_unread(shell: Shell<'_>) -> Outcome {
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(INPUT).expect("room in the pipe");
    drop(writer);
    let stdin: OwnedFd = reader.try_clone().expect("a copy").into();
    let outcome = shell.stdin(stdin).start().outcome();
    let mut left = Vec::new();
    reader.read_to_end(&mut left).expect("the rest");
    assert_eq!(left, INPUT, "input was read: {outcome:?}");
    outcome
}

/// Waits until the process waits in this system call.
pub(crate) fn until_waiting_in(running: &Running, number: u32) {
    until_process_waits_in(running.id(), number);
}

/// [`until_waiting_in`] for any process.
pub(crate) fn until_process_waits_in(id: u32, number: u32) {
    let path = format!("/proc/{id}/syscall");
    until("the process waits in the system call", || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let current = text.split(' ').next().and_then(|word| word.parse().ok());
        // A wait that was interrupted by a stop goes on by another number.
        current == Some(number) || current == Some(RESTART) && number == POLL
    });
}

/// Numbers of system calls on x86_64.
pub(crate) const WRITE: u32 = 1;
pub(crate) const POLL: u32 = 7;
const RESTART: u32 = 219;

/// A socket of the world's log, which nobody reads unless the test does.
pub(crate) struct LogSocket {
    pub(crate) server: UnixDatagram,
}

/// Its place inside.
pub(crate) const LOG_SOCKET: &str = "/run/log.socket";

impl LogSocket {
    /// Bound, and writable by everybody as those of journald and syslog are.
    pub(crate) fn bind(world: &World) -> Self {
        let server = world.within(|| {
            let _ = std::fs::remove_file(LOG_SOCKET);
            UnixDatagram::bind(LOG_SOCKET).expect("a socket")
        });
        crate::support::world::give(&world.path(LOG_SOCKET), (0, 0), 0o666);
        server.set_nonblocking(true).expect("a mode");
        Self { server }
    }

    /// Takes what has arrived.
    pub(crate) fn received(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let mut buffer = vec![0; 65_536];
        while let Ok(length) = self.server.recv(&mut buffer) {
            messages.push(buffer[..length].to_vec());
        }
        messages
    }

    /// Fills the queue until only `room` more messages are taken.
    pub(crate) fn fill(&self, world: &World, room: usize) {
        let sender = world.within(|| {
            let sender = UnixDatagram::unbound().expect("a socket");
            sender.connect(LOG_SOCKET).expect("the log's socket");
            sender
        });
        sender.set_nonblocking(true).expect("a mode");
        while sender.send(FILLER).is_ok() {}
        for _ in 0..room {
            let mut buffer = [0; 16];
            self.server.recv(&mut buffer).expect("a filler");
        }
    }
}

/// What fills queues and pipes.
pub(crate) const FILLER: &[u8] = b"filler";

/// A way to configure a socket as sink.
pub(crate) const SOCKET_SINKS: [(&str, &str); 3] = [
    ("journald", "[audit.journald]\n"),
    ("syslog", "[audit.syslog]\n"),
    ("syslog", "[audit.syslog]\nformat = \"rfc5424\"\n"),
];

/// A configuration whose records go to [`LOG_SOCKET`].
pub(crate) fn to_socket((sink, table): (&str, &str), timeout_milliseconds: u32) -> Configuration {
    Configuration::new().audit(&format!(
        "sink = \"{sink}\"\ntimeout-milliseconds = {timeout_milliseconds}\n{table}\
         socket = \"{LOG_SOCKET}\"\n"
    ))
}

/// Writes to a pipe until it is full.
pub(crate) fn fill_pipe(writer: &std::io::PipeWriter) -> usize {
    let set = |flags| {
        nix::fcntl::fcntl(writer.as_fd(), nix::fcntl::FcntlArg::F_SETFL(flags)).expect("a mode")
    };
    set(nix::fcntl::OFlag::O_NONBLOCK);
    let mut total = 0;
    for chunk in [4096, 1] {
        while let Ok(count) = nix::unistd::write(writer.as_fd(), &vec![b'.'; chunk]) {
            total += count;
        }
    }
    // The mode is the pipe's, not ours alone: the login shell gets an ordinary one.
    set(nix::fcntl::OFlag::empty());
    total
}
