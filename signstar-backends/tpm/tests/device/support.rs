//! A TPM with a storage key, and keys below it.

use signstar_core::{Digest, HashAlgorithm, Hasher, KeyKind, Opened, SignerError};
use signstar_testkit::openssl::OpenSsl;
use signstar_testkit::tpm::{Device, Tpm};
use signstar_tpm::provision::{Guessing, KeyFiles, Template, Tool};
use signstar_tpm::{KeyPlace, Parent, Registers, Settings};
use zeroize::Zeroizing;

/// An auth value that is found wherever it stands in clear.
pub(crate) const AUTH: &[u8] = b"OPEN-SESAME-7f3a";

/// Where the storage key is.
pub(crate) const PARENT: &str = "0x81000001";
/// Where the signing key is.
pub(crate) const KEY: &str = "0x81000100";

/// A TPM with a storage key.
pub(crate) struct Scene {
    pub(crate) tpm: Tpm,
    pub(crate) device: Device,
    pub(crate) parent: Parent,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let tpm = Tpm::start();
        let device = tpm.device();
        let mut tool = Tool::open(device.path()).unwrap();
        let parent = tool.create_parent(PARENT.parse().unwrap(), None).unwrap();
        drop(tool);
        Self {
            tpm,
            device,
            parent,
        }
    }

    /// With a key of this kind at [`KEY`], authorised by [`AUTH`].
    pub(crate) fn with(kind: KeyKind) -> Self {
        let scene = Self::new();
        scene.persist(&template(kind));
        scene
    }

    pub(crate) fn tool(&self) -> Tool {
        Tool::open(self.device.path()).unwrap()
    }

    pub(crate) fn create(&self, template: &Template) -> KeyFiles {
        self.tool().create_key(&self.parent, template).unwrap()
    }

    /// Makes a key and keeps it at [`KEY`].
    pub(crate) fn persist(&self, template: &Template) {
        let files = self.create(template);
        let mut tool = self.tool();
        tool.persist(&self.parent, &files, KEY.parse().unwrap(), None)
            .unwrap();
    }

    /// The key at [`KEY`].
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            device: self.device.path().to_owned(),
            parent: self.parent.clone(),
            key: KeyPlace::Persistent(KEY.parse().unwrap()),
            registers: None,
        }
    }

    /// The key in files.
    pub(crate) fn settings_of(&self, files: &KeyFiles) -> Settings {
        let KeyFiles { public, private } = files.clone();
        Settings {
            key: KeyPlace::Files { public, private },
            ..self.settings()
        }
    }

    /// Opens the key at [`KEY`] with [`AUTH`].
    pub(crate) fn open(&self) -> Opened {
        open(&self.settings(), Some(AUTH)).unwrap()
    }
}

pub(crate) fn open(settings: &Settings, auth: Option<&[u8]>) -> Result<Opened, SignerError> {
    signstar_tpm::open(settings, auth.map(|auth| Zeroizing::new(auth.to_vec())))
}

/// A key that is authorised by [`AUTH`].
pub(crate) fn template(kind: KeyKind) -> Template {
    Template {
        kind,
        auth: Some(Zeroizing::new(AUTH.to_vec())),
        registers: None,
        guessing: Guessing::Counted,
    }
}

pub(crate) fn registers(text: &str) -> Option<Registers> {
    Some(text.parse().unwrap())
}

/// A digest that every key signs.
pub(crate) fn digest() -> Digest {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(b"artifact").unwrap();
    hasher.finish()
}

/// Has [`digest`] signed once, and verified.
pub(crate) fn sign(opened: &mut Opened) -> Result<(), SignerError> {
    let raw = opened.signer.sign(&digest())?;
    let openssl = OpenSsl::new(opened.signer.public_key());
    assert!(openssl.verifies(&digest(), &raw.value), "a wrong signature");
    Ok(())
}

/// The error of a failed opening.
#[track_caller]
pub(crate) fn refusal(opened: Result<Opened, SignerError>) -> SignerError {
    opened.err().expect("it must not open")
}
