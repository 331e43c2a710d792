//! A machine of its own for one test: accounts, groups and `/run` in a private mount namespace, a
//! configuration in a folder that goes when the test ends.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Lays the folder's accounts and `/run` over those of the system, then becomes the program.
/// What a test wants of the `/run` that it is in itself stays visible.
const SCRIPT: &str = "mount --bind \"$0/passwd\" /etc/passwd \
    && mount --bind \"$0/group\" /etc/group \
    && { [ ! -d \"$0/run/pcscd\" ] || mount --bind /run/pcscd \"$0/run/pcscd\"; } \
    && { [ ! -d \"$0/lib\" ] \
        || mount -t overlay overlay -o \"lowerdir=$0/lib:/usr/lib\" /usr/lib; } \
    && mount --rbind \"$0/run\" /run && exec \"$@\"";

pub(crate) struct Place {
    folder: TempDir,
    root: bool,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl End {
    /// What it said, after it has done what it was asked for.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        assert_eq!(self.stderr, "");
        self.stdout
    }

    /// The one line in which it said why it has done nothing.
    pub(crate) fn refused(self, status: i32) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.stdout, "");
        let line = self.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line.strip_prefix("signstar-admin: ").unwrap().to_owned()
    }

    /// What it said of what it has found.
    pub(crate) fn found(self, status: i32) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.stderr, "");
        self.stdout
    }
}

