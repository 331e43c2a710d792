//! Whether records can be written by those who sign.
//!
//! Nothing is written to find out.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::statvfs::statvfs;
use signstar::config::{Audit, SinkChoice};
use signstar::sink::OpenSink;
use signstar::trusted_file::describe;

use super::{Check, State};
use crate::account::{account, groups_of};
use crate::settings::Settings;

/// Room for some thousand records: with less, somebody must act today.
const FREE_BYTES_MIN: u64 = 16 << 20;

/// Where journald stores what it takes.
const JOURNALS: [&str; 2] = ["/run/log/journal", "/var/log/journal"];

const NAME: &str = "sink";

pub(super) fn check(settings: &Settings) -> Check {
    let audit = &settings.config.audit;
    if let SinkChoice::Stderr = audit.sink {
        let text = "records go to standard error, so to the caller: that is for trials";
        return Check::new(NAME, State::Warning, text);
    }
    if let Err(error) = OpenSink::open(audit) {
        return Check::new(NAME, State::Critical, error);
    }
    let path = match &audit.sink {
        SinkChoice::Journald { socket } | SinkChoice::Syslog { socket, .. } => socket,
        SinkChoice::File { path, .. } => path,
        SinkChoice::Stderr => return Check::new(NAME, State::Ok, ""),
    };
    // Root can write where an account cannot.
    for user in settings.config.users.keys() {
        if let Some(text) = problem_of(user, path) {
            return Check::new(NAME, State::Critical, text);
        }
    }
    match &audit.sink {
        SinkChoice::File { bytes_max, .. } => file(path, *bytes_max),
        SinkChoice::Journald { .. } => match journal() {
            Ok(()) => socket(path, audit),
            Err(check) => check,
        },
        _ => socket(path, audit),
    }
}

/// Why `user` cannot write to `path`.
fn problem_of(user: &str, path: &Path) -> Option<String> {
    let shown = path.display();
    let file = match fs::metadata(path) {
        Ok(file) => file,
        Err(error) => return Some(format!("{shown}: {}", describe(&error))),
    };
    if file.mode() & 0o002 != 0 {
        return None;
    }
    let groups = match account(user) {
        Ok(Some(account)) => groups_of(user, &account).unwrap_or_default(),
        _ => Vec::new(),
    };
    let writable = file.mode() & 0o020 != 0 && groups.contains(&file.gid());
    (!writable).then(|| format!("{shown} must be writable by the group of {user}"))
}

/// How many bytes an account can still write there.
fn free(path: &Path) -> Result<u64, Check> {
    match statvfs(path) {
        Ok(status) => Ok(status
            .blocks_available()
            .saturating_mul(status.fragment_size())),
        Err(error) => {
            let text = format!("{}: {}", path.display(), error.desc().to_lowercase());
            Err(Check::new(NAME, State::Unknown, text))
        }
    }
}

fn nearly_full(path: &Path, free: u64) -> Check {
    let shown = path.display();
    let text = format!("{shown}: its disk is nearly full: {free} bytes left");
    Check::new(NAME, State::Critical, text).measuring("free_bytes", free)
}

/// journald takes records that it then cannot store, and tells nobody.
fn journal() -> Result<(), Check> {
    for folder in JOURNALS.map(Path::new) {
        if folder.is_dir() {
            let free = free(folder)?;
            if free < FREE_BYTES_MIN {
                return Err(nearly_full(folder, free));
            }
        }
    }
    Ok(())
}

fn file(path: &Path, bytes_max: u64) -> Check {
    let shown = path.display();
    let free = match free(path) {
        Ok(free) => free,
        Err(check) => return check,
    };
    if free < FREE_BYTES_MIN {
        return nearly_full(path, free);
    }
    let length = fs::metadata(path).map_or(0, |file| file.len());
    let left = bytes_max.saturating_sub(length);
    let (state, text) = if left < FREE_BYTES_MIN.min(bytes_max / 10) {
        let text =
            format!("{shown} is nearly as large as it may get ({bytes_max} bytes): rotate it");
        (State::Warning, text)
    } else {
        (State::Ok, format!("{shown} takes records"))
    };
    Check::new(NAME, state, text).measuring("free_bytes", free.min(left))
}

/// Whether there is room in its queue.
fn socket(path: &Path, audit: &Audit) -> Check {
    let shown = path.display();
    let connected = UnixDatagram::unbound().and_then(|socket| {
        socket.connect(path)?;
        Ok(socket)
    });
    let socket = match connected {
        Ok(socket) => socket,
        Err(error) => {
            return Check::new(
                NAME,
                State::Critical,
                format!("{shown}: {}", describe(&error)),
            );
        }
    };
    let timeout = Duration::from_millis(audit.timeout_milliseconds);
    let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
    let mut polled = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    match poll(&mut polled, timeout) {
        Ok(1..) => Check::new(NAME, State::Ok, format!("{shown} takes records")),
        _ => {
            let text = format!("{shown}: its queue is full, nobody reads it");
            Check::new(NAME, State::Critical, text)
        }
    }
}
