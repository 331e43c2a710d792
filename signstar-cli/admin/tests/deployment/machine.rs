//! The machine: files of the packages in a private mount namespace, laid over those of the system.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The shipped configuration of sshd.
pub(crate) const SSHD: &str = "/etc/signstar/sshd_config";
const SSHD_CONFIG: &str = include_str!("../../../../packaging/sshd/sshd_config");

/// The shipped example; where its records go depends on what runs here.
const SIGNSTAR: &str = include_str!("../../../../packaging/examples/software.toml");

/// A key that a client could have; nobody has its other half.
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII0eY25oXSSqt9jbwGAzD5od2t80X7olNzbIK/50t6wC";

pub(crate) const SIGNER: u32 = 6001;
pub(crate) const OTHER: u32 = 6002;

const SCRIPT: &str = "set -e
for folder in etc usr/bin; do
    mount -t overlay -o \"lowerdir=$0/$folder:/$folder\" overlay \"/$folder\"
done
for folder in etc/ssh etc/signstar etc/pam.d run var/log tmp; do
    mount --bind \"$0/$folder\" \"/$folder\"
done
exec \"$@\"";

pub(crate) struct Machine {
    folder: TempDir,
}

impl Machine {
    /// As shipped, with a key for [`KEY`] to ask for signatures.
    pub(crate) fn new() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests need several accounts: run them as root"
        );
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        give(machine.folder.path(), 0, 0, 0o755);
        for (folder, mode) in [
            ("etc", 0o755),
            ("etc/pam.d", 0o755),
            ("etc/signstar", 0o755),
            ("etc/ssh", 0o755),
            ("etc/ssh/authorized_keys", 0o755),
            ("run", 0o755),
            ("run/sshd", 0o755),
            ("run/signstar", 0o755),
            ("run/signstar/sessions", 0o755),
            ("tmp", 0o1777),
            ("usr", 0o755),
            ("usr/bin", 0o755),
            ("var", 0o755),
            ("var/log", 0o755),
        ] {
            fs::create_dir(machine.path(folder)).unwrap();
            give(&machine.path(folder), 0, 0, mode);
        }
        let accounts = format!(
            "root:x:0:0::/root:/bin/sh\nsshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n\
             signer:x:{SIGNER}:{SIGNER}:Signs packages:/:/usr/bin/signstar\n\
             other:x:{OTHER}:{OTHER}::/:/bin/sh\n"
        );
        machine.write("etc/passwd", &accounts);
        machine.write(
            "etc/group",
            &format!("root:x:0:\nsudo:x:27:\nsigner:x:{SIGNER}:\nother:x:{OTHER}:\n"),
        );
        machine.write(
            "etc/shadow",
            "root:*:1:::::: \nsigner:*:1::::::\nother:*:1::::::\n",
        );
        give(&machine.path("etc/shadow"), 0, 0, 0o600);
        machine.write("etc/signstar/sshd_config", SSHD_CONFIG);
        let host_key = machine.path("etc/signstar/ssh_host_ed25519_key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(host_key)
            .status();
        assert!(made.unwrap().success());
        machine.keys(&format!("restrict,from=\"192.0.2.0/24\" {KEY}"));
        let program = machine.path("usr/bin/signstar");
        fs::copy(release(), &program).unwrap();
        give(&program, 0, 0, 0o755);
        machine.write("run/signstar/sessions/signer", "");
        give(
            &machine.path("run/signstar/sessions/signer"),
            0,
            SIGNER,
            0o660,
        );
        machine.write("var/log/audit.log", "");
        give(&machine.path("var/log/audit.log"), 0, SIGNER, 0o660);
        let example = SIGNSTAR
            .replace(
                "sink = \"journald\"\n",
                "sink = \"file\"\n[audit.file]\npath = \"/var/log/audit.log\"\n",
            )
            .replace("passphrase = ", "#passphrase = ");
        machine.write("etc/signstar/signstar.toml", &example);
        machine
    }

    /// With a key and a certificate.
    pub(crate) fn equipped() -> Self {
        let machine = Self::new();
        machine.done(&["key", "generate", "--key", "packages"]);
        let name = ["--user-id", "A <a@example.org>", "--expires", "2years"];
        machine.done(&[&["cert", "create", "--key", "packages"][..], &name].concat());
        machine
    }

    /// A path inside, as seen from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub(crate) fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap()
    }

    /// Writes a file of root's that everybody can read.
    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        give(&path, 0, 0, 0o644);
    }

    /// Replaces what must be there in a file.
    pub(crate) fn change(&self, inside: &str, from: &str, to: &str) {
        let text = self.read(inside);
        assert!(text.contains(from), "{inside} has no {from:?}");
        fs::write(self.path(inside), text.replace(from, to)).unwrap();
    }

    /// Replaces a line of sshd's configuration.
    pub(crate) fn sshd(&self, from: &str, to: &str) {
        self.change("etc/signstar/sshd_config", from, to);
    }

    /// Replaces the lines of the file of keys.
    pub(crate) fn keys(&self, lines: &str) {
        self.write("etc/ssh/authorized_keys/signer", &format!("{lines}\n"));
    }

    pub(crate) fn mode(&self, inside: &str, mode: u32) {
        fs::set_permissions(self.path(inside), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn own(&self, inside: &str, user: u32) {
        chown(self.path(inside), Some(user), None).unwrap();
    }

    /// What runs a command inside, which still has to be said.
    fn inside(&self) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "--"])
            .args(["/bin/sh", "-c", SCRIPT])
            .arg(self.folder.path());
        command
    }

    /// Runs `signstar-admin` inside.
    pub(crate) fn admin(&self, arguments: &[&str]) -> Output {
        self.inside()
            .arg(env!("CARGO_BIN_EXE_signstar-admin"))
            .args(arguments)
            .output()
            .expect("unshare is needed for this test")
    }

    /// The same as another account than root.
    pub(crate) fn command_as(&self, user: u32, arguments: &[&str]) -> Output {
        // Where it was built, only its builder may look.
        let copy = self.path("usr/bin/signstar-admin");
        fs::copy(env!("CARGO_BIN_EXE_signstar-admin"), &copy).unwrap();
        give(&copy, 0, 0, 0o755);
        let number = user.to_string();
        self.inside()
            .args([
                "setpriv",
                "--reuid",
                &number,
                "--regid",
                &number,
                "--clear-groups",
            ])
            .arg("/usr/bin/signstar-admin")
            .args(arguments)
            .output()
            .expect("unshare is needed for this test")
    }

    /// What it says of what it has done.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, to be read by a program; with the status.
    pub(crate) fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.admin(&[arguments, &["--output", "json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        let value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
        });
        (output.status.code().unwrap(), value)
    }

    /// What `sshd check` finds.
    pub(crate) fn check_sshd(&self) -> (i32, Value) {
        self.json(&["sshd", "check", "--sshd-config", SSHD])
    }

    /// What `config check` finds.
    pub(crate) fn check_configuration(&self) -> (i32, Value) {
        self.json(&["config", "check"])
    }
}

