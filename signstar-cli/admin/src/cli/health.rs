//! `health`

use std::path::PathBuf;

use clap::Args;
use humantime::Duration;

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// A log to look for intents without an outcome in, `-` for standard input; as configured if
    /// that is a file
    #[arg(long, value_name = "LOG")]
    pub(crate) log: Vec<PathBuf>,
    /// How young an intent without an outcome may be to count as under way
    #[arg(long, value_name = "DURATION", default_value = "2m")]
    pub(crate) running: Duration,
    /// Only look at records from this date or time on, or from so long ago
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Warn when a certificate has fewer days left
    #[arg(long, value_name = "DAYS", default_value = "30")]
    pub(crate) days_warning: u32,
    /// Fewer days are critical
    #[arg(long, value_name = "DAYS", default_value = "7")]
    pub(crate) days_critical: u32,
    /// Write metrics for the textfile collector of Prometheus to this file, which is there as a whole
    /// or not at all; `-` writes them to standard output, instead of the line
    #[arg(long, value_name = "FILE")]
    pub(crate) prometheus: Option<PathBuf>,
}
