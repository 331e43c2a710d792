//! Two looks at the counters of keys, and what has become of each key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::failure::Status;

/// What was found at a time.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    pub(super) version: u8,
    /// So that nothing is compared with another device.
    pub(super) device_id: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) time: String,
    pub(super) keys: BTreeMap<String, Counted>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counted {
    pub(super) operations: i64,
    /// SHA-256 of the public key as the device tells it, hexadecimal; symmetric keys have none.
    pub(super) public: Option<String>,
}

/// What has become of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) key: String,
    pub(super) before: Option<i64>,
    pub(super) now: Option<i64>,
    pub(super) remark: Remark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    Same,
    New,
    Gone,
    WentBack,
    AnotherKey,
}

impl Remark {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::New => "new",
            Self::Gone => "gone",
            Self::WentBack => "went back",
            Self::AnotherKey => "another key",
        }
    }

    pub(super) const fn status(self) -> Status {
        match self {
            Self::Same | Self::New => Status::Done,
            // What it was used for until it went nobody knows.
            Self::Gone => Status::Attention,
            Self::WentBack | Self::AnotherKey => Status::Wrong,
        }
    }
}

impl Compared {
    pub(super) fn used(&self) -> Option<i64> {
        match self.remark {
            Remark::New => self.now,
            Remark::Same => Some(self.now? - self.before?),
            Remark::Gone | Remark::WentBack | Remark::AnotherKey => None,
        }
    }
}

/// Every key of either, in order.
pub(super) fn compare(before: &Look, found: &Look) -> Vec<Compared> {
    let mut all: Vec<&String> = before.keys.keys().chain(found.keys.keys()).collect();
    all.sort();
    all.dedup();
    let of = |id: &String| {
        let (old, new) = (before.keys.get(id), found.keys.get(id));
        let remark = match (old, new) {
            (Some(old), Some(new)) if old.public != new.public => Remark::AnotherKey,
            (Some(old), Some(new)) if new.operations < old.operations => Remark::WentBack,
            (Some(_), Some(_)) => Remark::Same,
            (Some(_), None) => Remark::Gone,
            (None, _) => Remark::New,
        };
        Compared {
            key: id.clone(),
            before: old.map(|key| key.operations),
            now: new.map(|key| key.operations),
            remark,
        }
    };
    all.into_iter().map(of).collect()
}
