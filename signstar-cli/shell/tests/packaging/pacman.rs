//! The package for Arch Linux: built by makepkg; installed, upgraded and removed by pacman in a root
//! folder.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{packaging, run, Place};
use crate::staged::{assert_owners_and_modes, back_ends, files, Staged};

/// makepkg does not run as root.
const NOBODY: u32 = 65534;

/// There is no shell in the folder to run the package's functions with: see below.
const CHANGES: [&str; 4] = ["--noconfirm", "--noscriptlet", "--nodeps", "--nodeps"];

/// Builds the packages in a release of their own, and says where the one that is called `package` is.
fn build(staged: &Staged, package: &str, release: u32) -> PathBuf {
    let folder = staged.path(&format!("arch-{release}"));
    let mut copy = Command::new("cp");
    run(copy.arg("-r").arg(packaging().join("arch")).arg(&folder));
    let recipe = folder.join("PKGBUILD");
    let text = fs::read_to_string(&recipe).unwrap();
    fs::write(
        &recipe,
        text.replace("pkgrel=1", &format!("pkgrel={release}")),
    )
    .unwrap();
    for path in [&folder, &recipe] {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let number = NOBODY.to_string();
    let mut makepkg = Command::new("setpriv");
    makepkg
        .args(["--reuid", &number, "--regid", &number, "--clear-groups"])
        .args(["makepkg", "--nodeps", "--noconfirm"])
        .env("HOME", &folder)
        .env("PKGDEST", &folder)
        .env("BUILDDIR", folder.join("build"))
        .env("PKGEXT", ".pkg.tar.zst")
        .env("SIGNSTAR_STAGE", staged.path("stage"))
        .current_dir(&folder);
    run(&mut makepkg);
    let entries = fs::read_dir(&folder).unwrap();
    let mut packages = entries.map(|entry| entry.unwrap().path());
    packages
        .find(|path| {
            let file = path.file_name().unwrap().to_string_lossy();
            file.starts_with(&format!("{package}-0.1.0-")) && file.ends_with(".zst")
        })
        .unwrap()
}

fn pacman(root: &Path, arguments: &[&str]) -> String {
    let database = root.join("var/lib/pacman");
    fs::create_dir_all(&database).unwrap();
    let config = root.join("var/pacman.conf");
    fs::write(
        &config,
        "[options]\nArchitecture = x86_64\nSigLevel = Never\n",
    )
    .unwrap();
    let mut pacman = Command::new("pacman");
    pacman
        .arg("--root")
        .arg(root)
        .arg("--dbpath")
        .arg(database)
        .arg("--config")
        .arg(config)
        .arg("--hookdir")
        .arg(root.join("var/hooks"))
        .arg("--logfile")
        .arg(root.join("var/pacman.log"))
        .args(arguments);
    run(&mut pacman)
}

#[test]
fn it_installs_upgrades_and_goes_and_leaves_what_an_operator_made() {
    let staged = Staged::new();
    let root = staged.root();
    const NOT_OURS: [&str; 4] = ["var/", "etc/passwd", "etc/group", "etc/shadow"];
    let state = || files(&root, &NOT_OURS);

    let first = build(&staged, "signstar", 1);
    pacman(
        &root,
        &[&["-U", first.to_str().unwrap()], &CHANGES[..]].concat(),
    );
    assert_owners_and_modes(&state());
    let config = root.join("etc/signstar/sshd_config");
    let changed = fs::read_to_string(&config)
        .unwrap()
        .replace("Port 2222", "Port 2022");
    fs::write(&config, &changed).unwrap();
    fs::write(root.join("etc/signstar/packages.pgp"), "a certificate").unwrap();
    let before = state();
    let second = build(&staged, "signstar", 2);
    pacman(
        &root,
        &[&["-U", second.to_str().unwrap()], &CHANGES[..]].concat(),
    );
    assert_eq!(state(), before);
    assert_eq!(fs::read_to_string(&config).unwrap(), changed);
    let version = pacman(&root, &["-Q"]);
    assert_eq!(version, "signstar 0.1.0-2\n");
    pacman(&root, &[&["-R", "signstar"], &CHANGES[..]].concat());
    let left: Vec<String> = state().into_keys().collect();
    // pacman keeps a changed configuration beside.
    assert_eq!(
        left,
        [
            "etc/signstar/packages.pgp",
            "etc/signstar/sshd_config.pacsave"
        ]
    );
}

#[test]
fn the_one_for_devices_has_their_back_ends_and_says_what_it_needs() {
    let staged = Staged::new();
    let root = staged.root();
    let package = build(&staged, "signstar-devices", 1);
    pacman(
        &root,
        &[&["-U", package.to_str().unwrap()], &CHANGES[..]].concat(),
    );
    assert_owners_and_modes(&files(
        &root,
        &["var/", "etc/passwd", "etc/group", "etc/shadow"],
    ));
    let has = back_ends(&root);
    assert!(has.contains("smartcard") && has.contains("tpm"), "{has}");
    let said = pacman(&root, &["-Qi", "signstar-devices"]);
    let line = |name: &str| {
        let mut lines = said.lines().filter(|line| line.starts_with(name));
        lines.next().unwrap().to_owned()
    };
    assert!(line("Provides").contains("signstar=0.1.0"), "{said}");
    assert!(line("Conflicts With").ends_with(": signstar"), "{said}");
    for needed in ["pcsclite", "tpm2-tss"] {
        assert!(line("Depends On").contains(needed), "{said}");
    }
}

#[test]
fn the_one_for_clients_has_the_script_and_nothing_that_signs() {
    let staged = Staged::new();
    let root = staged.root();
    let package = build(&staged, "signstar-client", 1);
    pacman(
        &root,
        &[&["-U", package.to_str().unwrap()], &CHANGES[..]].concat(),
    );
    let installed = files(&root, &["var/", "etc/passwd", "etc/group", "etc/shadow"]);
    assert_eq!(installed.get("usr/bin/signstar-sign"), Some(&(0, 0, 0o755)));
    for file in installed.keys() {
        let document = file.starts_with("usr/share/");
        assert!(document || file == "usr/bin/signstar-sign", "{file}");
    }
    let said = pacman(&root, &["-Qi", "signstar-client"]);
    let architecture = said.lines().find(|line| line.starts_with("Architecture"));
    assert!(architecture.unwrap().ends_with(": any"), "{said}");
}

#[test]
fn its_functions_let_sshd_let_the_account_in() {
    let place = Place::new();
    let functions = packaging().join("arch/signstar.install");
    let script = format!(
        "mkdir \"$1/changes\"; mount -t tmpfs tmpfs \"$1/changes\"; mkdir \"$1/changes/u\" \"$1/changes/w\"
        mount -t overlay -o \"lowerdir=$1/etc:/etc,upperdir=$1/changes/u,workdir=$1/changes/w\" overlay /etc
        grep ^signer: /etc/shadow | cut -d: -f2
        . {}
        post_install
        grep ^signer: /etc/shadow | cut -d: -f2
        post_upgrade
        mount -t tmpfs tmpfs /run
        mkdir /run/signstar
        pre_remove
        post_remove
        ls /run",
        functions.display()
    );
    assert_eq!(place.script(&script), "!*\n*\n");
}
