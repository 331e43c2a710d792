//! The example `sign_file`: what it writes is verified by GnuPG, and nothing is half written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sequoia_openpgp::Profile as PgpProfile;
use sequoia_openpgp::cert::CipherSuite;
use sequoia_openpgp::serialize::SerializeInto;
use tempfile::TempDir;

use crate::keys::{builder, public_file};

/// Cargo builds examples beside the tests of their package.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples/sign_file");
    assert!(
        program.is_file(),
        "build the example with `cargo test -p signstar-core`"
    );
    program
}

struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A folder with a key, its certificate and an artifact.
    fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let cert = builder(CipherSuite::Cv25519, PgpProfile::RFC4880).generate();
        let cert = cert.unwrap().0;
        desk.write("key.pgp", &cert.as_tsk().to_vec().unwrap());
        desk.write("cert.pgp", &public_file(&cert));
        desk.write("core.db", &[0x5a; 300_000]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn run(&self, names: &[&str]) -> Output {
        Command::new(program())
            .args(names.iter().map(|name| self.path(name)))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn gpg(&self, arguments: &[&str]) -> Output {
        let home = self.path("gnupg");
        if !home.exists() {
            use std::os::unix::fs::DirBuilderExt;
            std::fs::DirBuilder::new()
                .mode(0o700)
                .create(&home)
                .unwrap();
        }
        Command::new("gpg")
            .args(["--batch", "--no-autostart", "--status-fd", "1", "--homedir"])
            .arg(home)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("gpg is needed for this test")
    }
}

#[test]
fn the_example_signs_a_file_and_gpg_verifies_it() {
    let desk = Desk::new();
    let output = desk.run(&["key.pgp", "cert.pgp", "core.db"]);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty());
    let log = String::from_utf8(output.stderr).unwrap();
    let events: Vec<_> = log
        .lines()
        .map(|line| signstar_core::Record::from_line(line).unwrap().event.name())
        .collect();
    assert_eq!(events, ["intent", "release"]);
    assert_eq!(
        desk.names(),
        ["cert.pgp", "core.db", "core.db.sig", "key.pgp"]
    );
    assert!(desk.gpg(&["--import", "cert.pgp"]).status.success());
    let verified = desk.gpg(&["--verify", "core.db.sig", "core.db"]);
    let status = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{verified:?}");
    assert!(status.contains("[GNUPG:] VALIDSIG "), "{status}");
    desk.write("core.db", &[0x5b; 300_000]);
    let verified = desk.gpg(&["--verify", "core.db.sig", "core.db"]);
    assert!(!verified.status.success());
}

#[test]
fn the_example_replaces_an_old_signature_as_a_whole() {
    let desk = Desk::new();
    desk.write("core.db.sig", &[0; 5000]);
    assert!(
        desk.run(&["key.pgp", "cert.pgp", "core.db"])
            .status
            .success()
    );
    let signature = std::fs::read(desk.path("core.db.sig")).unwrap();
    let length = usize::from(signature[1]);
    assert_eq!((signature[0], signature.len()), (0x88, length + 2));
}

#[test]
fn the_example_leaves_an_old_signature_alone_when_it_cannot_sign() {
    let desk = Desk::new();
    desk.write("core.db.sig", b"old");
    desk.write("empty", b"");
    desk.write("empty.sig", b"old");
    let other = Desk::new();
    std::fs::copy(other.path("cert.pgp"), desk.path("other.pgp")).unwrap();
    for arguments in [
        &["key.pgp", "other.pgp", "core.db"][..],
        &["cert.pgp", "cert.pgp", "core.db"],
        &["key.pgp", "key.pgp", "core.db"],
        &["key.pgp", "cert.pgp", "empty"],
        &["key.pgp", "cert.pgp", "missing"],
        &["key.pgp", "cert.pgp"],
        &[],
    ] {
        let output = desk.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
        for name in ["core.db.sig", "empty.sig"] {
            assert_eq!(std::fs::read(desk.path(name)).unwrap(), b"old");
        }
        let leftover = desk.names().into_iter().find(|name| name.starts_with('.'));
        assert_eq!(leftover, None, "{arguments:?}");
    }
}
