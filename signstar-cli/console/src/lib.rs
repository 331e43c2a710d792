//! What `signstar-admin` and `nethsm-cli` have in common: they serve an operator at a console.
//!
//! [`terminal`] asks, [`secret`] says where a passphrase comes from, [`new_file`] writes files that are
//! there as a whole or not at all, [`profile`] is the file with the operator's NetHSMs, which both
//! tools read and `nethsm-cli` writes, [`handed`] gives a passphrase to another program, and [`kept`] is the OpenPGP certificate that a NetHSM keeps with a key.
//!
//! # What is deliberately absent
//! Exit statuses, reports and logs, in which the tools differ; the configuration of the login shell, and
//! everything that it uses: it is built without this crate.

mod error;
pub mod handed;
pub mod kept;
pub mod new_file;
pub mod profile;
pub mod role;
pub mod secret;
pub mod terminal;

pub use error::ConsoleError;
