//! The vendor's module: whether it can be trusted, and loading it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use signstar_core::WorkerFault as Fault;

use crate::fault;

/// Bits of a mode: written by the group or by others, and only by their owner renamed or removed.
const WRITABLE: u32 = 0o022;
const STICKY: u32 = 0o1000;

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
    safe_folders(path)?;
    let file = fs::canonicalize(path).map_err(|_| Fault::ModuleMissing)?;
    safe_folders(&file)?;
    let metadata = fs::metadata(&file).map_err(|_| Fault::ModuleMissing)?;
    if !metadata.is_file() {
        return Err(Fault::ModuleMissing);
    }
    if metadata.uid() != 0 || metadata.mode() & WRITABLE != 0 {
        return Err(Fault::ModuleChangeable);
    }
    Ok(file)
}

/// The folder that holds `path` is root's alone, and those above it let nobody else replace it.
fn safe_folders(path: &Path) -> Result<(), Fault> {
    for (height, folder) in path.ancestors().skip(1).enumerate() {
        let metadata = fs::metadata(folder).map_err(|_| Fault::ModuleMissing)?;
        let sticky = height > 0 && metadata.mode() & STICKY != 0;
        if metadata.uid() != 0 || metadata.mode() & WRITABLE != 0 && !sticky {
            return Err(Fault::ModuleChangeable);
        }
    }
    Ok(())
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
