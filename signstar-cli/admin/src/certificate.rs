//! `cert …`: what concerns certificates. One file for each verb; `edit` and `edited` are what those
//! share that change a certificate which is there.

pub(crate) mod create;
mod edit;
mod edited;
pub(crate) mod export;
pub(crate) mod extend;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod store;

use std::path::Path;

use signstar::trusted_file::{self, Kind};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The same bound as the login shell's.
const CERTIFICATE_BYTES_MAX: u64 = 1 << 20;

/// Reads a certificate that only root can have changed.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    Ok(trusted_file::read(
        path,
        Kind::Public,
        CERTIFICATE_BYTES_MAX,
    )?)
}
