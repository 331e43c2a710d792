//! Files with a passphrase, a PIN or an auth value, and nothing else.

use std::path::Path;

use signstar::trusted_file::{self, Kind};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The longest of them, that of the login shell's passphrases.
const BYTES_MAX: u64 = 4096;

/// The secret in a file that only root and a group can read. One line end at its end is not part of
/// it.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = trusted_file::read(path, Kind::Secret, BYTES_MAX)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}
