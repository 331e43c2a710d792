//! A throwaway enclave: the staged release with accounts, a configuration and keys of its own, in
//! a temporary folder that [`crate::private`] lays over this system.

use std::fmt::Write;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::{Because, Failure, Result};
use crate::private;
use crate::stage::make_folder;

/// Where records go, as the configuration says.
pub(crate) const AUDIT_FILE: &str = "/run/signstar/audit.log";

/// The group of the accounts.
const GROUP: &str = "signstar-trial";

/// Where the login shell counts sessions.
const SESSIONS: &str = "/run/signstar/sessions";

/// An account of the scene and the key it signs with, which has the same name.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    /// Its name.
    pub(crate) name: &'static str,
    /// The hash of its signatures.
    pub(crate) hash: &'static str,
}

/// A release tree being prepared.
pub(crate) struct Scene {
    folder: TempDir,
}

impl Scene {
    /// A folder with these accounts and their configuration; the keys are still missing.
    pub(crate) fn new(accounts: &[Account]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("signstar-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .because("cannot make a temporary folder")?;
        let scene = Self { folder };
        scene.write_accounts(accounts)?;
        scene.write(
            "etc/signstar/signstar.toml",
            &configuration(accounts),
            0o644,
        )?;
        Ok(scene)
    }

    /// Its root.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// A small file of it.
    pub(crate) fn write(&self, relative: &str, text: &str, mode: u32) -> Result<()> {
        let path = self.path(relative);
        let attempt = || format!("cannot write {}", path.display());
        make_folder(path.parent().unwrap_or(&path))?;
        std::fs::write(&path, text).because(attempt())?;
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).because(attempt())
    }

    /// A copy of this system's accounts, and those of the scene, which share one group.
    fn write_accounts(&self, accounts: &[Account]) -> Result<()> {
        let known = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let (mut passwd, mut group) = (known("/etc/passwd"), known("/etc/group"));
        // An unprivileged user cannot read shadow, and does not need the rest of it.
        let mut shadow = known("/etc/shadow");
        let mut id = 0;
        if private::is_root() {
            id = free_ids(&passwd, &group)?;
        } else if accounts.len() > 1 {
            return Err(Failure::new("run this as root: it needs several accounts"));
        } else {
            // The one account that is mapped into the user namespace takes root's place.
            let others = passwd.lines().filter(|line| !line.starts_with("root:"));
            passwd = others.map(|line| format!("{line}\n")).collect();
        }
        let _ = writeln!(group, "{GROUP}:x:{id}:");
        for (Account { name, .. }, uid) in accounts.iter().zip(id..) {
            let _ = writeln!(passwd, "{name}:x:{uid}:{id}::/:/usr/bin/signstar");
            // sshd lets nobody in whose password is locked by `!`.
            let _ = writeln!(shadow, "{name}:*:19000:0:99999:7:::");
        }
        self.write("etc/passwd", &passwd, 0o644)?;
        self.write("etc/group", &group, 0o644)?;
        self.write("etc/shadow", &shadow, 0o600)
    }
}

fn configuration(accounts: &[Account]) -> String {
    let mut text = format!(
        "version = 1\n\n[audit]\nsink = \"file\"\n\n[audit.file]\npath = \"{AUDIT_FILE}\"\n"
    );
    for Account { name, hash } in accounts {
        let _ = write!(
            text,
            "\n[user.{name}]\nkey = \"{name}\"\nsessions-max = 64\n\n\
             [key.{name}]\nback-end = \"software\"\ninput = \"any\"\nhash = \"{hash}\"\n\
             certificate = \"/etc/signstar/{name}.pgp\"\n\n\
             [key.{name}.software]\nsecret-key = \"/etc/signstar/{name}.secret.pgp\"\n"
        );
    }
    text
}

/// Inside: what a system has in `/run`.
pub(crate) fn settle(accounts: &[Account]) -> Result<()> {
    make_folder(Path::new(SESSIONS))?;
    for path in accounts
        .iter()
        .map(|account| Path::new(SESSIONS).join(account.name))
    {
        std::fs::write(&path, "").because(format_args!("cannot write {}", path.display()))?;
        give(&path, 0o660)?;
    }
    std::fs::write(AUDIT_FILE, "").because(format_args!("cannot write {AUDIT_FILE}"))?;
    give(Path::new(AUDIT_FILE), 0o660)
}

/// Inside: the last record, which says more than a caller is told.
pub(crate) fn last_record() -> String {
    let records = std::fs::read_to_string(AUDIT_FILE).unwrap_or_default();
    records
        .lines()
        .next_back()
        .unwrap_or("no record")
        .to_owned()
}

/// Inside: the secret keys belong to root, and the accounts may read them.
pub(crate) fn hand_over_keys(accounts: &[Account]) -> Result<()> {
    for Account { name, .. } in accounts {
        give(
            Path::new(&format!("/etc/signstar/{name}.secret.pgp")),
            0o440,
        )?;
    }
    Ok(())
}

/// Makes a file root's and the accounts'.
fn give(path: &Path, mode: u32) -> Result<()> {
    let attempt = || format!("cannot set the owner of {}", path.display());
    chown(path, Some(0), Some(id_of("/etc/group", GROUP)?)).because(attempt())?;
    std::fs::set_permissions(path, Permissions::from_mode(mode)).because(attempt())
}

/// Inside: the number of an account, and that of its group.
pub(crate) fn account_ids(account: &Account) -> Result<(u32, u32)> {
    Ok((
        id_of("/etc/passwd", account.name)?,
        id_of("/etc/group", GROUP)?,
    ))
}

fn id_of(file: &str, name: &str) -> Result<u32> {
    let text = std::fs::read_to_string(file).because(format_args!("cannot read {file}"))?;
    let found = ids(&text).find(|(known, _)| *known == name);
    found
        .map(|(_, id)| id)
        .ok_or_else(|| Failure::new(format!("{file}: there is no {name}")))
}

fn ids(passwd: &str) -> impl Iterator<Item = (&str, u32)> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?.parse().ok()?))
    })
}

/// The first of sixteen numbers that no account and no group of this system has.
fn free_ids(passwd: &str, group: &str) -> Result<u32> {
    let taken: Vec<u32> = ids(passwd).chain(ids(group)).map(|(_, id)| id).collect();
    (2000..60_000)
        .step_by(16)
        .find(|first| (*first..first + 16).all(|id| !taken.contains(&id)))
        .ok_or_else(|| Failure::new("no free numbers for the accounts of the trial"))
}
