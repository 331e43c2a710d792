//! Keys on PKCS#11 tokens, through the worker of the login shell. It signs one digest and ends, so
//! each signature for a certificate has a worker of its own.
//!
//! Deliberately absent: making keys. The worker can sign and nothing else, and a token has tools of
//! its own.

use std::time::Duration;

use signstar::back_ends::pkcs11::Pkcs11;
use signstar::config::Key;
use signstar_core::{Digest, Opened, PublicKey, RawSignature, Signer, SignerError};

use super::{BackEnd, Held, Made, Seen, settings_of};
use crate::cli::Generate;
use crate::failure::{Failure, Status};
use crate::settings::Settings;

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "pkcs11",
    open,
    look: |settings, key| Ok(Seen::of(&open(settings, key)?)),
    generate,
    options: &[],
    import: None,
    search: None,
    storage_key: None,
    shelf: None,
};

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

fn generate(_: &Settings, options: &Generate) -> Result<Made, Failure> {
    let text = format!(
        "[key.{}] is on a PKCS#11 token: make it with the token's own tools (pkcs11-tool \
         --keypairgen, say), then go on with cert create",
        options.key
    );
    Err(Failure::new(Status::Usage, text))
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
