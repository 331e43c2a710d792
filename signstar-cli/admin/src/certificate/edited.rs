//! What has changed in a certificate, or would, for people and for programs.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::Serialize;
use signstar_certificate::Change;

use crate::expiry::shown;
use crate::failure::Failure;
use crate::report::Report;

/// What a verb has changed, or would.
#[derive(Serialize)]
pub(super) struct Edited {
    pub(super) key: String,
    pub(super) fingerprint: String,
    pub(super) certificate: PathBuf,
    pub(super) changes: Vec<ShownChange>,
    /// Whose signature it took.
    pub(super) signed_by: Option<String>,
    /// The revocation that was written beside it.
    pub(super) revocation: Option<PathBuf>,
    pub(super) dry_run: bool,
}

/// A change, for programs.
#[derive(Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub(super) enum ShownChange {
    UserId {
        user_id: String,
    },
    Subkey {
        fingerprint: String,
        expires: Option<String>,
    },
    Expiry {
        fingerprint: String,
        before: Option<String>,
        after: Option<String>,
    },
    Revocation {
        fingerprint: String,
        reason: Option<&'static str>,
    },
}

impl From<&Change> for ShownChange {
    fn from(change: &Change) -> Self {
        let date = |time: &Option<SystemTime>| time.map(|time| shown(Some(time)));
        match change {
            Change::UserId { user_id } => Self::UserId {
                user_id: user_id.clone(),
            },
            Change::Subkey {
                fingerprint,
                expires,
            } => Self::Subkey {
                fingerprint: fingerprint.clone(),
                expires: date(expires),
            },
            Change::Expiry {
                fingerprint,
                before,
                after,
            } => Self::Expiry {
                fingerprint: fingerprint.clone(),
                before: date(before),
                after: date(after),
            },
            Change::Revocation {
                fingerprint,
                reason,
            } => Self::Revocation {
                fingerprint: fingerprint.clone(),
                reason: reason.map(|reason| reason.name()),
            },
        }
    }
}

impl ShownChange {
    /// For people, one line.
    pub(super) fn line(&self) -> String {
        let or_never = |time: &Option<String>| time.clone().unwrap_or_else(|| "never".to_owned());
        match self {
            Self::UserId { user_id } => format!("  user ID    {user_id}\n"),
            Self::Subkey {
                fingerprint,
                expires,
            } => format!(
                "  subkey     {fingerprint} signs data, expires {}\n",
                or_never(expires)
            ),
            Self::Expiry {
                fingerprint,
                before,
                after,
            } => format!(
                "  expiry     {fingerprint} expires {} (was: {})\n",
                or_never(after),
                or_never(before)
            ),
            Self::Revocation {
                fingerprint,
                reason,
            } => {
                let reason = reason.unwrap_or("as the file says");
                format!("  revoked    {fingerprint}: {reason}\n")
            }
        }
    }
}

impl Edited {
    /// Says it, with what to do next.
    pub(super) fn report(&self, next: &str) -> Result<Report, Failure> {
        let verb = if self.dry_run {
            "would write"
        } else {
            "written"
        };
        let mut text = format!(
            "{verb}: {}: certificate {}\n",
            self.certificate.display(),
            self.fingerprint
        );
        text.extend(self.changes.iter().map(ShownChange::line));
        if let Some(signed_by) = &self.signed_by {
            let verb = if self.dry_run { "would sign" } else { "signed" };
            text += &format!("  {verb} by {signed_by}\n");
        }
        if let Some(revocation) = &self.revocation {
            text += &format!(
                "{verb}: {}: the subkey's revocation; keep it in a safe and remove it here\n",
                revocation.display()
            );
        }
        if !self.dry_run {
            text += next;
        }
        Report::new(text, self)
    }
}
