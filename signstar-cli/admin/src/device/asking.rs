//! What is said and asked before a device is changed.

use signstar_core::KeyKind;

use crate::cli::key::Replacing;
use crate::failure::{Failure, Status};
use crate::terminal;

/// Makes sure that a key in a device may be lost. `present` says which one, as a whole sentence.
#[cfg_attr(
    not(any(feature = "smartcard", feature = "tpm")),
    expect(
        dead_code,
        reason = "only on cards and in TPMs a key takes the place of another"
    )
)]
pub(super) fn agree(replacing: &Replacing, present: &str) -> Result<(), Failure> {
    if !replacing.force {
        let text = format!("{present}; --force replaces it");
        return Err(Failure::new(Status::CannotCreate, text));
    }
    match replacing.yes || replacing.dry_run {
        true => Ok(()),
        false => {
            let text = format!("{present}. It is lost then.\nThis cannot be undone.");
            Ok(terminal::confirm(&text, "yes")?)
        }
    }
}

/// Says what takes a while, where somebody waits.
pub(super) fn making(device: &str, kind: KeyKind) {
    if terminal::is_there() {
        eprintln!("{device}: it makes a key of the kind {kind}; RSA can take minutes");
    }
}
