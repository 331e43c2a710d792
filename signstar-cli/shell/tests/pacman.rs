//! pacman itself installs what was signed through sshd, and nothing that was tampered with.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

#[path = "support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::sshd::{MATCH, STRICT};
use support::{artifacts, until, Outcome, Sshd, World};

/// A file of the package, as installed.
const INSTALLED: &str = "usr/share/signstar-trial/greeting";

/// A signed repository, and a machine that trusts the key and installs from it.
struct Machine<'w> {
    world: &'w World,
    package: PathBuf,
    database: PathBuf,
}

impl<'w> Machine<'w> {
    /// Builds, signs and publishes a package; prepares an empty machine.
    fn new(world: &'w World) -> Self {
        let sshd = Sshd::start(world, STRICT, MATCH);
        let client = sshd.client();
        let package = artifacts::package(world);
        let sign = |artifact: &Path| {
            let bytes = fs::read(artifact).expect("an artifact");
            let signature = client.sign(&bytes).success();
            fs::write(signature_of(artifact), signature).expect("a signature");
        };
        sign(&package);
        let name = package.file_name().and_then(|name| name.to_str());
        let database = artifacts::database(world, name.expect("a name"));
        sign(&database);
        // What repo-add links to is what pacman asks for.
        let short = database.with_file_name("trial.db");
        fs::copy(signature_of(&database), signature_of(&short)).expect("a signature");

        let machine = Self {
            world,
            package,
            database,
        };
        machine.prepare();
        machine
    }

    fn prepare(&self) {
        for folder in ["root/var/lib/pacman", "root/cache", "root/gnupg"] {
            fs::create_dir_all(self.path(folder)).expect("a folder");
        }
        let root = self.path("root").display().to_string();
        let config = format!(
            "[options]\nRootDir = {root}\nDBPath = {root}/var/lib/pacman\nCacheDir = {root}/cache\n\
             GPGDir = {root}/gnupg\nHookDir = {root}/hooks\nLogFile = {root}/pacman.log\n\
             Architecture = x86_64\nSigLevel = Required DatabaseRequired\n\
             LocalFileSigLevel = Required\n\n[trial]\nServer = file:///home/control\n"
        );
        fs::write(self.path("pacman.conf"), config).expect("pacman's configuration");
        self.trust();
    }

    /// What `pacman-key --init`, `--add` and `--lsign-key` do.
    fn trust(&self) {
        let home = self.path("root/gnupg");
        support::world::give(&home, (0, 0), 0o700);
        fs::write(
            home.join("gpg.conf"),
            "no-greeting\nno-permission-warning\n",
        )
        .expect("a file");
        fs::write(self.path("certificate"), &self.world.key.certificate).expect("a file");
        let gpg = |arguments: &[&str]| {
            // Sockets of its agent must have short names, so it enters the folder by one.
            let mut command = Command::new("gpg");
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .args(["--homedir", "/tmp/gnupg", "--batch", "--quiet", "--no-tty"])
                .args(["--pinentry-mode", "loopback", "--passphrase", ""])
                .args(arguments);
            self.world.run(&mut command).status.success()
        };
        std::os::unix::fs::symlink(&home, self.world.path("/tmp/gnupg")).expect("a link");
        let master = "master@localhost";
        assert!(gpg(&[
            "--quick-gen-key",
            master,
            "ed25519",
            "cert",
            "never"
        ]));
        let certificate = self.path("certificate").display().to_string();
        assert!(gpg(&["--import", &certificate]));
        // Seen once in some eighty runs on a busy machine: the agent does not know the new key yet.
        until("gpg signs with the key it has made", || {
            gpg(&["--yes", "--quick-lsign-key", &self.world.key.fingerprint])
        });
        assert!(gpg(&["--check-trustdb"]));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.path("/client").join(name)
    }

    /// `pacman -Sy` and the package.
    fn install(&self) -> Outcome {
        let mut command = Command::new("pacman");
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("LC_ALL", "C")
            .arg("--config")
            .arg(self.path("pacman.conf"))
            .args(["--noconfirm", "--noprogressbar", "-Syy", "signstar-trial"]);
        self.world.run(&mut command)
    }

    #[track_caller]
    fn installs(&self) {
        let outcome = self.install();
        let said = String::from_utf8_lossy(&outcome.stdout);
        assert!(outcome.status.success(), "{said}{}", outcome.stderr);
        assert!(self.path("root").join(INSTALLED).is_file());
    }

    #[track_caller]
    fn refuses(&self, because: &str) {
        let outcome = self.install();
        let said = String::from_utf8_lossy(&outcome.stdout).into_owned() + &outcome.stderr;
        assert!(!outcome.status.success(), "{said}");
        assert!(said.contains(because), "{said}");
        assert!(!self.path("root").join(INSTALLED).exists());
    }
}

fn signature_of(artifact: &Path) -> PathBuf {
    let mut name = artifact.to_owned().into_os_string();
    name.push(".sig");
    name.into()
}

/// Flips one bit in the middle of a file.
fn tamper(path: &Path) {
    let mut bytes = fs::read(path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("a file");
}

#[test]
fn pacman_installs_the_signed_package_from_the_signed_database() {
    let world = World::new();
    Machine::new(&world).installs();
}

#[test]
fn pacman_refuses_a_tampered_database() {
    let world = World::new();
    let machine = Machine::new(&world);
    tamper(&machine.database);
    machine.refuses("invalid or corrupted database");
}

#[test]
fn pacman_refuses_a_database_with_a_tampered_signature() {
    let world = World::new();
    let machine = Machine::new(&world);
    tamper(&machine.database.with_file_name("trial.db.sig"));
    machine.refuses("invalid or corrupted database");
}

#[test]
fn pacman_refuses_a_database_without_signature() {
    let world = World::new();
    let machine = Machine::new(&world);
    fs::remove_file(machine.database.with_file_name("trial.db.sig")).expect("a file");
    machine.refuses("trial");
}

#[test]
fn pacman_refuses_a_tampered_package() {
    let world = World::new();
    let machine = Machine::new(&world);
    tamper(&machine.package);
    machine.refuses("invalid or corrupted package");
}

#[test]
fn pacman_refuses_a_package_whose_signature_is_of_another_file() {
    let world = World::new();
    let machine = Machine::new(&world);
    // The database's own signature is right, but what it says of the package is not.
    let other = fs::read(signature_of(&machine.database)).expect("a signature");
    fs::write(signature_of(&machine.package), other).expect("a file");
    resign(&world, &machine);
    machine.refuses("invalid or corrupted package");
}

#[test]
fn pacman_refuses_a_package_with_a_tampered_signature() {
    let world = World::new();
    let machine = Machine::new(&world);
    tamper(&signature_of(&machine.package));
    resign(&world, &machine);
    machine.refuses("invalid or corrupted package");
}

/// Has the database made and signed again, with what lies beside it now.
fn resign(world: &World, machine: &Machine<'_>) {
    let name = machine.package.file_name().and_then(|name| name.to_str());
    let database = artifacts::database(world, name.expect("a name"));
    let sshd = Sshd::start(world, STRICT, MATCH);
    let bytes = fs::read(&database).expect("a database");
    let signature = sshd.client().sign(&bytes).success();
    fs::write(database.with_file_name("trial.db.sig"), signature).expect("a signature");
}
