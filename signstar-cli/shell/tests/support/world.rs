//! A machine with the release installed, for one test.

use std::fs::{self, Permissions};
use std::os::unix::fs::{chown, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use signstar_core::{KeyKind, Record};
use tempfile::TempDir;

use super::built::{inspector, release, worker, Build, INSPECTOR};
use super::configuration::USERS;
use super::namespaces::Namespaces;
use super::shell::{user_auth, CLIENT_KEY};
use super::{Configuration, Outcome, Running, Shell, SigningKey};

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) id: u32,
    pub(crate) group: u32,
    pub(crate) shell: &'static str,
}

/// The account that signs.
pub(crate) const SIGNER: Account = Account {
    name: "signer",
    id: 6001,
    group: SIGNERS,
    shell: "/usr/bin/signstar",
};

/// Another one that signs, for deployments that differ.
pub(crate) const SECOND: Account = Account {
    name: "second",
    id: 6002,
    group: SIGNERS,
    shell: "/usr/bin/signstar",
};

/// The positive control: an ordinary account.
pub(crate) const CONTROL: Account = Account {
    name: "control",
    id: 6003,
    group: 6003,
    shell: "/bin/sh",
};

/// All of them.
pub(crate) const ACCOUNTS: [Account; 3] = [SIGNER, SECOND, CONTROL];

/// The group that may read secret keys and append to the audit log.
pub(crate) const SIGNERS: u32 = 6000;

/// A machine of its own: see [`super`].
pub(crate) struct World {
    // In this order: what runs in the folder ends before the folder goes.
    namespaces: Namespaces,
    folder: TempDir,
    /// The key of `[key.packages]`.
    pub(crate) key: SigningKey,
}

impl World {
    /// With an Ed25519 key and the plainest configuration.
    pub(crate) fn new() -> Self {
        Self::with(&Configuration::new(), SigningKey::new(KeyKind::Ed25519))
    }

    /// With a configuration.
    pub(crate) fn configured(configuration: &Configuration) -> Self {
        Self::with(configuration, SigningKey::new(KeyKind::Ed25519))
    }

    /// With a configuration and a key.
    pub(crate) fn with(configuration: &Configuration, key: SigningKey) -> Self {
        Self::of(Build::Static, configuration, key)
    }

    /// With a configuration and a key, and a build of the login shell.
    pub(crate) fn of(build: Build, configuration: &Configuration, key: SigningKey) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("world-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(ground())
            .expect("a folder");
        furnish(folder.path(), build);
        let namespaces = Namespaces::new(folder.path());
        let world = Self {
            namespaces,
            folder,
            key,
        };
        world.configure(configuration);
        world.install_key(&world.key);
        if build == Build::Devices {
            // Libraries are larger than what an account may lock (8 MiB). An operator raises that
            // limit for sshd, or does this, which needs nobody's leave.
            world.set_capabilities(&["cap_ipc_lock=ep"]);
        }
        world
    }

    /// Has `setcap` set the capabilities of the login shell's file.
    pub(crate) fn set_capabilities(&self, arguments: &[&str]) {
        let program = self.path("/usr/bin/signstar");
        let done = Command::new("setcap").args(arguments).arg(program).status();
        assert!(done.expect("setcap starts").success());
    }

