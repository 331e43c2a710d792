//! Verifies a detached signature with Sequoia: `xtask-verify CERTIFICATE SIGNATURE FILE`.
//!
//! A program of its own, behind a feature, built like the release: it shares nothing with the
//! login shell's own self-check but the library.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::parse::stream::{
    DetachedVerifierBuilder, MessageLayer, MessageStructure, VerificationHelper,
};
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::{Cert, KeyHandle, Result};

/// The one certificate that a signature must be of.
struct Signer(Cert);

impl VerificationHelper for Signer {
    fn get_certs(&mut self, _: &[KeyHandle]) -> Result<Vec<Cert>> {
        Ok(vec![self.0.clone()])
    }

    fn check(&mut self, structure: MessageStructure<'_>) -> Result<()> {
        let mut good = 0;
        for layer in structure {
            let MessageLayer::SignatureGroup { results } = layer else {
                return Err(io::Error::other("not a detached signature").into());
            };
            for result in results {
                result.map_err(|error| io::Error::other(error.to_string()))?;
                good += 1;
            }
        }
        if good == 1 {
            Ok(())
        } else {
            Err(io::Error::other("not exactly one signature").into())
        }
    }
}

fn verify(certificate: &Path, signature: &Path, file: &Path) -> Result<()> {
    let policy = StandardPolicy::new();
    let signer = Signer(Cert::from_file(certificate)?);
    DetachedVerifierBuilder::from_file(signature)?
        .with_policy(&policy, None, signer)?
        .verify_file(file)
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [certificate, signature, file] = arguments.as_slice() else {
        eprintln!("usage: xtask-verify CERTIFICATE SIGNATURE FILE");
        return ExitCode::FAILURE;
    };
    match verify(certificate.as_ref(), signature.as_ref(), file.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bad signature: {error}");
            ExitCode::FAILURE
        }
    }
}
