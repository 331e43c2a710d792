//! Landlock for the process with a vendor's module: what the configuration grants, what the dynamic
//! loader needs, and nothing else.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    AccessFs, BitFlags, PathBeneath, PathFd, RulesetCreated, RulesetCreatedAttr, RulesetStatus,
};

use crate::ruleset::{Restriction, newest};
use crate::{ConfineError, status};

/// Where the dynamic loader looks, unless a library says otherwise. Not listed, only opened.
const LIBRARIES: [&str; 5] = [
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];

/// What a module may do with files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The module itself.
    pub module: PathBuf,
    /// Files that may be read, and folders with all that is in them.
    pub read: Vec<PathBuf>,
    /// Files that may be read and written, and folders in which files may be made and removed too.
    pub write: Vec<PathBuf>,
}

/// Takes away every right over files but `grants` and reading shared libraries, and all of TCP.
///
/// # Errors
/// [`ConfineError::Grant`] when a granted path cannot be opened, and those of
/// [`restrict_files_and_network`](crate::restrict_files_and_network).
pub fn restrict_files_to(grants: &Grants) -> Result<Restriction, ConfineError> {
    status::require_one_thread()?;
    let (abi, mut ruleset) = newest()?;
    for path in LIBRARIES
        .map(Path::new)
        .into_iter()
        .filter(|path| path.exists())
    {
        ruleset = grant(ruleset, path, AccessFs::ReadFile.into())?;
    }
    ruleset = grant(ruleset, &grants.module, AccessFs::ReadFile.into())?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    for path in &grants.read {
        ruleset = grant(ruleset, path, read)?;
    }
    let write =
        read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
    for path in &grants.write {
        ruleset = grant(ruleset, path, write)?;
    }
    let outcome = ruleset.restrict_self()?;
    let step = "restrict files of the module";
    if outcome.ruleset != RulesetStatus::FullyEnforced || !outcome.no_new_privs {
        return Err(ConfineError::NotInForce { step });
    }
    // Nobody may be granted /proc: its files lead to the parent's.
    match File::open("/proc/self/status") {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Restriction { abi }),
        _ => Err(ConfineError::NotInForce { step }),
    }
}

fn grant(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, ConfineError> {
    let unusable = || ConfineError::Grant(path.into());
    let opened = PathFd::new(path).map_err(|_| unusable())?;
    let folder = path.metadata().map_err(|_| unusable())?.is_dir();
    // A right that only folders have is no right of a file: the kernel would refuse the rule.
    let of_files = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    let access = if folder { access } else { access & of_files };
    Ok(ruleset.add_rule(PathBeneath::new(opened, access))?)
}