    /// A path inside, as seen from outside: for `/etc/signstar`, `/etc/ssh/authorized_keys`,
    /// `/run`, `/tmp`, `/home`, `/var/tmp`, `/dev/shm`.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside.trim_start_matches('/'))
    }

    /// Any path inside, as seen from outside.
    pub(crate) fn any_path(&self, inside: &str) -> PathBuf {
        PathBuf::from(self.namespaces.root() + inside)
    }

    /// Replaces the configuration.
    pub(crate) fn configure(&self, configuration: &Configuration) {
        self.write(
            "/etc/signstar/signstar.toml",
            configuration.text(),
            (0, 0),
            0o644,
        );
    }

    /// Replaces key and certificate.
    pub(crate) fn install_key(&self, key: &SigningKey) {
        let secret = "/etc/signstar/packages.secret.pgp";
        self.write(
            "/etc/signstar/packages.pgp",
            &key.certificate,
            (0, 0),
            0o644,
        );
        self.write(secret, &key.secret, (0, SIGNERS), 0o440);
    }

    /// Writes a file of the world.
    pub(crate) fn write(
        &self,
        inside: &str,
        content: impl AsRef<[u8]>,
        (user, group): (u32, u32),
        mode: u32,
    ) {
        let path = self.path(inside);
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        give(&path, (user, group), mode);
    }

    /// The login shell as sshd starts it, for [`SIGNER`].
    pub(crate) fn shell(&self) -> Shell<'_> {
        Shell::new(self)
    }

    /// Starts `command` inside.
    pub(crate) fn spawn(&self, command: &mut Command) -> Child {
        let name = command.get_program().to_os_string();
        self.within(|| command.spawn())
            .unwrap_or_else(|error| panic!("starting {}: {error}", name.display()))
    }

    /// Runs `command` inside, without input, to its end.
    pub(crate) fn run(&self, command: &mut Command) -> Outcome {
        Running::start(self, command, [true; 3]).finish()
    }

    /// Does `action` on a thread inside.
    pub(crate) fn within<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        self.namespaces.within(action)
    }

    /// Does `action` on a thread with the world's network and nothing else of it.
    pub(crate) fn on_network<T: Send>(&self, action: impl FnOnce() -> T + Send) -> T {
        self.namespaces.on_network(action)
    }

    /// The lines of the audit log.
    pub(crate) fn audit_lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("/run/signstar/audit.log")).expect("an audit log");
        text.lines().map(str::to_owned).collect()
    }

    /// The records of the audit log, each of which must be one.
    pub(crate) fn audit(&self) -> Vec<Record> {
        let parse = |line: String| {
            Record::from_line(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.audit_lines().into_iter().map(parse).collect()
    }

    /// Empties the audit log.
    pub(crate) fn forget(&self) {
        fs::write(self.path("/run/signstar/audit.log"), "").expect("an audit log");
    }
}

/// What an installed machine has beside configuration and keys.
fn furnish(root: &Path, build: Build) {
    for folder in [
        "etc/signstar",
        "etc/ssh/authorized_keys",
        "usr/bin",
        "usr/lib/signstar",
        "run/sshd",
        "run/signstar/sessions",
        "tmp",
        "home",
        "var/tmp",
        "dev/shm",
        "client",
    ] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for folder in ["tmp", "var/tmp", "dev/shm"] {
        give(&root.join(folder), (0, 0), 0o1777);
    }
    let put = |path: &str, content: &[u8], owner, mode| {
        let path = root.join(path.trim_start_matches('/'));
        fs::write(&path, content).expect("a file");
        give(&path, owner, mode);
    };
    let shell = fs::read(release(build)).expect("the release binary");
    put("usr/bin/signstar", &shell, (0, 0), 0o755);
    if let Some(worker) = worker() {
        let worker = fs::read(worker).expect("the worker");
        put(
            "usr/lib/signstar/signstar-pkcs11-worker",
            &worker,
            (0, 0),
            0o755,
        );
    }
    if let Some(inspector) = inspector() {
        let inspector = fs::read(inspector).expect("the inspector");
        put(INSPECTOR, &inspector, (0, 0), 0o755);
    }
    put("run/signstar/audit.log", b"", (0, SIGNERS), 0o660);

    let known = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let (mut passwd, mut group) = (known("/etc/passwd"), known("/etc/group"));
    let mut shadow = known("/etc/shadow");
    group += &format!(
        "signers:x:{SIGNERS}:\n{}:x:{}:\n",
        CONTROL.name, CONTROL.group
    );
    for Account {
        name,
        id,
        group,
        shell,
    } in ACCOUNTS
    {
        passwd += &format!("{name}:x:{id}:{group}::/home/{name}:{shell}\n");
        // sshd lets nobody in whose password is locked by `!`.
        shadow += &format!("{name}:*:19000:0:99999:7:::\n");
        fs::create_dir(root.join("home").join(name)).expect("a home");
        give(&root.join("home").join(name), (id, group), 0o755);
    }
    put("etc/passwd", passwd.as_bytes(), (0, 0), 0o644);
    put("etc/group", group.as_bytes(), (0, 0), 0o644);
    put("etc/shadow", shadow.as_bytes(), (0, 0), 0o600);
    for account in ACCOUNTS {
        put(
            &user_auth(account),
            format!("publickey {CLIENT_KEY}\n").as_bytes(),
            (account.id, account.group),
            0o600,
        );
    }
    for user in USERS {
        put(
            &format!("run/signstar/sessions/{user}"),
            b"",
            (0, SIGNERS),
            0o660,
        );
    }
}

/// Sets owner, group and mode.
pub(crate) fn give(path: &Path, (user, group): (u32, u32), mode: u32) {
    let done = chown(path, Some(user), Some(group))
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)));
    done.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Where worlds stand. Programs inside one read files by their path outside, so this must be none
/// of the folders that a world lays its own over.
fn ground() -> &'static Path {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let covered = ["/tmp", "/var/tmp", "/home", "/run", "/dev/shm", "/etc"];
    match covered.iter().any(|folder| target.starts_with(folder)) {
        true => Path::new("/var/cache"),
        false => target,
    }
}
