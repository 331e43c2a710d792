//! Files that somebody else has written, read without a device: by the functions that the commands read them
//! with, which is what the fuzz targets call, too.
//!
//! Absent: the files themselves. Whoever reads them bounds their size.

pub use crate::backup::file::{Key as BackupKey, key as backup_key};
pub use crate::backup::{Content as Backup, content as backup};
pub use crate::cluster::joiner_kit;
pub use crate::desired::desired;
pub use crate::key::pkcs12::{Opened as Pkcs12, WORK_MAX as PKCS12_WORK_MAX, open as pkcs12};
pub use crate::validity::{Validity, validity};
