//! Whether a detached signature is one of a certain key over certain bytes.

use std::io::{self, Read};

use sequoia_openpgp::cert::Cert;
use sequoia_openpgp::parse::Parse as _;
use sequoia_openpgp::parse::stream::{
    DetachedVerifierBuilder, MessageLayer, MessageStructure, VerificationHelper,
};
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::{KeyHandle, Result};

/// Why a signature is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify: {0}")]
pub struct VerifyError(String);

/// Verifies `signature`, one packet, over `artifact` with the key `fingerprint` of `certificate`
/// (binary or armored).
///
/// # Errors
/// It is not exactly one signature of that key over these bytes, or the certificate is none.
pub fn verify(
    certificate: &[u8],
    fingerprint: &str,
    signature: &[u8],
    artifact: impl Read + Send + Sync,
) -> std::result::Result<(), VerifyError> {
    let failed = |error: &dyn std::fmt::Display| VerifyError(error.to_string());
    let certificate = Cert::from_bytes(certificate).map_err(|error| failed(&error))?;
    let policy = StandardPolicy::new();
    let judge = Judge {
        certificate,
        fingerprint: fingerprint.to_owned(),
    };
    let mut verifier = DetachedVerifierBuilder::from_bytes(signature)
        .and_then(|builder| builder.with_policy(&policy, None, judge))
        .map_err(|error| failed(&error))?;
    verifier
        .verify_reader(io::BufReader::new(artifact))
        .map_err(|error| failed(&error))
}

struct Judge {
    certificate: Cert,
    fingerprint: String,
}

impl VerificationHelper for Judge {
    fn get_certs(&mut self, _: &[KeyHandle]) -> Result<Vec<Cert>> {
        Ok(vec![self.certificate.clone()])
    }

    fn check(&mut self, structure: MessageStructure<'_>) -> Result<()> {
        let refused = |text: String| Err(io::Error::other(text).into());
        let mut layers = structure.into_iter();
        let (Some(MessageLayer::SignatureGroup { results }), None) = (layers.next(), layers.next())
        else {
            return refused("not a detached signature".to_owned());
        };
        match results.as_slice() {
            [Ok(good)] if good.ka.key().fingerprint().to_hex() == self.fingerprint => Ok(()),
            [Ok(_)] => refused("made by another key".to_owned()),
            [Err(error)] => refused(error.to_string()),
            _ => refused("not exactly one signature".to_owned()),
        }
    }
}