impl Place {
    /// With the account `signer`, which signs with the key `packages`.
    pub(crate) fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            root: nix::unistd::geteuid().is_root(),
        };
        fs::set_permissions(place.folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(place.path("run/signstar/sessions")).unwrap();
        let group = place.group();
        let user = if place.root { 6001 } else { 0 };
        place.write(
            "passwd",
            &format!(
                "signer:x:{user}:{group}::/:/usr/bin/signstar\nother:x:6002:6005::/:/bin/sh\n"
            ),
        );
        place.write("group", &format!("signers:x:{group}:\nothers:x:6005:\n"));
        place.write("run/signstar/sessions/signer", "");
        fs::set_permissions(
            place.path("run/signstar/sessions/signer"),
            Permissions::from_mode(0o660),
        )
        .unwrap();
        if place.root {
            let slots = place.path("run/signstar/sessions/signer");
            std::os::unix::fs::chown(slots, Some(0), Some(group)).unwrap();
        }
        place.configure("");
        place
    }

    /// The number of the group `signers`: where there is one user only, the only group.
    pub(crate) fn group(&self) -> u32 {
        if self.root { 6000 } else { 0 }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        // What is there may not be writable.
        let _ = fs::remove_file(self.path(name));
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(0o644)).unwrap();
    }

    /// A file that only root can read.
    pub(crate) fn write_secret(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), Permissions::from_mode(0o400)).unwrap();
    }

    /// A file that the accounts which sign can read, and root.
    #[allow(dead_code, reason = "for devices")]
    pub(crate) fn write_for_signers(&self, name: &str, text: &str) {
        self.write(name, text);
        if self.root {
            std::os::unix::fs::chown(self.path(name), Some(0), Some(self.group())).unwrap();
        }
        fs::set_permissions(self.path(name), Permissions::from_mode(0o440)).unwrap();
    }

    /// Writes the configuration; `software` stands in `[key.packages.software]`.
    pub(crate) fn configure(&self, software: &str) {
        let folder = self.folder.path().display();
        let text = format!(
            "version = 1\n[audit]\nsink = \"stderr\"\n\
             [user.signer]\nkey = \"packages\"\n\
             [key.packages]\nback-end = \"software\"\ninput = \"any\"\ncertificate = \"{folder}/packages.pgp\"\n\
             [key.packages.software]\nsecret-key = \"{folder}/packages.secret.pgp\"\n{software}"
        );
        self.write("signstar.toml", &text);
    }

    /// Adds the key `name`, whose certificate is the file `certificate`; `more` stands in `[key.NAME]`.
    pub(crate) fn add_key(&self, name: &str, certificate: &str, more: &str) {
        let folder = self.folder.path().display();
        let text = fs::read_to_string(self.path("signstar.toml")).unwrap();
        let added = format!(
            "\n[key.{name}]\nback-end = \"software\"\ninput = \"any\"\ncertificate = \"{folder}/{certificate}\"\n{more}\
             [key.{name}.software]\nsecret-key = \"{folder}/{name}.secret.pgp\"\n"
        );
        self.write("signstar.toml", &(text + &added));
    }

    /// Sets `signing-key` in `[key.NAME]`.
    pub(crate) fn choose(&self, name: &str, fingerprint: &str) {
        let text = fs::read_to_string(self.path("signstar.toml")).unwrap();
        let table = format!("[key.{name}]\n");
        assert!(text.contains(&table));
        let chosen = format!("{table}signing-key = \"{fingerprint}\"\n");
        self.write("signstar.toml", &text.replace(&table, &chosen));
    }

    /// Makes an unprotected primary key, `primary.pgp`, and says which arguments name it.
    pub(crate) fn primary(&self, more: &[&str]) -> [String; 2] {
        let file = self.path("primary.pgp").display().to_string();
        let generate = [
            "primary",
            "generate",
            "--file",
            &file,
            "--user-id",
            "A <a@example.org>",
            "--no-passphrase",
        ];
        self.admin(&[&generate, more].concat()).done();
        ["--primary".to_owned(), file]
    }

    /// What is in every file of the folder but for the accounts.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let read = |name: String| {
            let bytes = fs::read(self.path(&name)).unwrap();
            (name, bytes)
        };
        self.files().into_iter().map(read).collect()
    }

    /// Runs `signstar-admin` inside, with this configuration.
    pub(crate) fn admin(&self, arguments: &[&str]) -> End {
        self.admin_with_log("warn", arguments)
    }

    pub(crate) fn admin_with_log(&self, log: &str, arguments: &[&str]) -> End {
        let mut command = self.command(arguments);
        command.env("RUST_LOG", log);
        End::from(command.output().expect("unshare is needed for this test"))
    }

    /// `signstar-admin` inside, with this configuration, to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.inside(SCRIPT);
        command
            .arg(env!("CARGO_BIN_EXE_signstar-admin"))
            .args(arguments)
            .arg("--config")
            .arg(self.path("signstar.toml"));
        command
    }

    /// A script of the shell in a mount namespace of its own, which has the folder as `$0`.
    pub(crate) fn inside(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        if !self.root {
            command.args(["--user", "--map-root-user"]);
        }
        command
            .args(["--mount", "--", "/bin/sh", "-c", script])
            .arg(self.folder.path());
        command
    }

    /// Makes key and certificate.
    pub(crate) fn equip(&self) {
        self.admin(&["key", "generate", "--key", "packages"]).done();
        self.certify(&[]);
    }

    /// Makes a certificate.
    pub(crate) fn certify(&self, more: &[&str]) {
        let create = [
            "cert",
            "create",
            "--key",
            "packages",
            "--user-id",
            "A <a@example.org>",
        ];
        self.admin(&[&create, more].concat()).done();
    }

    /// Mode, owner and group of a file, the latter two as seen inside.
    pub(crate) fn rights(&self, name: &str) -> (u32, u32, u32) {
        let metadata = fs::metadata(self.path(name)).unwrap();
        let own = fs::metadata(self.folder.path()).unwrap();
        let inside = |id, mapped| {
            if self.root {
                id
            } else {
                u32::from(id != mapped)
            }
        };
        (
            metadata.mode() & 0o7777,
            inside(metadata.uid(), own.uid()),
            inside(metadata.gid(), own.gid()),
        )
    }

    /// Names of all files beside the accounts.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names
            .filter(|name| !["group", "lib", "passwd", "run"].contains(&name.as_str()))
            .collect();
        names.sort();
        names
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl From<Output> for End {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            status: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
