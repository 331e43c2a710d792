//! What a machine needs beside the programs, laid out as it is installed: the table of
//! packaging/README.md.

use std::path::Path;

use super::{make_folder, put};
use crate::failure::Result;
use crate::workspace::Workspace;

/// Examples, for an operator to put in place.
const EXAMPLES: &str = "usr/share/doc/signstar/examples";
const UNITS: &str = "usr/lib/systemd/system";

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
const AS_EXAMPLES: [&str; 15] = [
    "apparmor/usr.bin.signstar",
    "client/signstar-sign",
    "examples/pkcs11.toml",
    "examples/smartcard.toml",
    "examples/software.toml",
    "examples/tpm.toml",
    "nftables/signstar.nft",
    "polkit/50-signstar.rules",
    "sshd/50-signstar.conf",
    "sshd/authority.conf",
    "systemd/examples/signstar-sshd-addresses.conf",
    "systemd/examples/signstar-sshd-devices.conf",
    "systemd/examples/signstar-sshd-network.conf",
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
    put(
        &packaging.join("README.md"),
        &root.join("usr/share/doc/signstar/PACKAGING.md"),
        0o644,
    )
}
