//! A home of GnuPG that is removed, with its agent, when dropped.

use std::process::Command;

use tempfile::TempDir;

pub(super) struct Gpg(TempDir);

impl Gpg {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// What gpg prints, or its complaint.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("gpg")
            .args([
                "--batch",
                "--quiet",
                "--pinentry-mode",
                "loopback",
                "--homedir",
            ])
            .arg(self.0.path())
            .args(arguments)
            .output()
            .expect("gpg is needed for this test");
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// A file in the home.
    pub(super) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn import(&self, bytes: &[u8]) {
        let file = self.file("import", bytes);
        self.run(&["--import", &file]).unwrap();
    }

    /// The fields of the first line of the keyring's listing that begins with `kind`.
    pub(super) fn listed(&self, kind: &str) -> Vec<String> {
        let listing = self.run(&["--with-colons", "--list-keys"]).unwrap();
        let line = listing
            .lines()
            .find(|line| line.split(':').next() == Some(kind));
        line.unwrap().split(':').map(str::to_owned).collect()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let home = self.0.path();
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(home)
            .args(["--kill", "all"])
            .status();
    }
}
