//! `audit …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use humantime::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// List who had what signed, when and with which key
    ///
    /// One line for each request, in the order of the log. Reads the audit file, files of a syslog
    /// server, and the journal:
    ///
    /// journalctl -o export SYSLOG_IDENTIFIER=signstar | signstar-admin audit list -
    ///
    /// As JSON there is every field of every record.
    List(ListAudit),
    /// Check whether the records can be all, and are as they were written
    ///
    /// Every record is read again exactly as it was written. Reported are lines that should be records
    /// and are none, intents without an outcome, outcomes without an intent, ids that were used twice,
    /// records of one request that disagree, steps of the clock, and signatures that the counter of a
    /// device shows beside those in the records. What cannot be found stands in docs/audit.md.
    ///
    /// Give rotated logs in their order, the oldest first. Ends with status 65 if there is anything to
    /// report, 69 if that is only a device that cannot be asked.
    Check(CheckAudit),
}

/// Which records are meant.
#[derive(Debug, Default, Args)]
pub(crate) struct Which {
    /// Only the request with this id, or one that begins so, as the caller was told it
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Only of this account
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Only of this key of the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) key: Option<String>,
    /// Only of callers with this SSH key, as `ssh-keygen -l` prints its fingerprint
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) ssh_key: Option<String>,
    /// Only of the artifact with this digest, or one that begins so: of the hash that is signed with
    #[arg(long, value_name = "DIGEST")]
    pub(crate) input: Option<String>,
    /// Only from this date or time on, or from so long ago
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only until this date or time, or until so long ago
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListAudit {
    /// The logs, `-` for standard input; as configured if that is a file
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) which: Which,
}

#[derive(Debug, Args)]
pub(crate) struct CheckAudit {
    /// The logs, `-` for standard input; as configured if that is a file
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Compare with the signature counters of the devices too; run this as root
    #[arg(long)]
    pub(crate) device: bool,
    /// How far a record may be behind the one before it
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub(crate) tolerance: Duration,
    /// Report pauses that are longer than this as steps of the clock; in the journal, which has a
    /// second clock, steps are found without it
    #[arg(long, value_name = "DURATION")]
    pub(crate) forwards: Option<Duration>,
    /// How young an intent without an outcome may be to count as under way
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub(crate) running: Duration,
}
