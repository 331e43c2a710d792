//! Verification by programs that nobody here wrote, as far as they are installed, and by Sequoia.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Because, Failure, Result};
use crate::program::find;
use crate::tools::pinned::RSOP;

/// What is verified, and with what.
struct Files<'a> {
    certificate: &'a Path,
    signature: &'a Path,
    artifact: &'a Path,
}

/// Prints what each of them says; fails when one of them says no.
pub(crate) fn all(
    certificate: &Path,
    signature: &Path,
    artifact: &Path,
    sequoia: &Path,
) -> Result<()> {
    println!("\nVerification");
    let files = Files {
        certificate,
        signature,
        artifact,
    };
    let mut refusals = Vec::new();
    let mut judge = |name: &str, command: Option<Result<Command>>| -> Result<()> {
        let said = match command.map(|command| command.and_then(runs)).transpose()? {
            None => "not installed",
            Some(true) => "good",
            Some(false) => {
                refusals.push(name.to_owned());
                "BAD"
            }
        };
        println!("  {name:<8} {said}");
        Ok(())
    };
    let gnupg = tempfile::tempdir().because("cannot make a temporary folder")?;
    judge("gpg", find("gpg").map(|gpg| files.gpg(&gpg, gnupg.path())))?;
    judge("sq", find("sq").map(|sq| files.sq(&sq)))?;
    judge("sqop", find("sqop").map(|sqop| files.sop(&sqop)))?;
    let rsop = RSOP
        .path()
        .ok()
        .filter(|path| path.is_file())
        .or_else(|| find("rsop"));
    judge("rsop", rsop.map(|rsop| files.sop(&rsop)))?;
    let mut own = Command::new(sequoia);
    own.args([certificate, signature, artifact]);
    judge("Sequoia", Some(Ok(own)))?;
    if refusals.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("refused by {}", refusals.join(", "))))
}

fn runs(mut command: Command) -> Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = command
        .status()
        .because(format_args!("cannot start `{name}`"))?;
    Ok(status.success())
}

impl Files<'_> {
    /// GnuPG with a home of its own and no agent.
    fn gpg(&self, gpg: &PathBuf, home: &Path) -> Result<Command> {
        let with_home = || {
            let mut command = Command::new(gpg);
            command.args([
                "--batch",
                "--no-autostart",
                "--quiet",
                "--trust-model",
                "always",
            ]);
            command.arg("--homedir").arg(home);
            command
        };
        let mut import = with_home();
        import.arg("--import").arg(self.certificate);
        if !runs(import)? {
            return Err(Failure::new("gpg does not import the certificate"));
        }
        let mut verify = with_home();
        verify
            .arg("--verify")
            .arg(self.signature)
            .arg(self.artifact);
        Ok(verify)
    }

    /// The `sq` program: its options have changed their names over the years.
    fn sq(&self, sq: &PathBuf) -> Result<Command> {
        let help = Command::new(sq).args(["verify", "--help"]).output();
        let help = help.because("cannot start `sq`")?.stdout;
        let help = String::from_utf8_lossy(&help);
        let known = |new, old| if help.contains(new) { new } else { old };
        let mut command = Command::new(sq);
        command
            .args(["verify", known("--signer-file", "--signer-cert")])
            .arg(self.certificate);
        command
            .arg(known("--signature-file", "--detached"))
            .arg(self.signature);
        command.arg(self.artifact);
        Ok(command)
    }

    /// Any implementation of the stateless OpenPGP interface.
    fn sop(&self, program: &PathBuf) -> Result<Command> {
        let artifact = File::open(self.artifact);
        let artifact = artifact.because(format_args!("cannot open {}", self.artifact.display()))?;
        let mut command = Command::new(program);
        command
            .arg("verify")
            .arg(self.signature)
            .arg(self.certificate)
            .stdin(artifact);
        Ok(command)
    }
}
