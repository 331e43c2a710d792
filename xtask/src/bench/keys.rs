//! Keys for the measurements: made by gpg and used by everybody, so that all do the same work.

use std::path::Path;

use super::{ACCOUNTS, ED25519};
use crate::failure::{Because, Result};
use crate::program::Program;
use crate::scene::{Account, Scene};

/// Where gpg keeps its own copies, in the enclave's folder.
pub(crate) const GPG_HOME: &str = "gnupg";

/// What gpg calls the kind of key that an account is named after.
fn algorithm(account: &Account) -> &str {
    match account.name {
        "p256" => "nistp256",
        "rsa4096" => "rsa4096",
        _ => "ed25519",
    }
}

/// The user id by which gpg finds the key of an account.
pub(crate) fn user_id(account: &Account) -> String {
    format!("{}@example.org", account.name)
}

/// Makes a key for each account and puts it where the configuration says.
pub(crate) fn make(scene: &Scene) -> Result<()> {
    let home = scene.path(GPG_HOME);
    std::fs::create_dir(&home).because("cannot make a home for gpg")?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&home, mode).because("cannot make a home for gpg")?;
    for account in &ACCOUNTS {
        let user_id = user_id(account);
        gpg(&home)
            .args([
                "--quick-generate-key",
                &user_id,
                algorithm(account),
                "sign",
                "never",
            ])
            .output()?;
        for (what, mode, suffix) in [
            ("--export", 0o644, "pgp"),
            ("--export-secret-keys", 0o600, "secret.pgp"),
        ] {
            let file = scene.path("export");
            gpg(&home)
                .arg("--output")
                .arg(&file)
                .args([what, &user_id])
                .output()?;
            let place = format!("etc/signstar/{}.{suffix}", account.name);
            crate::stage::put(&file, &scene.path(&place), mode)?;
            std::fs::remove_file(&file).because("cannot remove an exported key")?;
        }
    }
    stop_agent(&home)?;
    println!(
        "keys of {} kinds, {} among them",
        ACCOUNTS.len(),
        ED25519.name
    );
    Ok(())
}

fn gpg(home: &Path) -> Program {
    Program::new("gpg").arg("--homedir").arg(home).args([
        "--batch",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    ])
}

/// Ends the agent of this home and no other.
pub(crate) fn stop_agent(home: &Path) -> Result<()> {
    Program::new("gpgconf")
        .arg("--homedir")
        .arg(home)
        .args(["--kill", "all"])
        .output()
        .map(|_| ())
}
