//! Ending processes in the middle of an upload.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use signstar_core::{Event, Field, HashAlgorithm, Hasher};

use super::sshd::Client;
use super::traces::processes;
use super::world::SIGNER;
use super::{until, Outcome, Running, Sshd, World};

/// What is uploaded: more than pipes and windows of the protocol hold at once.
pub(crate) const ARTIFACT_BYTES: usize = 300_000;

/// Ends the process `id` at once.
pub(crate) fn kill_now(id: u32) {
    let id = i32::try_from(id).expect("a process number");
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
}

/// The processes below `id`, with their owners.
pub(crate) fn descendants(id: u32) -> Vec<(u32, u32)> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let mut found = Vec::new();
    for child in children
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
    {
        let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        let owner = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        found.extend(owner.map(|owner| (child, owner)));
        found.extend(descendants(child));
    }
    found
}

/// Ends the processes of all sessions that are below `sshd` (not what they started).
pub(crate) fn kill_sessions(sshd: &Sshd<'_>) {
    for (id, owner) in descendants(sshd.id()) {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        if owner == SIGNER.id && name.trim_end() == "sshd" {
            kill_now(id);
        }
    }
}

/// A number below `limit` that nobody knows beforehand.
pub(crate) fn random(limit: usize) -> usize {
    let number = getrandom::u64().expect("randomness");
    usize::try_from(number % u64::try_from(limit).expect("small")).expect("small")
}

/// An upload of which a part has been sent.
pub(crate) struct Upload {
    pub(crate) client: Running,
    pub(crate) sent: usize,
    pub(crate) declared: bool,
}

impl Upload {
    /// Starts an upload and sends a random part, never all of it. In half of the cases it waits
    /// for the login shell to be there.
    pub(crate) fn start(world: &World, client: &Client<'_>, declared: bool) -> Self {
        let artifact = artifact();
        let mut command = client.ssh(&["signer"]);
        if declared {
            command.arg(declaration(&artifact));
        }
        let mut running = client.start(&mut command);
        let sent = random(artifact.len());
        let mut stdin = running.stdin.take().expect("a pipe");
        stdin.write_all(&artifact[..sent]).expect("ssh takes it");
        running.stdin = Some(stdin);
        if random(2) == 0 {
            super::traces::until_process(world, "signstar");
        }
        Self {
            client: running,
            sent,
            declared,
        }
    }

    /// Sends what is missing.
    pub(crate) fn send_rest(&mut self) {
        let sent = self.sent;
        self.client.send(&artifact()[sent..]);
    }

    /// An upload whose bytes come from a program before `ssh`, which sends a part and then waits.
    pub(crate) fn through_pipe(client: &Client<'_>, declared: bool) -> (Self, Child) {
        let artifact = artifact();
        let sent = random(artifact.len());
        let file = client.path("artifact");
        fs::write(&file, &artifact).expect("an artifact");
        let mut producer = client.program("sh");
        producer.args(["-c", "head -c \"$1\" \"$2\"; exec cat", "producer"]);
        producer.arg(sent.to_string()).arg(&file);
        producer.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut producer = client.world().spawn(&mut producer);
        let mut command = client.ssh(&["signer"]);
        if declared {
            command.arg(declaration(&artifact));
        }
        command.stdin(producer.stdout.take().expect("a pipe"));
        let running = Running::start(client.world(), &mut command, [false, true, true]);
        let upload = Self {
            client: running,
            sent,
            declared,
        };
        (upload, producer)
    }
}

/// What an upload came to.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    /// Codes of refusals, and names of other events.
    pub(crate) events: Vec<String>,
    /// What the last record says about the length.
    pub(crate) bytes: Option<String>,
}

/// The processes of a world, by number.
pub(crate) type Idle = BTreeMap<u32, String>;

/// Waits until client and session have ended, so that no process is there beside those of `idle`;
/// takes the records.
pub(crate) fn ending(world: &World, idle: &Idle, upload: Upload) -> Ending {
    let outcome = upload.client.outcome();
    until("the session has ended", || {
        processes(world)
            .keys()
            .all(|number| idle.contains_key(number))
    });
    let records = world.audit();
    world.forget();
    let name = |record: &signstar_core::Record| match record.event {
        Event::Refusal => record.get(Field::Code).unwrap_or_default().to_owned(),
        event => event.name().to_owned(),
    };
    Ending {
        outcome,
        events: records.iter().map(name).collect(),
        bytes: records
            .last()
            .and_then(|record| record.get(Field::Bytes).map(str::to_owned)),
    }
}

/// Waits until `sshd` has no connection any more.
pub(crate) fn until_idle(sshd: &Sshd<'_>) {
    until("all connections have ended", || {
        descendants(sshd.id()).is_empty()
    });
}

fn artifact() -> Vec<u8> {
    (0..ARTIFACT_BYTES)
        .map(|index| u8::try_from(index % 251).expect("small"))
        .collect()
}

fn declaration(artifact: &[u8]) -> String {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(artifact).expect("within the bound");
    let digest = hasher.finish().to_string().replace("sha512:", "sha512=");
    format!("sign v1 size={} {digest}", artifact.len())
}
