//! The storage key of a TPM, above all keys that are made in it.

use serde::Serialize;
use signstar_tpm::provision::Tool;
use signstar_tpm::{Handle, Parent};

use super::at;
use crate::cli::StorageKey;
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::secret_file;

#[derive(Serialize)]
struct StorageKeyMade {
    device: String,
    parent: String,
    /// Not known before it is made.
    parent_name: Option<String>,
    /// It was there before.
    existed: bool,
    dry_run: bool,
}

/// Makes it, or shows what is there.
pub(super) fn make(options: &StorageKey) -> Result<Report, Failure> {
    let shown = options.tpm.display();
    let handle: Handle = options
        .handle
        .parse()
        .map_err(|error| Failure::new(Status::Usage, format!("--handle {error}")))?;
    let owner = options.owner_auth_file.as_deref();
    let owner = owner.map(secret_file::read).transpose()?;
    let mut tool = Tool::open(&options.tpm)?;
    let found = at(&mut tool, handle)?;
    if let Some(Some(key)) = &found {
        let text = format!(
            "TPM {shown}, handle {handle}: a signing key of the kind {}: choose another --handle",
            key.name()
        );
        return Err(Failure::new(Status::CannotCreate, text));
    }
    let parent: Option<Parent> = match (&found, options.dry_run) {
        (Some(_), _) => Some(tool.parent(handle)?),
        (None, true) => None,
        (None, false) => Some(tool.create_parent(handle, owner.as_ref())?),
    };
    let made = StorageKeyMade {
        device: format!("TPM {shown}"),
        parent: handle.to_string(),
        parent_name: parent.map(|parent| parent.name.to_string()),
        existed: found.is_some(),
        dry_run: options.dry_run,
    };
    Report::new(made.text(), &made)
}

impl StorageKeyMade {
    fn text(&self) -> String {
        let (device, parent) = (&self.device, &self.parent);
        let Some(name) = &self.parent_name else {
            return format!("would make in {device}: a storage key at {parent}\n");
        };
        let what = match self.existed {
            true => "what was there already, and nobody has looked at who made it",
            false => "a new storage key",
        };
        format!(
            "{device}, handle {parent}: {what}\nwrite into [key.NAME.tpm]:\n\
             parent = \"{parent}\"\nparent-name = \"{name}\"\n"
        )
    }
}
