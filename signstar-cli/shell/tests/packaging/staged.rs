//! The staged tree, as packages take it: `cargo xtask stage`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::place::{packaging, run};

/// A folder with a copy of the staged tree in it, whose programs have lost their symbols: those of
/// a debug build are large.
pub(crate) struct Staged {
    folder: TempDir,
}

impl Staged {
    pub(crate) fn new() -> Self {
        let stage = match std::env::var_os("SIGNSTAR_STAGE") {
            Some(stage) => PathBuf::from(stage),
            None => Path::new(env!("CARGO_TARGET_TMPDIR")).join("../stage"),
        };
        assert!(
            stage.join("usr/lib/sysusers.d/signstar.conf").is_file(),
            "there is no staged tree: run `cargo xtask test --part stage`"
        );
        let staged = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::set_permissions(staged.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(staged.path("stage")).unwrap();
        for part in ["etc", "usr", "devices", "client"] {
            let mut copy = Command::new("cp");
            run(copy
                .arg("-r")
                .arg(stage.join(part))
                .arg(staged.path("stage")));
        }
        for folder in ["usr/bin", "usr/lib/signstar", "devices/usr/bin"] {
            for entry in fs::read_dir(staged.path("stage").join(folder)).unwrap() {
                run(Command::new("strip").arg(entry.unwrap().path()));
            }
        }
        staged
    }

    /// A path in the folder; the tree is at `stage`.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Makes a folder with the accounts of an empty machine.
    pub(crate) fn root(&self) -> PathBuf {
        let root = self.path("root");
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\n").unwrap();
        fs::write(root.join("etc/shadow"), "root:*:19000::::::\n").unwrap();
        fs::set_permissions(root.join("etc/shadow"), fs::Permissions::from_mode(0o600)).unwrap();
        root
    }
}

/// What the login shell that was installed below `root` says of itself: its back ends.
pub(crate) fn back_ends(root: &Path) -> String {
    let version = run(Command::new(root.join("usr/bin/signstar")).arg("--version"));
    version.lines().skip(1).collect::<Vec<_>>().join(" ")
}

/// Every file below `root` but for those in `except`: owner, group and mode.
pub(crate) fn files(root: &Path, except: &[&str]) -> BTreeMap<String, (u32, u32, u32)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if except.iter().any(|skipped| name.starts_with(skipped)) {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                folders.push(path);
            } else {
                let mode = metadata.mode() & 0o7777;
                found.insert(name, (metadata.uid(), metadata.gid(), mode));
            }
        }
    }
    found
}

/// What the README promises of what a package brings.
#[track_caller]
pub(crate) fn assert_owners_and_modes(installed: &BTreeMap<String, (u32, u32, u32)>) {
    assert!(installed.len() > 30, "{installed:#?}");
    for (name, rights) in installed {
        let is_program = name.starts_with("usr/bin/") || name.starts_with("usr/lib/signstar/");
        let mode = if is_program { 0o755 } else { 0o644 };
        assert_eq!(*rights, (0, 0, mode), "{name}");
    }
    for expected in [
        "etc/signstar/sshd_config",
        "usr/bin/nethsm-cli",
        "usr/bin/signstar",
        "usr/bin/signstar-admin",
        "usr/lib/signstar/signstar-inspector",
        "usr/lib/signstar/signstar-pkcs11-provisioner",
        "usr/lib/signstar/signstar-pkcs11-worker",
        "usr/lib/systemd/system/signstar-sshd.socket",
        "usr/lib/systemd/system/signstar-sshd@.service",
        "usr/lib/sysusers.d/signstar.conf",
        "usr/lib/tmpfiles.d/signstar.conf",
        "usr/share/bash-completion/completions/nethsm-cli",
        "usr/share/doc/signstar/docs/deploy.md",
        "usr/share/doc/signstar/packaging/README.md",
        "usr/share/doc/signstar/examples/systemd/signstar-sshd-addresses.conf",
        "usr/share/fish/vendor_completions.d/nethsm-cli.fish",
        "usr/share/zsh/site-functions/_nethsm-cli",
    ] {
        assert!(installed.contains_key(expected), "{expected}");
    }
    // What is an example in the tree is one for whoever installs it, and the other way round.
    for folder in ["examples", "systemd/examples"] {
        let place = format!(
            "usr/share/doc/signstar/examples/{}",
            folder.trim_end_matches("examples")
        );
        let mut shown: Vec<String> = fs::read_dir(packaging().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        shown.sort();
        let there: Vec<&str> = installed
            .keys()
            .filter_map(|name| name.strip_prefix(&place))
            .filter(|name| !name.contains('/'))
            .collect();
        assert_eq!(there, shown, "{place}");
    }
    // Debian compresses pages.
    for page in ["nethsm-cli.1", "nethsm-cli-key-list.1", "signstar-admin.1"] {
        let plain = format!("usr/share/man/man1/{page}");
        let there = [plain.clone(), format!("{plain}.gz")];
        assert!(
            there.iter().any(|name| installed.contains_key(name)),
            "{page}"
        );
    }
}
