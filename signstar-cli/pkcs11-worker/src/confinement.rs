//! The two steps in which such a process confines itself.

use signstar_confine::{
    ConfineError, Grants, Limits, Stage, harden_helper, limit_file_size, limit_processor,
    load_worker_filter, restrict_files_to,
};
use signstar_core::{ModuleSettings, WorkerFault as Fault};

use crate::module;

/// Those of whoever starts it are inherited and may be lower.
const LIMITS: Limits = Limits {
    open_files: 64,
    address_space_bytes: 1 << 30,
};

/// Largest file that a module may write where it may write at all: a token's database.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// First of all: not dumpable, ending with its parent, with limits.
///
/// # Errors
/// [`Fault::Confinement`], as all of them here.
pub fn harden() -> Result<(), Fault> {
    harden_helper(&LIMITS).map_err(|_| Fault::Confinement)
}

/// The first step: files, limits, and the filter under which the module is loaded.
///
/// # Errors
/// Besides, [`Fault::Grant`] and what is wrong with the module's file.
pub fn before_module(settings: &ModuleSettings) -> Result<(), Fault> {
    let paths = |list: &[String]| list.iter().map(Into::into).collect();
    let grants = Grants {
        module: module::trusted(&settings.module)?,
        read: paths(&settings.read),
        write: paths(&settings.write),
    };
    let file_bytes_max = if grants.write.is_empty() {
        0
    } else {
        FILE_BYTES_MAX
    };
    limit_file_size(file_bytes_max).map_err(|_| Fault::Confinement)?;
    limit_processor(settings.processor_seconds.into()).map_err(|_| Fault::Confinement)?;
    restrict_files_to(&grants).map_err(|error| match error {
        ConfineError::Grant(_) => Fault::Grant,
        _ => Fault::Confinement,
    })?;
    load_worker_filter(Stage::Loading).map_err(|_| Fault::Confinement)
}

/// The second step, once the module has initialised: from here on the PIN may come. A module that has been
/// hostile until then can fake it (`confine/src/worker.rs`).
///
/// # Errors
/// [`Fault::Confinement`].
pub fn before_pin() -> Result<(), Fault> {
    load_worker_filter(Stage::Signing).map_err(|_| Fault::Confinement)
}
