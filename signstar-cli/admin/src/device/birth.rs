//! When the key of a device was created, and of which version it is: both are part of its fingerprint, or
//! decide its form. A device knows them, or the operator says them.

use std::time::SystemTime;

use signstar_core::KeyVersion;

use super::Held;
use crate::expiry;
use crate::failure::{Failure, Status};

/// What a device knows of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) created: SystemTime,
    /// Unless the key can become one of either version.
    pub(crate) version: Option<KeyVersion>,
}

/// What makes the key of a device one of OpenPGP: both are part of the fingerprint, or decide its
/// form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Birth {
    pub(crate) created: SystemTime,
    pub(crate) version: KeyVersion,
}

impl Held {
    /// When the key was created and its version: what the device knows, or what the operator says.
    /// A key below a primary one has the version of that one.
    pub(crate) fn birth(
        &self,
        created: Option<&str>,
        version: Option<KeyVersion>,
        now: SystemTime,
    ) -> Result<Birth, Failure> {
        birth(self.stored, created, version, now)
    }
}

fn birth(
    stored: Option<Stored>,
    created: Option<&str>,
    version: Option<KeyVersion>,
    now: SystemTime,
) -> Result<Birth, Failure> {
    let given = created.map(expiry::parse_created).transpose()?;
    let Some(stored) = stored else {
        return Ok(Birth {
            created: given.unwrap_or(now),
            version: version.unwrap_or(KeyVersion::V4),
        });
    };
    if given.is_some_and(|given| given != stored.created) {
        let text = format!(
            "--created: the device says that its key was created at {}: leave it out",
            humantime::format_rfc3339_seconds(stored.created)
        );
        return Err(Failure::new(Status::Usage, text));
    }
    let known = stored.version.or(version).unwrap_or(KeyVersion::V4);
    if version.is_some_and(|version| version != known) {
        let text = match known {
            KeyVersion::V4 => "the device's key is of version 4, and version 6 is wanted",
            KeyVersion::V6 => "the device's key is of version 6, and version 4 is wanted",
        };
        let text = format!("{text}: make another key (key generate, with or without --v6)");
        return Err(Failure::new(Status::Usage, text));
    }
    Ok(Birth {
        created: stored.created,
        version: known,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn takes_the_operators_word_where_the_device_knows_nothing() {
        let now = at(2_000_000_000);
        let with = |created, version| birth(None, created, version, now).unwrap();
        assert_eq!(
            with(None, None),
            Birth {
                created: now,
                version: KeyVersion::V4
            }
        );
        let given = with(Some("2024-07-03T09:46:40Z"), Some(KeyVersion::V6));
        assert_eq!(
            given,
            Birth {
                created: at(1_720_000_000),
                version: KeyVersion::V6
            }
        );
        let failure = birth(None, Some("yesterday"), None, now).unwrap_err();
        assert_eq!(failure.status, Status::Usage);
    }

    #[test]
    fn the_device_knows_better() {
        let now = at(2_000_000_000);
        for version in [KeyVersion::V4, KeyVersion::V6] {
            let created = at(1_720_000_000);
            let stored = Stored {
                created,
                version: Some(version),
            };
            let with = |created, version| birth(Some(stored), created, version, now);
            let expected = Ok(Birth { created, version });
            assert_eq!(with(None, None), expected);
            assert_eq!(with(Some("2024-07-03T09:46:40Z"), Some(version)), expected);
            let open = Stored {
                version: None,
                ..stored
            };
            assert_eq!(birth(Some(open), None, Some(version), now), expected);
            assert!(with(Some("2024-07-03T09:46:41Z"), None).is_err());
            let other = match version {
                KeyVersion::V4 => KeyVersion::V6,
                KeyVersion::V6 => KeyVersion::V4,
            };
            assert!(with(None, Some(other)).is_err());
        }
    }
}
