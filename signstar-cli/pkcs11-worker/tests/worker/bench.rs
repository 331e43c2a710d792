//! Workers for tests: started as the login shell starts them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use signstar_confine::{Helper, start_helper};
use signstar_core::{Digest, ModuleSettings, PublicKey, RawSignature, Signer, SignerError};
use signstar_testkit::token::{PIN, Token};
use zeroize::Zeroizing;

/// Long enough for a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that a worker is started with.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) settings: ModuleSettings,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) pin: String,
    pub(crate) patience: Duration,
}

/// The worker that was built with this test.
pub(crate) fn worker() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_signstar-pkcs11-worker"))
}

fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap()
}

impl Bench {
    /// For the key that every token here has.
    pub(crate) fn new(token: &Token) -> Self {
        let configuration = text(token.configuration());
        Self {
            settings: ModuleSettings {
                module: text(token.software.module()),
                uri: "pkcs11:token=Package%20signing;object=signing".to_owned(),
                read: vec![configuration.clone()],
                write: vec![text(token.tokens())],
                processor_seconds: 60,
            },
            environment: vec![(token.software.variable().to_owned(), configuration)],
            pin: PIN.to_owned(),
            patience: PATIENCE,
        }
    }

    /// With another URI.
    pub(crate) fn uri(mut self, uri: &str) -> Self {
        self.settings.uri = uri.to_owned();
        self
    }

    /// With another PIN.
    pub(crate) fn pin(mut self, pin: &str) -> Self {
        self.pin = pin.to_owned();
        self
    }

    /// Starts a worker and does nothing with it.
    pub(crate) fn start(&self) -> Helper {
        start_helper(worker(), &self.environment).unwrap()
    }

    /// Starts a worker and opens the key.
    pub(crate) fn open(&self) -> Result<Box<dyn Signer>, SignerError> {
        let helper = self.start();
        self.open_with(helper)
    }

    /// Opens the key by a worker that runs.
    pub(crate) fn open_with(&self, helper: Helper) -> Result<Box<dyn Signer>, SignerError> {
        let pin = Zeroizing::new(self.pin.clone().into_bytes());
        let opened =
            signstar_pkcs11::open(helper.socket, self.settings.clone(), pin, self.patience);
        opened.map(|opened| opened.signer)
    }

    /// A signer that starts a worker for each digest.
    pub(crate) fn signer(self) -> Fresh {
        let public = self.open().unwrap().public_key().clone();
        Fresh {
            bench: self,
            public,
        }
    }
}

/// A worker signs one digest; this signs as many as are wanted, each by a worker of its own.
pub(crate) struct Fresh {
    bench: Bench,
    public: PublicKey,
}

impl Signer for Fresh {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.bench.open()?.sign(digest)
    }
}
