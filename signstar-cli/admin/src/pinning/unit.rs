//! What a unit of systemd says of addresses: systemd.resource-control(5).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::prefix::Prefix;

/// The packaged unit, one of which runs for each connection.
const NAME: &str = "signstar-sshd@.service";
/// Where units are, what counts first.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// A unit with its drop-ins, as far as addresses go.
#[derive(Debug, Default)]
pub(super) struct Unit {
    allow: Vec<Prefix>,
    deny: Vec<Prefix>,
    no_network: bool,
}

impl Unit {
    /// Adds what a file says, after what others have said.
    pub(super) fn read(&mut self, text: &str) {
        let mut is_service = false;
        // A line that ends so goes on in the next one.
        let joined = text.replace("\\\n", " ");
        for line in joined.lines().map(str::trim) {
            if line.starts_with('[') {
                is_service = line == "[Service]";
                continue;
            }
            let Some((name, value)) = line.split_once('=').filter(|_| is_service) else {
                continue;
            };
            match name.trim() {
                "IPAddressAllow" => add(&mut self.allow, value),
                "IPAddressDeny" => add(&mut self.deny, value),
                "PrivateNetwork" => {
                    let yes = ["1", "yes", "y", "true", "t", "on"];
                    self.no_network = yes.contains(&value.trim());
                }
                _ => {}
            }
        }
    }

    pub(super) fn allowed(&self) -> &[Prefix] {
        &self.allow
    }

    pub(super) const fn has_no_network(&self) -> bool {
        self.no_network
    }

    /// What is allowed counts before what is denied, and what neither names is allowed.
    pub(super) fn denies_everything(&self) -> bool {
        Prefix::ANY.iter().all(|any| self.deny.contains(any))
    }
}

/// An empty value takes back what stands before.
fn add(list: &mut Vec<Prefix>, value: &str) {
    if value.trim().is_empty() {
        list.clear();
    }
    for word in value.split_whitespace() {
        match word {
            "any" => list.extend(Prefix::ANY),
            "localhost" => list.extend(
                ["127.0.0.0/8", "::1"]
                    .iter()
                    .filter_map(|text| Prefix::read(text)),
            ),
            "link-local" => {
                list.extend(
                    ["169.254.0.0/16", "fe80::/64"]
                        .iter()
                        .filter_map(|text| Prefix::read(text)),
                );
            }
            "multicast" => {
                list.extend(
                    ["224.0.0.0/4", "ff00::/8"]
                        .iter()
                        .filter_map(|text| Prefix::read(text)),
                );
            }
            word => list.extend(Prefix::read(word)),
        }
    }
}

/// The packaged unit and its drop-ins, in the order in which they count.
pub(super) fn installed() -> Vec<PathBuf> {
    let mut places = FOLDERS.iter().map(|folder| Path::new(folder).join(NAME));
    let Some(unit) = places.find(|path| path.is_file()) else {
        return Vec::new();
    };
    let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        let entries = std::fs::read_dir(Path::new(folder).join(format!("{NAME}.d")));
        for entry in entries.into_iter().flatten().flatten() {
            let path = entry.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "conf")
            {
                drop_ins.entry(entry.file_name()).or_insert(path);
            }
        }
    }
    [unit].into_iter().chain(drop_ins.into_values()).collect()
}
