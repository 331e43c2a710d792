//! Programs that verify OpenPGP signatures and share no code with what made them: GnuPG, Sequoia
//! (an older release, over Nettle) and rPGP.
//!
//! A file with many signatures over one artifact is verified in one run; every program says of
//! each good one when it was created, which tells them apart.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// A program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// GnuPG.
    Gpgv,
    /// Sequoia's stateless interface.
    Sqop,
    /// rPGP's stateless interface, installed by `cargo xtask test --part tools`.
    Rsop,
}

impl Verifier {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gpgv, Self::Sqop, Self::Rsop];

    /// Creation times, in seconds since 1970 and in ascending order, of those of `signatures` (one
    /// packet after the other) that are good signatures of `artifact` by the key of `certificate`
    /// whose `fingerprint` is in hexadecimal.
    pub fn good(
        self,
        certificate: &[u8],
        fingerprint: &str,
        signatures: &[u8],
        artifact: &[u8],
    ) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("certificate"), certificate).unwrap();
        std::fs::write(path("signatures"), signatures).unwrap();
        std::fs::write(path("artifact"), artifact).unwrap();
        let mut command = Command::new(self.program());
        match self {
            Self::Gpgv => command.args(["--homedir", ".", "--status-fd", "1"]).args([
                "--keyring",
                "./certificate",
                "signatures",
                "artifact",
            ]),
            Self::Sqop | Self::Rsop => command
                .args(["verify", "signatures", "certificate"])
                .stdin(std::fs::File::open(path("artifact")).unwrap()),
        };
        let output = command
            .current_dir(&folder)
            .stderr(Stdio::null())
            .output()
            .unwrap_or_else(|_| panic!("{self:?} is needed for this test"));
        let text = String::from_utf8(output.stdout).unwrap();
        let wanted = fingerprint.to_uppercase();
        let lines = text.lines();
        let mut good: Vec<u64> = lines
            .filter_map(|line| self.created(line, &wanted))
            .collect();
        good.sort_unstable();
        good
    }

    /// When a signature was created that a line of output calls good.
    fn created(self, line: &str, fingerprint: &str) -> Option<u64> {
        let words: Vec<&str> = line.split(' ').collect();
        match (self, words.as_slice()) {
            (Self::Gpgv, ["[GNUPG:]", "VALIDSIG", signer, _, created, ..]) => {
                (*signer == fingerprint).then(|| created.parse().unwrap())
            }
            (Self::Gpgv, _) => None,
            (Self::Sqop | Self::Rsop, [created, signer, ..]) => {
                let ours = signer.to_uppercase() == fingerprint;
                let created = humantime::parse_rfc3339(created).unwrap();
                let created = created.duration_since(SystemTime::UNIX_EPOCH).unwrap();
                ours.then_some(created.as_secs())
            }
            (Self::Sqop | Self::Rsop, _) => None,
        }
    }

    fn program(self) -> PathBuf {
        match self {
            Self::Gpgv => "gpgv".into(),
            Self::Sqop => "sqop".into(),
            Self::Rsop => beside_the_tests("rsop").unwrap_or_else(|| "rsop".into()),
        }
    }
}

/// The program `name` in `tools/bin` of the target folder that this test was built in.
fn beside_the_tests(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let tools = |folder: &Path| folder.join("tools/bin").join(name);
    test.ancestors().map(tools).find(|path| path.is_file())
}
