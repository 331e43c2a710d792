//! The table `[audit]`: where records go.

use std::path::PathBuf;

use super::Table;

/// Where records go, and how long that may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The sink.
    pub sink: SinkChoice,
    /// How long it may block, in milliseconds.
    pub timeout_milliseconds: u64,
}

impl Audit {
    /// To what size the process may let a file grow, in bytes.
    pub fn file_bytes_max(&self) -> u64 {
        match self.sink {
            SinkChoice::File { bytes_max, .. } => bytes_max,
            _ => 0,
        }
    }
}

/// A sink with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkChoice {
    /// systemd-journald, by its native protocol.
    Journald {
        /// Its socket.
        socket: PathBuf,
    },
    /// A syslog server on this machine.
    Syslog {
        /// Its socket.
        socket: PathBuf,
        /// What it understands.
        format: SyslogFormat,
    },
    /// A file that is only ever appended to.
    File {
        /// The file. It must exist.
        path: PathBuf,
        /// It does not grow beyond this, in bytes.
        bytes_max: u64,
        /// Whether every record is on the disk before anything else happens.
        sync: bool,
    },
    /// Standard error, so the caller: to try things out.
    Stderr,
}

impl SinkChoice {
    /// Its name in the configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Journald { .. } => "journald",
            Self::Syslog { .. } => "syslog",
            Self::File { .. } => "file",
            Self::Stderr => "stderr",
        }
    }
}

/// Forms of a syslog message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyslogFormat {
    /// What programs on the same machine send to /dev/log.
    Local,
    /// RFC 5424.
    Rfc5424,
}

/// The sinks by name: all of them can be configured, one is used.
const SINKS: [&str; 4] = ["journald", "syslog", "file", "stderr"];

pub(super) fn read(mut table: Table<'_, '_>) -> Option<Audit> {
    let name = table.text("sink");
    let timeout_milliseconds = table.number("timeout-milliseconds", 1..=60_000, 2000);
    let journald = table.table("journald").map(read_journald);
    let syslog = table.table("syslog").map(read_syslog);
    let file = table.table("file").map(read_file);
    let sink = match name.as_deref() {
        Some("journald") => journald.unwrap_or_else(|| Some(journald_at(None))),
        Some("syslog") => syslog.unwrap_or_else(|| Some(syslog_at(None, SyslogFormat::Local))),
        Some("file") => file.unwrap_or_else(|| {
            table.problem("[audit.file] with the file's `path` is missing");
            None
        }),
        Some("stderr") => Some(SinkChoice::Stderr),
        None => None,
        Some(_) => {
            table.problem_with("sink", format_args!("must be one of: {}", SINKS.join(", ")));
            None
        }
    };
    table.finish();
    Some(Audit {
        sink: sink?,
        timeout_milliseconds,
    })
}

fn read_journald(mut table: Table<'_, '_>) -> Option<SinkChoice> {
    let socket = table.optional_path("socket");
    table.finish();
    Some(journald_at(socket))
}

fn journald_at(socket: Option<PathBuf>) -> SinkChoice {
    SinkChoice::Journald {
        socket: socket.unwrap_or_else(|| "/run/systemd/journal/socket".into()),
    }
}

fn read_syslog(mut table: Table<'_, '_>) -> Option<SinkChoice> {
    let socket = table.optional_path("socket");
    let formats = [
        ("local", SyslogFormat::Local),
        ("rfc5424", SyslogFormat::Rfc5424),
    ];
    let format = table.choice("format", &formats, SyslogFormat::Local);
    if format == SyslogFormat::Rfc5424 && socket.is_none() {
        table
            .problem("`format` rfc5424 needs a `socket`: /dev/log understands the local form only");
    }
    table.finish();
    Some(syslog_at(socket, format))
}

fn syslog_at(socket: Option<PathBuf>, format: SyslogFormat) -> SinkChoice {
    SinkChoice::Syslog {
        socket: socket.unwrap_or_else(|| "/dev/log".into()),
        format,
    }
}

fn read_file(mut table: Table<'_, '_>) -> Option<SinkChoice> {
    let path = table.path("path");
    let bytes_max = table.number("bytes-max", 1 << 20..=1 << 50, 1 << 40);
    let sync = table.flag("sync");
    table.finish();
    Some(SinkChoice::File {
        path: path?,
        bytes_max,
        sync,
    })
}
