//! Roles of a NetHSM's users.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What a user of a device may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum Role {
    /// Manages the device, or a namespace
    Administrator,
    /// Uses keys
    Operator,
    /// Reads metrics
    Metrics,
    /// Makes backups
    Backup,
}

impl Role {
    /// As the device calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Operator => "Operator",
            Self::Metrics => "Metrics",
            Self::Backup => "Backup",
        }
    }

    /// The role that a device names; `None` for one that is not known here.
    pub fn of_device(text: &str) -> Option<Self> {
        Self::from_str(text, false).ok()
    }
}