/// The sentences of all findings, problems first: without what to do about them.
pub(crate) fn sentences(found: &Value) -> Vec<String> {
    let lists = ["problems", "advice"].map(|list| found[list].as_array().unwrap());
    let findings = lists.into_iter().flatten();
    let sentence = |finding: &Value| {
        let text = finding["text"].as_str().unwrap();
        let text = match text.split_once("] ") {
            Some((table, rest)) if table.starts_with('[') => rest,
            _ => text,
        };
        text.split(": ").next().unwrap().to_owned()
    };
    findings.map(sentence).collect()
}

/// The check must report, of a mistake, the sentence that `test` is named after, and nothing else.
#[track_caller]
pub(crate) fn reports<T>(_: T, (status, found): (i32, Value)) {
    let path = std::any::type_name::<T>();
    let name = path.rsplit("::").next().unwrap();
    let names: Vec<String> = sentences(&found).iter().map(|text| named(text)).collect();
    assert_eq!(names, [name], "{found:#}");
    let is_problem = !found["problems"].as_array().unwrap().is_empty();
    assert_eq!(status, if is_problem { 78 } else { 0 }, "{found:#}");
    // It says what to do.
    let list = if is_problem { "problems" } else { "advice" };
    let text = found[list][0]["text"].as_str().unwrap();
    assert!(text.contains(": "), "{text}");
    println!("{text}");
}

/// A sentence as the name of a test.
fn named(sentence: &str) -> String {
    let word = |char: char| char.is_ascii_alphanumeric();
    let words: Vec<&str> = sentence
        .split(|char| !word(char))
        .filter(|word| !word.is_empty())
        .collect();
    words.join("_").to_lowercase()
}

pub(crate) fn give(path: &Path, user: u32, group: u32, mode: u32) {
    chown(path, Some(user), Some(group)).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The release of the login shell: that of the staged tree, or the one that was built last.
fn release() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let built = match std::env::var_os("SIGNSTAR_STAGE") {
        Some(stage) => PathBuf::from(stage).join("usr/bin/signstar"),
        None => target.join("x86_64-unknown-linux-musl/release/signstar"),
    };
    assert!(
        built.is_file(),
        "there is no release of the login shell: run `cargo xtask test --part stage`"
    );
    built
}
