//! The vendor's module: whether it can be trusted, and loading it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use signstar_confine::changeable_folder;
use signstar_core::WorkerFault as Fault;

use crate::fault;

/// Bits of a mode: written by the group or by others.
const WRITABLE: u32 = 0o022;

/// The file that `path` leads to, when nobody but root can change or replace it.
///
/// # Errors
/// [`Fault::ModuleMissing`], [`Fault::ModuleChangeable`].
pub fn trusted(path: &str) -> Result<PathBuf, Fault> {
    let path = Path::new(path);
    if !path.is_absolute() {
        return Err(Fault::ModuleMissing);
    }
    // Links are followed: distributions have one here. Only root can change them, see below.
    let file = fs::canonicalize(path).map_err(|_| Fault::ModuleMissing)?;
    for way in [path, &file] {
        match changeable_folder(way) {
            Ok(None) => {}
            Ok(Some(_)) => return Err(Fault::ModuleChangeable),
            Err(_) => return Err(Fault::ModuleMissing),
        }
    }
    let metadata = fs::metadata(&file).map_err(|_| Fault::ModuleMissing)?;
    if !metadata.is_file() {
        return Err(Fault::ModuleMissing);
    }
    if metadata.uid() != 0 || metadata.mode() & WRITABLE != 0 {
        return Err(Fault::ModuleChangeable);
    }
    Ok(file)
}

/// Loads the module and has it initialise. Foreign code runs from here on.
///
/// # Errors
/// Those of [`trusted`], [`Fault::ModuleLoad`], [`Fault::ModuleInitialize`].
pub fn load(path: &str) -> Result<Pkcs11, Fault> {
    let file = trusted(path)?;
    let library = Pkcs11::new(file).map_err(|_| Fault::ModuleLoad)?;
    let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    match library.initialize(arguments) {
        Ok(()) => Ok(library),
        Err(error) => Err(fault::of(&error, Fault::ModuleInitialize)),
    }
}
