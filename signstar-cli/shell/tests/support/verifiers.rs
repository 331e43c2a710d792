//! Programs nobody here wrote, which judge our signatures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::SigningKey;

/// A verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verifier {
    /// GnuPG; version 4 only.
    Gpg,
    /// Sequoia's implementation of the Stateless OpenPGP interface.
    Sqop,
    /// rPGP's implementation of the Stateless OpenPGP interface.
    Rsop,
}

impl Verifier {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Gpg, Self::Sqop, Self::Rsop];

    /// Whether it takes `signature` by `key` over the file `artifact`, and what it said.
    pub(crate) fn takes(
        self,
        key: &SigningKey,
        signature: &[u8],
        artifact: &Path,
    ) -> Result<(), String> {
        let folder = tempfile::tempdir_in("/tmp").expect("a folder");
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("a file");
            path
        };
        let (certificate, signature) = (put("cert", &key.certificate), put("sig", signature));
        let output = match self {
            Self::Gpg => gpg(&folder, &certificate, &signature, artifact),
            Self::Sqop => run(Command::new("sqop")
                .arg("verify")
                .args([&signature, &certificate])
                .stdin(fs::File::open(artifact).expect("an artifact"))),
            Self::Rsop => run(Command::new(rsop())
                .arg("verify")
                .args([&signature, &certificate])
                .stdin(fs::File::open(artifact).expect("an artifact"))),
        };
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        match output.status.success() {
            true => Ok(()),
            false => Err(said.into_owned()),
        }
    }
}

/// All verifiers that know the key's version must take the signature, and none a changed file.
#[track_caller]
pub(crate) fn all_take(key: &SigningKey, signature: &[u8], artifact: &Path) {
    // As packaged today, GnuPG and Sequoia's program know version 4 only.
    let v6 = key.fingerprint.len() == 64;
    let verifiers: &[Verifier] = if v6 {
        &[Verifier::Rsop]
    } else {
        &Verifier::ALL
    };
    for verifier in verifiers {
        let verdict = verifier.takes(key, signature, artifact);
        assert_eq!(verdict, Ok(()), "{verifier:?} on {}", artifact.display());
    }
    let verdict = library_takes(key, signature, artifact);
    assert!(verdict, "the library on {}", artifact.display());
}

/// Says what has signed and who has taken it, for the table at the end of `cargo xtask test`.
pub(crate) fn ran(back_end: &str, algorithm: &str, on: &str, key: &SigningKey) {
    let judges = match (algorithm, key.fingerprint.len()) {
        ("mldsa65-ed25519", _) => "Sequoia",
        (_, 64) => "rsop and Sequoia",
        _ => "gpg, sqop, rsop and Sequoia",
    };
    println!("ran: {back_end} {algorithm} ({on}): signed through sshd, taken by {judges}");
}

/// Whether Sequoia's library, which knows both versions, takes it.
pub(crate) fn library_takes(key: &SigningKey, signature: &[u8], artifact: &Path) -> bool {
    use sequoia_openpgp::parse::Parse;
    use sequoia_openpgp::{packet::Signature, Cert, PacketPile};
    let cert = Cert::from_bytes(&key.certificate).expect("a certificate");
    let pile = PacketPile::from_bytes(signature).expect("packets");
    let packets: Vec<_> = pile.into_children().collect();
    let [sequoia_openpgp::Packet::Signature(signature)] = packets.as_slice() else {
        return false;
    };
    let signature: Signature = signature.clone();
    let bytes = fs::read(artifact).expect("an artifact");
    // It may be a subkey.
    let is_it = |found: sequoia_openpgp::Fingerprint| found.to_hex() == key.fingerprint;
    let mut keys = cert.keys();
    let signing = keys.find(|found| is_it(found.key().fingerprint()));
    let signing = signing.expect("the key is one of the certificate's");
    signature.verify_message(signing.key(), bytes).is_ok()
}

fn gpg(folder: &TempDir, certificate: &Path, signature: &Path, artifact: &Path) -> Output {
    let gpg = || {
        let mut command = Command::new("gpg");
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .arg("--homedir")
            .arg(folder.path())
            .args(["--batch", "--no-autostart", "--trust-model", "always"]);
        command
    };
    let imported = run(gpg().arg("--import").arg(certificate));
    assert!(
        imported.status.success(),
        "{}",
        String::from_utf8_lossy(&imported.stderr)
    );
    run(gpg().arg("--verify").args([signature, artifact]))
}

fn run(command: &mut Command) -> Output {
    let name = command.get_program().to_os_string();
    command
        .output()
        .unwrap_or_else(|error| panic!("{} is needed: {error}", name.display()))
}

/// rsop as `cargo xtask test` installs it, or from PATH.
fn rsop() -> PathBuf {
    let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/bin/rsop");
    match installed.is_file() {
        true => installed,
        false => "rsop".into(),
    }
}
