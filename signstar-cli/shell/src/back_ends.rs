//! The list of back ends, and the only file that knows which of them are compiled in.

use std::any::Any;
use std::path::Path;
use std::time::Duration;

use signstar_core::{Failure, Opened, SigningKey};

use crate::config::Table;

#[cfg(feature = "nethsm")]
pub mod nethsm;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
#[cfg(feature = "smartcard")]
pub mod smartcard;
#[cfg(feature = "software")]
pub mod software;
#[cfg(feature = "tpm")]
pub mod tpm;

/// A way of holding keys.
pub struct BackEnd {
    /// Its name in configuration, features, records and documentation.
    pub name: &'static str,
    /// What the C libraries behind it must find in the environment, instead of what the caller may
    /// have put there: names and values.
    pub environment: &'static [(&'static str, &'static str)],
    /// Reads its own table of a key, `[key.NAME.software]` say; problems are noted in the table.
    pub read: fn(Table<'_, '_>) -> Option<Box<dyn Device>>,
}

/// One configured key of a back end: what its table says. The operators' tools look at the type
/// behind it ([`Key::device_as`](crate::config::Key::device_as)).
pub trait Device: Any {
    /// Opens the device, which must hold `key` (the caller compares). Each of its answers may take
    /// `wait`, now and when it signs, and so may others that use it.
    ///
    /// # Errors
    /// The credential cannot be read or is wrong, or the device cannot be reached.
    fn open(&self, key: &SigningKey, wait: Duration) -> Result<Opened, Failure>;

    /// The files that the accounts which sign must be able to read.
    fn secrets(&self) -> Vec<&Path>;
}

/// Every back end that there is, compiled in or not.
pub(crate) const NAMES: [&str; 5] = ["nethsm", "pkcs11", "smartcard", "software", "tpm"];

/// What this binary was built with.
pub const COMPILED: &[BackEnd] = &[
    #[cfg(feature = "nethsm")]
    nethsm::BACK_END,
    #[cfg(feature = "pkcs11")]
    pkcs11::BACK_END,
    #[cfg(feature = "smartcard")]
    smartcard::BACK_END,
    #[cfg(feature = "software")]
    software::BACK_END,
    #[cfg(feature = "tpm")]
    tpm::BACK_END,
];

/// Why there is no such back end here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBackEnd {
    /// This binary was built without it.
    #[error("needs a build of signstar with the feature `{0}`")]
    NotCompiled(&'static str),
    /// There is no such back end.
    #[error("must be one of: {}", NAMES.join(", "))]
    Unknown,
}

/// The back end `name`.
///
/// # Errors
/// It is unknown or not compiled in.
pub fn named(name: &str) -> Result<&'static BackEnd, NoBackEnd> {
    let Some(known) = NAMES.into_iter().find(|known| *known == name) else {
        return Err(NoBackEnd::Unknown);
    };
    COMPILED
        .iter()
        .find(|back_end| back_end.name == name)
        .ok_or(NoBackEnd::NotCompiled(known))
}

/// Sets what the C libraries behind the back ends must find in the environment. To be called first,
/// while the process has one thread.
pub fn set_environment() {
    for (name, value) in COMPILED.iter().flat_map(|back_end| back_end.environment) {
        std::env::set_var(name, value);
    }
}
