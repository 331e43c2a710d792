//! A keyring that was exported, read by `pacman-key`, and pacman, which installs what the subkey in it
//! has signed.

use std::fs;
use std::process::{Command, Output};
use std::time::SystemTime;

use signstar_core::{Certificate, Profile, SecretKey};
use signstar_testkit::assembly;

use crate::place::Place;
use crate::{KEY, done, line, rotation};

const PACKAGE: &str = "signstar-trial-1-1-any.pkg.tar";

const INFO: &str = "\
pkgname = signstar-trial
pkgbase = signstar-trial
pkgver = 1-1
pkgdesc = A package of one file
url = https://example.org/
builddate = 1720000000
packager = Trial <trial@example.org>
size = 6
arch = any
";

/// A machine of pacman's in the folder of a place.
struct Machine<'p>(&'p Place);

impl<'p> Machine<'p> {
    fn new(place: &'p Place) -> Self {
        for folder in ["root/var/lib/pacman", "root/cache", "keyrings"] {
            fs::create_dir_all(place.path(folder)).unwrap();
        }
        let root = place.path("root");
        let root = root.display();
        place.write(
            "pacman.conf",
            &format!(
                "[options]\nRootDir = {root}\nDBPath = {root}/var/lib/pacman\n\
                 CacheDir = {root}/cache\nGPGDir = {root}/gnupg\nHookDir = {root}/hooks\n\
                 LogFile = {root}/pacman.log\nArchitecture = x86_64\nSigLevel = Required\n\
                 LocalFileSigLevel = Required\n"
            ),
        );
        let machine = Self(place);
        machine.must("pacman-key --config \"$0/pacman.conf\" --init");
        machine
    }

    /// A line of the shell's, with the exported keyring where pacman-key looks for it.
    fn run(&self, script: &str) -> Output {
        let program = fs::read_to_string("/usr/bin/pacman-key").expect("pacman-key is needed");
        let (_, rest) = program.split_once("KEYRING_IMPORT_DIR='").unwrap();
        let (keyrings, _) = rest.split_once('\'').unwrap();
        let script = format!("mount --bind \"$0/keyrings\" {keyrings} && {script}");
        self.0.inside(&script).env("LC_ALL", "C").output().unwrap()
    }

    fn must(&self, script: &str) -> String {
        let output = self.run(script);
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        said
    }

    /// Exports the certificate of the key `packages` and has pacman-key read it.
    fn populate(&self) {
        let to = self.0.path("keyrings").display().to_string();
        let export = ["cert", "export", "--key", "packages", "--form", "pacman"];
        let to = ["--keyring", "trial", "--force", "--to", &to];
        let made = done(self.0, &line(&[&export, &to]));
        let files = made["files"].as_array().unwrap().iter();
        let names: Vec<&str> = files
            .map(|file| file.as_str().unwrap().rsplit('/').next().unwrap())
            .collect();
        assert_eq!(names, ["trial.gpg", "trial-trusted", "trial-revoked"]);
        self.must("pacman-key --config \"$0/pacman.conf\" --populate trial");
    }

    fn install(&self) -> Output {
        let _ = fs::remove_dir_all(self.0.path("root/usr"));
        self.run(&format!(
            "pacman --config \"$0/pacman.conf\" --noconfirm --noprogressbar -U \"$0/{PACKAGE}\""
        ))
    }

    fn installs(&self) {
        let output = self.install();
        assert!(output.status.success(), "{}", said(&output));
        let installed = self.0.path("root/usr/share/signstar-trial/greeting");
        assert!(installed.is_file());
    }

    fn refuses(&self, because: &str) {
        let output = self.install();
        let said = said(&output);
        assert!(!output.status.success(), "{said}");
        assert!(said.contains(because), "{said}");
        assert!(!self.0.path("root/usr").exists());
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.0.path("root/gnupg"))
            .args(["--kill", "all"])
            .status();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Makes the package, without a signature.
fn package(place: &Place) {
    let tree = place.path("tree");
    fs::create_dir_all(tree.join("usr/share/signstar-trial")).unwrap();
    fs::write(tree.join("usr/share/signstar-trial/greeting"), "hello\n").unwrap();
    fs::write(tree.join(".PKGINFO"), INFO).unwrap();
    let made = Command::new("bsdtar")
        .arg("-cf")
        .arg(place.path(PACKAGE))
        .args([".PKGINFO", "usr"])
        .current_dir(&tree)
        .status()
        .expect("bsdtar is needed for this test");
    assert!(made.success());
    fs::remove_dir_all(&tree).unwrap();
}

/// Signs the package as the login shell would, with the key of the file `secret`.
fn sign(place: &Place, certificate: &str, secret: &str) {
    let now = SystemTime::now();
    let certificate = fs::read(place.path(certificate)).unwrap();
    let certificate = Certificate::parse(&certificate).unwrap();
    let secret = fs::read(place.path(secret)).unwrap();
    let fingerprint = signstar_certificate::stored_keys(&secret).unwrap()[0]
        .fingerprint
        .clone();
    let key = certificate.signing_key(Some(&fingerprint), now).unwrap();
    let secret = SecretKey::parse(&secret, &fingerprint, None).unwrap();
    let mut signer = signstar_software::open(secret.into_material())
        .unwrap()
        .signer;
    let artifact = fs::read(place.path(PACKAGE)).unwrap();
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let profile = Profile::default();
    let signed = assembly::sign(&key, signer.as_mut(), profile, &artifact, now.as_secs());
    fs::write(place.path(&format!("{PACKAGE}.sig")), signed.packet).unwrap();
}

#[test]
fn pacman_installs_what_the_subkey_of_a_populated_keyring_has_signed_until_it_is_revoked() {
    let place = Place::new();
    let primary = place.primary(&[]);
    let primary = [primary[0].as_str(), primary[1].as_str()];
    place.admin(&KEY).done();
    let create = ["cert", "create", "--key", "packages"];
    place.admin(&line(&[&create, &primary])).done();
    package(&place);
    sign(&place, "packages.pgp", "packages.secret.pgp");
    let machine = Machine::new(&place);
    machine.refuses("signstar-trial");
    machine.populate();
    machine.installs();

    let whole = fs::read(place.path(PACKAGE)).unwrap();
    let mut tampered = whole.clone();
    tampered[700] ^= 1;
    fs::write(place.path(PACKAGE), tampered).unwrap();
    machine.refuses("invalid or corrupted package");
    fs::write(place.path(PACKAGE), whole).unwrap();

    // Another subkey takes over: what each of them has signed is good.
    place.add_key("next", "next.pgp", "");
    place
        .admin(&["key", "generate", "--key", "next", "--group", "signers"])
        .done();
    let rotate = rotation("next", "30d");
    place.admin(&line(&[&rotate, &primary])).done();
    fs::copy(place.path("next.pgp"), place.path("packages.pgp")).unwrap();
    machine.populate();
    machine.installs();
    sign(&place, "packages.pgp", "next.secret.pgp");
    machine.installs();

    let revoke = [
        "cert",
        "revoke",
        "--key",
        "packages",
        "--reason",
        "compromised",
        "--yes",
    ];
    place.admin(&line(&[&revoke, &primary])).done();
    machine.populate();
    assert_eq!(fs::read(place.path("keyrings/trial-trusted")).unwrap(), b"");
    machine.refuses("signstar-trial");
}
