//! Workers for tests: started as the login shell starts them.

use std::path::PathBuf;
use std::time::Duration;

use signstar_confine::{Helper, start_helper};
use signstar_core::{Digest, ModuleSettings, PublicKey, RawSignature, Signer, SignerError};
use zeroize::Zeroizing;

use crate::token::{PIN, Token};

/// Long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that a worker is started with.
#[derive(Clone)]
pub struct Worker {
    /// The program.
    pub program: PathBuf,
    /// What it is told first.
    pub settings: ModuleSettings,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// The PIN that it gets.
    pub pin: String,
    /// How long an answer may take.
    pub patience: Duration,
}

impl Worker {
    /// `program` for the key that every token here has.
    pub fn new(program: impl Into<PathBuf>, token: &Token) -> Self {
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let configuration = text(token.configuration());
        Self {
            program: program.into(),
            settings: ModuleSettings {
                module: text(token.software.module()),
                uri: "pkcs11:token=Package%20signing;object=signing".to_owned(),
                uri_ed25519: None,
                read: vec![configuration.clone()],
                write: vec![text(token.tokens())],
                processor_seconds: 60,
            },
            environment: vec![(token.software.variable().to_owned(), configuration)],
            pin: PIN.to_owned(),
            patience: PATIENCE,
        }
    }

    /// `program` for the composite key on `token`, made by [`Token::composite`].
    pub fn composite(program: impl Into<PathBuf>, token: &Token) -> Self {
        let mut new = Self::new(program, token);
        let half = "pkcs11:token=Package%20signing;object=signing-ed25519";
        new.settings.uri_ed25519 = Some(half.to_owned());
        new
    }

    /// Starts a worker and does nothing with it.
    pub fn start(&self) -> Helper {
        start_helper(&self.program, &self.environment).unwrap()
    }

    /// Starts a worker and opens the key.
    pub fn open(&self) -> Result<Box<dyn Signer>, SignerError> {
        self.open_with(self.start())
    }

    /// Opens the key by a worker that runs.
    pub fn open_with(&self, helper: Helper) -> Result<Box<dyn Signer>, SignerError> {
        let pin = Zeroizing::new(self.pin.clone().into_bytes());
        let opened =
            signstar_pkcs11::open(helper.socket, self.settings.clone(), pin, self.patience);
        opened.map(|opened| opened.signer)
    }

    /// A signer that starts a worker for each digest, since a worker signs one.
    pub fn signer(self) -> Fresh {
        let public = self.open().unwrap().public_key().clone();
        Fresh {
            worker: self,
            public,
        }
    }
}

/// As many signatures as are wanted, each by a worker of its own.
pub struct Fresh {
    worker: Worker,
    public: PublicKey,
}

impl Signer for Fresh {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.worker.open()?.sign(digest)
    }
}
