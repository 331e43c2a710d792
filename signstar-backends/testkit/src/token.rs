//! PKCS#11 tokens in software that nobody here wrote: SoftHSM and kryoptic. Each token is a fresh
//! folder; keys are made by OpenSC's `pkcs11-tool`, so that nothing of ours makes them, or where it
//! knows none, for ML-DSA, by a few lines of C.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A PIN that is searched for where it must not be.
pub const PIN: &str = "8675309-horse";
/// The security officer's.
pub const SO_PIN: &str = "1029384756-so";

/// A module that keeps its tokens in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    /// SoftHSM 2.6, of the distribution.
    SoftHsm,
    /// kryoptic 1.5, which `cargo xtask tools` builds.
    Kryoptic,
}

/// The kinds of key that both modules make, by the names that
/// [`PublicKey::name`](signstar_core::PublicKey::name) gives them, and what `pkcs11-tool` calls them.
pub const KINDS: [(&str, &str); 7] = [
    ("ed25519", "EC:edwards25519"),
    ("p256", "EC:prime256v1"),
    ("p384", "EC:secp384r1"),
    ("p521", "EC:secp521r1"),
    ("rsa2048", "rsa:2048"),
    ("rsa3072", "rsa:3072"),
    ("rsa4096", "rsa:4096"),
];

impl Software {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SoftHsm => "SoftHSM",
            Self::Kryoptic => "kryoptic",
        }
    }

    /// The shared library.
    pub fn module(self) -> PathBuf {
        match self {
            Self::SoftHsm => PathBuf::from("/usr/lib/softhsm/libsofthsm2.so"),
            Self::Kryoptic => {
                // The tests lie in a folder of the target folder, the tools in another one.
                let own = std::env::current_exe().expect("the test has a path");
                let target = own.ancestors().nth(3).expect("a target folder");
                let module = target.join("tools/lib/libkryoptic_pkcs11.so");
                let shown = module.display();
                assert!(
                    module.is_file(),
                    "{shown} is not there: run `cargo xtask test --part tools`"
                );
                module
            }
        }
    }

    /// The variable that names its configuration.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::SoftHsm => "SOFTHSM2_CONF",
            Self::Kryoptic => "KRYOPTIC_CONF",
        }
    }

    /// A configuration with all tokens in `folder`.
    pub fn configuration(self, folder: &Path) -> String {
        let folder = folder.display();
        match self {
            Self::SoftHsm => format!(
                "directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n"
            ),
            Self::Kryoptic => format!(
                "[[slots]]\nslot = 7\ndbtype = \"sqlite\"\ndbargs = \"{folder}/token.sql\"\n"
            ),
        }
    }

    /// Makes a token `label` with [`PIN`], by the configuration in the file `configuration`.
    pub fn initialize(self, configuration: &Path, label: &str) -> Vec<Command> {
        let pins = ["--so-pin", SO_PIN];
        match self {
            Self::SoftHsm => {
                let mut command = Command::new("softhsm2-util");
                command.args(["--init-token", "--free", "--label", label, "--pin", PIN]);
                command.args(pins).env(self.variable(), configuration);
                vec![command]
            }
            Self::Kryoptic => {
                let mut token = self.tool(configuration);
                token.args(["--init-token", "--label", label]).args(pins);
                let mut user = self.tool(configuration);
                user.args(["--init-pin", "--login", "--login-type", "so"]);
                user.args(pins).args(["--new-pin", PIN]);
                vec![token, user]
            }
        }
    }

    /// Makes a key pair of the kind `kind` on the token `token`.
    pub fn generate(self, configuration: &Path, token: &str, kind: &str, key: &Key<'_>) -> Command {
        let (_, kind) = KINDS
            .into_iter()
            .find(|(name, _)| *name == kind)
            .expect("a known kind");
        let mut command = self.tool(configuration);
        command.args(["--token-label", token, "--login", "--pin", PIN]);
        command.args(["--keypairgen", "--key-type", kind, "--usage-sign"]);
        command.args(["--label", key.label, "--id", key.id]);
        command
    }

    /// `pkcs11-tool` with this module.
    pub fn tool(self, configuration: &Path) -> Command {
        let mut command = Command::new("pkcs11-tool");
        command.env(self.variable(), configuration);
        command.arg("--module").arg(self.module());
        command
    }
}

/// The names of a key on its token.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    /// CKA_LABEL.
    pub label: &'k str,
    /// CKA_ID, in hexadecimal.
    pub id: &'k str,
}

/// The key that most tests make.
pub const KEY: Key<'static> = Key {
    label: "signing",
    id: "01",
};

/// A token in a folder of its own, made by the test that uses it.
pub struct Token {
    /// Which software.
    pub software: Software,
    folder: tempfile::TempDir,
}

/// The Ed25519 half of a composite key, whose ML-DSA half is [`KEY`].
pub const ED25519_HALF: Key<'static> = Key {
    label: "signing-ed25519",
    id: "02",
};

/// The sets of parameters of ML-DSA (FIPS 204).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MlDsa {
    /// The smallest.
    MlDsa44,
    /// The one of RFC 9980.
    MlDsa65,
}

/// The label of each token here.
pub const LABEL: &str = "Package signing";

impl Token {
    /// A token without keys.
    pub fn empty(software: Software) -> Self {
        let new = Self {
            software,
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(new.tokens()).unwrap();
        std::fs::write(new.configuration(), software.configuration(&new.tokens())).unwrap();
        for mut command in software.initialize(&new.configuration(), LABEL) {
            run(&mut command);
        }
        new
    }

    /// A token with one key pair of the kind `kind`, named [`KEY`].
    pub fn with(software: Software, kind: &str) -> Self {
        let new = Self::empty(software);
        new.add(kind, &KEY);
        new
    }

    /// A token with the two key pairs of a composite key, named [`KEY`] and [`ED25519_HALF`]. Only
    /// kryoptic has them.
    pub fn composite() -> Self {
        let new = Self::empty(Software::Kryoptic);
        new.add_ml_dsa(MlDsa::MlDsa65, &KEY);
        new.add("ed25519", &ED25519_HALF);
        new
    }

    /// Makes an ML-DSA key pair.
    pub fn add_ml_dsa(&self, parameters: MlDsa, key: &Key<'_>) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("ml-dsa/generate.c");
        let program = self.folder.path().join("generate");
        run(Command::new("cc")
            .arg("-o")
            .args([&program, &source])
            .arg("-ldl"));
        let number = match parameters {
            MlDsa::MlDsa44 => "1",
            MlDsa::MlDsa65 => "2",
        };
        let mut generate = Command::new(program);
        generate.env(self.software.variable(), self.configuration());
        generate.arg(self.software.module());
        generate.args([PIN, key.label, key.id, number]);
        run(&mut generate);
    }

    /// Makes another key pair.
    pub fn add(&self, kind: &str, key: &Key<'_>) {
        run(&mut self
            .software
            .generate(&self.configuration(), LABEL, kind, key));
    }

    /// The module's configuration.
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("module.conf")
    }

    /// The folder with the token's files.
    pub fn tokens(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }
}

/// Runs a tool, which must succeed.
pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{:?} is needed for this test: {error}",
            command.get_program()
        )
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}
