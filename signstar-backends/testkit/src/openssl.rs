//! Raw signatures verified by OpenSSL's command line, which shares no code with any back end here.
//!
//! The versions of today's distributions know no ML-DSA: that half of a composite signature is verified
//! by RustCrypto's crate, which shares none with the tokens.

use std::path::PathBuf;
use std::process::Command;

use ml_dsa::signature::Verifier;
use ml_dsa::{MlDsa65, Signature, VerifyingKey};
use signstar_core::{Digest, PublicKey, SignatureValue};

use crate::der;

/// A public key in a file that OpenSSL reads.
pub struct OpenSsl {
    folder: tempfile::TempDir,
    key: PublicKey,
}

impl OpenSsl {
    /// Takes `key`, which OpenSSL must find to be one: a point on its curve, say.
    pub fn new(key: &PublicKey) -> Self {
        let this = Self {
            folder: tempfile::tempdir().unwrap(),
            key: key.clone(),
        };
        let file = this.write("public.der", &der::public_key(key));
        let file = file.to_str().unwrap();
        let check = ["pkey", "-pubin", "-inform", "DER", "-in", file, "-noout"];
        assert!(run(&check), "OpenSSL does not read the public key");
        if matches!(key, PublicKey::Ecdsa { .. }) {
            let check = [&check[..], &["-pubcheck"]].concat();
            assert!(run(&check), "OpenSSL does not find the point on its curve");
        }
        this
    }

    /// Whether OpenSSL takes `signature` for one of `digest` by this key.
    pub fn verifies(&self, digest: &Digest, signature: &SignatureValue) -> bool {
        let hash = format!("digest:{}", digest.algorithm());
        let (encoded, options) = match signature {
            SignatureValue::Ed25519(bytes) => (bytes.to_vec(), ["-rawin"].to_vec()),
            SignatureValue::Ecdsa { r, s } => (der::integers(&[r, s]), vec!["-pkeyopt", &hash]),
            SignatureValue::Rsa(bytes) => (bytes.clone(), vec!["-pkeyopt", &hash]),
            SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa } => {
                if !self.verifies_ml_dsa(digest, ml_dsa.as_slice()) {
                    return false;
                }
                (ed25519.to_vec(), vec!["-rawin"])
            }
        };
        let public = self.folder.path().join("public.der");
        let signature = self.write("signature", &encoded);
        let digest = self.write("digest", digest.as_bytes());
        let [public, signature, digest] =
            [&public, &signature, &digest].map(|path| path.to_str().unwrap());
        let verify = ["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey"];
        let files = [public, "-sigfile", signature, "-in", digest];
        run(&[&verify[..], &files, &options].concat())
    }

    fn verifies_ml_dsa(&self, digest: &Digest, signature: &[u8]) -> bool {
        let PublicKey::MlDsa65Ed25519 { ml_dsa, .. } = &self.key else {
            return false;
        };
        let key = VerifyingKey::<MlDsa65>::decode(ml_dsa.as_ref().into());
        let signature = Signature::<MlDsa65>::try_from(signature);
        signature.is_ok_and(|signature| key.verify(digest.as_bytes(), &signature).is_ok())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn run(arguments: &[&str]) -> bool {
    let output = Command::new("openssl")
        .args(arguments)
        .output()
        .expect("openssl is needed for this test");
    output.status.success()
}
