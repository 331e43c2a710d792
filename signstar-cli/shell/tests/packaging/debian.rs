//! The package for Debian: built, installed, upgraded, removed and purged in a root folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{packaging, run};
use crate::staged::{assert_owners_and_modes, back_ends, files, Staged};

/// What is not the package's.
const NOT_OURS: [&str; 6] = [
    "var/",
    "etc/passwd",
    "etc/group",
    "etc/shadow",
    "etc/gshadow",
    "etc/.pwd.lock",
];

/// Builds the packages in a release of their own, and says where the one that is called `package` is.
fn build(staged: &Staged, package: &str, revision: u32) -> PathBuf {
    if let Some(built) = built(staged, package, revision) {
        return built;
    }
    let tree = staged.path("tree");
    let _ = fs::remove_dir_all(&tree);
    fs::create_dir(&tree).unwrap();
    let mut copy = Command::new("cp");
    run(copy.arg("-r").arg(packaging().join("debian")).arg(&tree));
    let changelog = tree.join("debian/changelog");
    let text = fs::read_to_string(&changelog).unwrap();
    let changed = text.replace("(0.1.0-1)", &format!("(0.1.0-{revision})"));
    fs::write(changelog, changed).unwrap();
    let mut build = Command::new("dpkg-buildpackage");
    build
        .args([
            match package {
                "signstar-client" => "--build=all",
                _ => "--build=any",
            },
            "--unsigned-changes",
            "--unsigned-buildinfo",
        ])
        .arg("--no-check-builddeps")
        .env("SIGNSTAR_STAGE", staged.path("stage"))
        .current_dir(&tree);
    run(&mut build);
    built(staged, package, revision).unwrap()
}

/// Where it is, if it was built.
fn built(staged: &Staged, package: &str, revision: u32) -> Option<PathBuf> {
    let entries = fs::read_dir(staged.path("")).unwrap();
    let mut packages = entries.map(|entry| entry.unwrap().path());
    let name = format!("{package}_0.1.0-{revision}_");
    packages.find(|path| {
        let file = path.file_name().unwrap().to_string_lossy();
        file.starts_with(&name) && file.ends_with(".deb")
    })
}

fn dpkg(root: &Path, arguments: &[&str]) -> String {
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.display()))
        // What it depends on is not in the folder, and no program to run its scripts with.
        .args([
            "--force-depends",
            "--force-script-chrootless",
            "--force-bad-path",
        ])
        .args(arguments)
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
    run(&mut dpkg)
}

fn line(root: &Path, file: &str) -> String {
    let text = fs::read_to_string(root.join(file)).unwrap();
    let mut lines = text.lines().filter(|line| line.starts_with("signer:"));
    lines.next().unwrap_or_default().to_owned()
}

/// A root folder in which dpkg has installed nothing yet.
fn prepare(root: &Path) {
    for folder in [
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
    ] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
}

#[test]
fn the_one_for_clients_has_the_script_and_nothing_that_signs() {
    let staged = Staged::new();
    let root = staged.root();
    prepare(&root);
    let client = build(&staged, "signstar-client", 1);
    assert!(client.to_str().unwrap().ends_with("_all.deb"), "{client:?}");
    dpkg(&root, &["--install", client.to_str().unwrap()]);
    let installed = files(&root, &NOT_OURS);
    let script = root.join("usr/bin/signstar-sign");
    assert_eq!(installed.get("usr/bin/signstar-sign"), Some(&(0, 0, 0o755)));
    assert_eq!(
        fs::read_to_string(script).unwrap(),
        crate::place::text("client/signstar-sign")
    );
    for file in installed.keys() {
        let document = file.starts_with("usr/share/doc/signstar-client/");
        assert!(document || file == "usr/bin/signstar-sign", "{file}");
    }
}

