//! Roles of users.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What a user of a device may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum Role {
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
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Operator => "Operator",
            Self::Metrics => "Metrics",
            Self::Backup => "Backup",
        }
    }
}

impl Role {
    /// The role that a device names.
    pub(crate) fn from_str_exactly(text: &str) -> Result<Self, Failure> {
        Self::from_str(text, false).map_err(|_| Failure::failed("the device has an unknown role"))
    }
}
