//! Keys on PKCS#11 tokens. No module is ever loaded here: signatures for certificates are made through the
//! worker of the login shell, which signs one digest and ends, so each has a worker of its own; keys are
//! made, and tokens listed, through another process, the provisioner.
//!
//! Deliberately absent: deleting and replacing keys, initialising tokens and changing their PINs, all of which
//! a token has tools of its own for.

mod making;
mod tokens;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use signstar::back_ends::pkcs11::Pkcs11;
use signstar::config::Key;
use signstar::trusted_file::describe;
use signstar_confine::start_helper;
use signstar_core::{Digest, Opened, PublicKey, RawSignature, Signer, SignerError};
use signstar_pkcs11::provision::{Fault, KINDS, ProvisionError};

use super::{BackEnd, Held, Seen, settings_of};
use crate::failure::{Failure, Status};
use crate::settings::Settings;

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "pkcs11",
    open,
    look,
    generate: making::generate,
    kinds: &KINDS,
    options: &["--pin-file", "--module-write", "--account"],
    import: Some(making::import),
    search: Some(tokens::search),
    storage_key: None,
    shelf: None,
};

/// The program that loads modules to list tokens and make keys.
const PROVISIONER: &str = "/usr/lib/signstar/signstar-pkcs11-provisioner";

/// Starts the provisioner, and gives this end of its socket.
fn start(environment: &[(String, String)]) -> Result<OwnedFd, Failure> {
    let program = Path::new(PROVISIONER);
    let helper = start_helper(program, environment).map_err(|error| {
        let text = format!("starting {PROVISIONER}: {}", describe(&error));
        Failure::new(Status::Unavailable, text)
    })?;
    Ok(helper.socket)
}

impl From<ProvisionError> for Failure {
    fn from(error: ProvisionError) -> Self {
        let fault = match error {
            ProvisionError::Broken(error) => return error.into(),
            ProvisionError::Refused(fault) => fault,
        };
        match fault {
            Fault::LabelTaken | Fault::IdTaken => Self::new(Status::CannotCreate, fault.error()),
            Fault::Mechanism => Self::new(Status::Usage, fault.error()),
            other => other.error().into(),
        }
    }
}

fn open(_: &Settings, key: &Key) -> Result<Held, Failure> {
    let token: &Pkcs11 = settings_of(key)?;
    let patience = Duration::from_secs(key.device_seconds);
    let public = token.open_any(patience)?.signer.public_key().clone();
    Ok(Held {
        signer: Box::new(Workers {
            token: token.clone(),
            patience,
            public,
        }),
        stored: None,
        place: format!("PKCS#11 token, {}", token.uri),
    })
}

/// The worker says which key it is, the provisioner how the token's PIN is: neither is sent it.
fn look(settings: &Settings, key: &Key) -> Result<Seen, Failure> {
    let token: &Pkcs11 = settings_of(key)?;
    let mut seen = Seen::of(&open(settings, key)?);
    let pin = tokens::pin_of(token, Duration::from_secs(key.device_seconds))?;
    let pin = pin.map(|pin| ("pin", pin.name().into()));
    seen.state.extend(pin);
    Ok(seen)
}

/// A worker for each digest. All must have the same key.
struct Workers {
    token: Pkcs11,
    patience: Duration,
    public: PublicKey,
}

impl Signer for Workers {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        let failed = |failure: signstar_core::Failure| SignerError::Unavailable(failure.detail);
        let Opened { mut signer, .. } = self.token.open_any(self.patience).map_err(failed)?;
        match *signer.public_key() == self.public {
            true => signer.sign(digest),
            false => {
                let text = "the token holds another key than a moment ago";
                Err(SignerError::Failed(text.to_owned()))
            }
        }
    }
}