/// It needs the libraries of the system for devices, and has the back ends for them.
#[test]
fn the_one_for_devices_takes_the_place_of_the_other_and_gives_it_back() {
    let staged = Staged::new();
    let root = staged.root();
    prepare(&root);
    let devices = build(&staged, "signstar-devices", 1);
    let plain = build(&staged, "signstar", 1);
    dpkg(&root, &["--install", plain.to_str().unwrap()]);
    let config = root.join("etc/signstar/sshd_config");
    let changed = fs::read_to_string(&config)
        .unwrap()
        .replace("Port 2222", "Port 2022");
    fs::write(&config, &changed).unwrap();
    let kept = [
        "etc/signstar/ssh_host_ed25519_key",
        "run/signstar/packages.pin",
    ]
    .map(|name| root.join(name));
    for file in &kept {
        fs::write(file, "kept").unwrap();
    }
    assert!(
        !back_ends(&root).contains("smartcard"),
        "{}",
        back_ends(&root)
    );
    let before: Vec<String> = files(&root, &NOT_OURS).into_keys().collect();
    dpkg(&root, &["--install", devices.to_str().unwrap()]);
    let state = files(&root, &NOT_OURS);
    assert!(before.iter().all(|file| state.contains_key(file)));
    let has = back_ends(&root);
    assert!(has.contains("smartcard") && has.contains("tpm"), "{has}");
    let mut field = Command::new("dpkg-deb");
    let needs = run(field.arg("--field").arg(&devices).arg("Depends"));
    for library in ["libpcsclite1", "libtss2-esys", "libtss2-tcti-device0"] {
        assert!(needs.contains(library), "{needs}");
    }
    let status = dpkg(&root, &["--list"]);
    let installed = |name: &str| {
        let mut lines = status.lines().filter(|line| line.starts_with("ii"));
        lines.any(|line| line.split_ascii_whitespace().nth(1) == Some(name))
    };
    assert!(
        installed("signstar-devices") && !installed("signstar"),
        "{status}"
    );
    // Whoever purges the one that is gone loses nothing of what the other has taken over.
    dpkg(&root, &["--purge", "signstar"]);
    for file in &kept {
        assert_eq!(fs::read_to_string(file).unwrap(), "kept", "{file:?}");
    }
    assert_eq!(fs::read_to_string(&config).unwrap(), changed);
    dpkg(&root, &["--install", plain.to_str().unwrap()]);
    assert!(!back_ends(&root).contains("smartcard"));
    assert_eq!(fs::read_to_string(&config).unwrap(), changed);
}

#[test]
fn it_installs_upgrades_and_goes_and_leaves_nothing_but_accounts_and_what_an_operator_made() {
    let staged = Staged::new();
    let root = staged.root();
    prepare(&root);
    let first = build(&staged, "signstar", 1);
    dpkg(&root, &["--install", first.to_str().unwrap()]);
    let state = |root: &Path| -> BTreeMap<String, (u32, u32, u32)> {
        let mut found = files(root, &NOT_OURS);
        found.retain(|name, _| !name.starts_with("run/"));
        found
    };
    assert_owners_and_modes(&state(&root));
    for folder in [
        "etc/signstar",
        "etc/signstar/sshd_config.d",
        "etc/ssh/authorized_keys",
    ] {
        let found = fs::metadata(root.join(folder)).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o7777), (0, 0o755), "{folder}");
    }
    // The account is there, sshd lets it in, and it has its places.
    assert!(line(&root, "etc/passwd").ends_with(":/:/usr/bin/signstar"));
    assert!(
        line(&root, "etc/shadow").starts_with("signer:*:"),
        "{}",
        line(&root, "etc/shadow")
    );
    let slots = fs::metadata(root.join("run/signstar/sessions/signer")).unwrap();
    assert_eq!(slots.mode() & 0o777, 0o660);

    // An upgrade keeps what an operator has made and changed.
    let config = root.join("etc/signstar/sshd_config");
    let changed = fs::read_to_string(&config)
        .unwrap()
        .replace("Port 2222", "Port 2022");
    fs::write(&config, &changed).unwrap();
    fs::write(root.join("etc/signstar/packages.pgp"), "a certificate").unwrap();
    fs::write(root.join("etc/signstar/ssh_host_ed25519_key"), "a key").unwrap();
    let before = state(&root);
    let second = build(&staged, "signstar", 2);
    dpkg(&root, &["--install", second.to_str().unwrap()]);
    assert_eq!(state(&root), before);
    assert_eq!(fs::read_to_string(&config).unwrap(), changed);
    let version = dpkg(&root, &["--status", "signstar"]);
    assert!(version.contains("Version: 0.1.0-2"), "{version}");

    dpkg(&root, &["--remove", "signstar"]);
    let left: Vec<String> = state(&root).into_keys().collect();
    assert_eq!(
        left,
        [
            "etc/signstar/packages.pgp",
            "etc/signstar/ssh_host_ed25519_key",
            "etc/signstar/sshd_config"
        ]
    );
    assert!(!root.join("run/signstar").exists());
    dpkg(&root, &["--purge", "signstar"]);
    let left: Vec<String> = state(&root).into_keys().collect();
    assert_eq!(left, ["etc/signstar/packages.pgp"]);
    assert!(!root.join("etc/ssh/authorized_keys").exists());
    assert!(!line(&root, "etc/passwd").is_empty());
}
