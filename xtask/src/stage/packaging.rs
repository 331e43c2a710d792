//! What a machine needs beside the programs, laid out as it is installed: the table of
//! packaging/README.md.

use std::path::Path;

use super::{make_folder, put};
use crate::failure::{Because, Result};
use crate::workspace::Workspace;

/// Examples, for an operator to put in place.
const EXAMPLES: &str = "usr/share/doc/signstar/examples";
const UNITS: &str = "usr/lib/systemd/system";
/// Pages. Those in `docs` come as well, all of them.
const DOCUMENTS: &str = "usr/share/doc/signstar";
const PAGES: [&str; 8] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "packaging/README.md",
];
const PAGES_FOR_CLIENTS: [&str; 4] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs/clients.md",
    "docs/exit-and-refusal-codes.md",
];

/// Files of `packaging/` that are in force where they are installed, and where that is.
const IN_FORCE: [(&str, &str); 8] = [
    ("sshd/sshd_config", "etc/signstar"),
    ("systemd/signstar-credential@.service", UNITS),
    ("systemd/signstar-hostkey.service", UNITS),
    ("systemd/signstar-sshd.socket", UNITS),
    ("systemd/signstar-sshd@.service", UNITS),
    ("systemd/signstar.slice", UNITS),
    ("sysusers.d/signstar.conf", "usr/lib/sysusers.d"),
    ("tmpfiles.d/signstar.conf", "usr/lib/tmpfiles.d"),
];

/// Files that change what others on the machine may do, or need values of the site: examples.
const AS_EXAMPLES: [&str; 18] = [
    "apparmor/usr.bin.signstar",
    "client/signstar-sign",
    "examples/nethsm.toml",
    "examples/pkcs11.toml",
    "examples/smartcard.toml",
    "examples/software.toml",
    "examples/tpm.toml",
    "logrotate/signstar",
    "nftables/signstar.nft",
    "polkit/50-signstar.rules",
    "sshd/50-signstar.conf",
    "sshd/authority.conf",
    "systemd/examples/signstar-sshd-addresses.conf",
    "systemd/examples/signstar-sshd-devices.conf",
    "systemd/examples/signstar-sshd-network.conf",
    "systemd/examples/signstar-sshd-token.conf",
    "systemd/pcscd.socket.d/signstar.conf",
    "udev/70-signstar.rules",
];

/// Folders that an operator fills.
const FOLDERS: [&str; 2] = ["etc/signstar/sshd_config.d", "etc/ssh/authorized_keys"];

/// Lays them out below `root`.
pub(super) fn lay_out(root: &Path) -> Result<()> {
    let packaging = Workspace::get()?.path("packaging");
    for folder in FOLDERS {
        make_folder(&root.join(folder))?;
    }
    for (file, folder) in IN_FORCE {
        let name = Path::new(file).file_name().unwrap_or_default();
        put(&packaging.join(file), &root.join(folder).join(name), 0o644)?;
    }
    for file in AS_EXAMPLES {
        // The examples of one kind are in one folder: `examples/software.toml`, `systemd/…`.
        let place = file.replace("examples/", "");
        put(
            &packaging.join(file),
            &root.join(EXAMPLES).join(place),
            0o644,
        )?;
    }
    documents(&root.join(DOCUMENTS))
}

/// Every page, where the links of one find the others.
fn documents(folder: &Path) -> Result<()> {
    let workspace = Workspace::get()?;
    for page in PAGES {
        put(&workspace.path(page), &folder.join(page), 0o644)?;
    }
    let docs = workspace.path("docs");
    let attempt = || format!("cannot read {}", docs.display());
    for entry in std::fs::read_dir(&docs).because(attempt())? {
        let entry = entry.because(attempt())?;
        if entry.path().is_file() {
            let place = folder.join("docs").join(entry.file_name());
            put(&entry.path(), &place, 0o644)?;
        }
    }
    Ok(())
}

/// What machines need that have things signed, and nothing else.
pub(super) fn for_clients(root: &Path) -> Result<()> {
    let workspace = Workspace::get()?;
    let script = workspace.path("packaging/client/signstar-sign");
    put(&script, &root.join("usr/bin/signstar-sign"), 0o755)?;
    for page in PAGES_FOR_CLIENTS {
        let place = root.join("usr/share/doc/signstar-client").join(page);
        put(&workspace.path(page), &place, 0o644)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{DOCUMENTS, EXAMPLES, for_clients, lay_out};

    /// Every file below a folder.
    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| match path.is_dir() {
                true => files(&path),
                false => vec![path],
            })
            .collect()
    }

    #[test]
    fn links_of_installed_pages_lead_to_installed_files() {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path()).unwrap();
        let documents = root.path().join(DOCUMENTS);
        let pages = files(&documents);
        let pages = pages
            .iter()
            .filter(|path| path.extension().is_some_and(|it| it == "md"));
        let mut count = 0;
        for page in pages {
            let text = fs::read_to_string(page).unwrap();
            let prose: String = text.split("```").step_by(2).collect();
            for link in prose.split("](").skip(1) {
                let link = link.split([')', '#']).next().unwrap();
                // Manual pages are where `man` finds them.
                if link.is_empty() || link.contains("://") || link.ends_with(".1") {
                    continue;
                }
                let target = page.parent().unwrap().join(link);
                assert!(target.exists(), "{}: {link}", page.display());
                count += 1;
            }
        }
        assert!(count > 60, "{count}");
    }

    /// Whoever installs it has an example for each back end.
    #[test]
    fn every_example_of_a_configuration_is_installed() {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path()).unwrap();
        let name = |path: &PathBuf| path.file_name().unwrap().to_owned();
        let is_example = |path: &&PathBuf| path.extension().is_some_and(|it| it == "toml");
        let installed = files(&root.path().join(EXAMPLES));
        let mut installed: Vec<_> = installed.iter().filter(is_example).map(name).collect();
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/examples");
        let mut there: Vec<_> = files(&tree).iter().map(name).collect();
        installed.sort();
        there.sort();
        assert!(!there.is_empty());
        assert_eq!(installed, there);
    }

    #[test]
    fn clients_get_the_script_and_what_it_refers_to() {
        let root = tempfile::tempdir().unwrap();
        for_clients(root.path()).unwrap();
        let script = fs::read_to_string(root.path().join("usr/bin/signstar-sign")).unwrap();
        assert!(script.contains("docs/exit-and-refusal-codes.md"));
        let page = "usr/share/doc/signstar-client/docs/exit-and-refusal-codes.md";
        assert!(root.path().join(page).is_file());
        assert_eq!(files(root.path()).len(), 5);
    }
}
