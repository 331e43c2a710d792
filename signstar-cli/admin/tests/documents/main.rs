//! What the documentation tells infrastructure teams to do, done: the commands of its pages are run as
//! they stand, on machines that have nothing of Signstar before.
//!
//! `site` is those machines, `page` reads pages, and each page has a module that says where its
//! sections are run. A section that nobody runs is an error, and so is one that cannot be run here
//! and does not say why in that module's table: of it, every command line is at least one that
//! `signstar-admin` takes or the shell can read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod clients;
mod command_lines;
mod deploy;
mod migration;
mod monitoring;
mod nethsm;
mod page;
mod promises;
mod runbooks;
mod site;
