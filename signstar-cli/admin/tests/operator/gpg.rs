//! A home of GnuPG that is removed, with its agent, when dropped.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

pub(crate) struct Gpg(TempDir);

impl Gpg {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a certificate.
    pub(crate) fn with(certificate: &Path) -> Self {
        let gpg = Self::new();
        gpg.run(&["--import", certificate.to_str().unwrap()]);
        gpg
    }

    /// What it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new("gpg")
            .args(["--batch", "--quiet", "--pinentry-mode", "loopback"])
            .arg("--homedir")
            .arg(self.0.path())
            .args(arguments)
            .output()
            .expect("gpg is needed for this test");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Of all lines of one kind: validity, expiry and usage.
    pub(crate) fn listed(&self, kind: &str) -> Vec<[String; 3]> {
        let listing = self.run(&["--with-colons", "--list-keys"]);
        let fields = listing.lines().map(|line| line.split(':').collect());
        fields
            .filter(|fields: &Vec<&str>| fields[0] == kind)
            .map(|fields| [fields[1], fields[6], fields[11]].map(str::to_owned))
            .collect()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.0.path())
            .args(["--kill", "all"])
            .status();
    }
}
