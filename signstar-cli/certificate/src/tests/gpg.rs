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
        let output = self
            .command(arguments)
            .output()
            .expect("gpg is needed for this test");
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("gpg");
        command
            .args([
                "--batch",
                "--quiet",
                "--pinentry-mode",
                "loopback",
                "--homedir",
            ])
            .arg(self.0.path())
            .args(arguments);
        command
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
        self.all_listed(kind).swap_remove(0)
    }

    /// The fields of all such lines.
    pub(super) fn all_listed(&self, kind: &str) -> Vec<Vec<String>> {
        let listing = self.run(&["--with-colons", "--list-keys"]).unwrap();
        let lines = listing
            .lines()
            .filter(|line| line.split(':').next() == Some(kind));
        lines
            .map(|line| line.split(':').map(str::to_owned).collect())
            .collect()
    }

    /// What it says of a signature, in one word: GOODSIG, EXPKEYSIG, REVKEYSIG, BADSIG.
    pub(super) fn verdict(&self, signature: &[u8], artifact: &[u8]) -> String {
        let (signature, artifact) = (
            self.file("judged.sig", signature),
            self.file("judged", artifact),
        );
        let output = self
            .command(&["--status-fd", "1", "--verify", &signature, &artifact])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let words = said.lines().filter_map(|line| line.split(' ').nth(1));
        words
            .filter(|word| word.ends_with("SIG") && !["NEWSIG", "VALIDSIG"].contains(word))
            .collect()
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
