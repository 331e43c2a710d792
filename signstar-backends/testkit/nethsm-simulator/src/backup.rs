//! Backups: `/system/backup`, `/system/restore`.
use crate::resource::Resource;
pub(crate) const RESOURCES: &[Resource] = &[];
