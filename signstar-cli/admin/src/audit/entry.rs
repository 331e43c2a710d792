//! What stands in a log at one place: a record, or something that should be one.

use std::fmt;
use std::rc::Rc;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use signstar_core::{LineError, Record};

/// A place in a log: what it is called there, and the number of the line, of the entry in the
/// journal's export form; the first has number 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    #[serde(serialize_with = "text")]
    pub(crate) source: Rc<str>,
    pub(crate) number: u64,
}

fn text<S: Serializer>(text: &Rc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.number)
    }
}

/// Why there is no record where one should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// It is not exactly what is written.
    Line(LineError),
    /// The end of the line is missing, so some of it may be, too.
    Torn,
    /// It has more bytes than any line of a log.
    TooLong,
    /// It stands under the name of another program.
    OtherProgram,
    /// The journal's fields say something else than its message.
    Fields,
    /// journalctl has left the message out.
    LeftOut,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line(LineError::NotARecord) => "not a record",
            Self::Line(LineError::Version) => {
                "a record of another version: read it with the release that wrote it"
            }
            Self::Line(LineError::Malformed) => "a record that was changed or cut off",
            Self::Torn => "the end of the line is missing",
            Self::TooLong => "too long for a line of a log",
            Self::OtherProgram => "a record under the name of another program",
            Self::Fields => "the journal's fields and its message disagree",
            Self::LeftOut => "journalctl has left the message out: give it --all",
        })
    }
}

/// What stands at one place.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) found: Result<Record, Defect>,
    /// When the log has noted it, where the log says so.
    pub(crate) received: Option<SystemTime>,
    /// Whether who brought it here may bring it twice.
    pub(crate) carried: Carried,
    /// How long the machine was running then, where the log says so.
    pub(crate) uptime: Option<Uptime>,
}

/// How often a record is in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// As often as it was written.
    Once,
    /// A syslog server sends again what may not have arrived.
    Repeatedly,
}

/// A clock that nobody sets: the journal notes it beside the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Uptime {
    pub(crate) boot: Box<str>,
    pub(crate) microseconds: u64,
}
