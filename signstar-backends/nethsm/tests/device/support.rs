//! What the tests here share.

use signstar_core::{Digest, HashAlgorithm, Hasher, Signer, SignerError};
use signstar_testkit::nethsm::NetHsm;
use signstar_testkit::openssl::OpenSsl;

/// The operations that a signature takes.
pub(crate) const READ: &str = "keys_key_id_get";
pub(crate) const SIGN: &str = "keys_key_id_sign_post";

/// A digest of `text`.
pub(crate) fn digest(text: &str) -> Digest {
    let mut hasher = Hasher::new(HashAlgorithm::Sha512, u64::MAX);
    hasher.update(text.as_bytes()).unwrap();
    hasher.finish()
}

/// A simulator with an Ed25519 key.
pub(crate) fn device() -> (NetHsm, String) {
    let device = NetHsm::simulated();
    let key = device.generate("ed25519");
    (device, key)
}

/// Has something signed, which must verify; the counter.
pub(crate) fn signs(signer: &mut dyn Signer) -> Option<u64> {
    let openssl = OpenSsl::new(signer.public_key());
    let raw = signer.sign(&digest("signed")).unwrap();
    assert!(openssl.verifies(&digest("signed"), &raw.value));
    raw.counter
}

/// The kind of an error, and that its text is one line without anything of the device's.
#[track_caller]
pub(crate) fn kind(error: &SignerError) -> &'static str {
    let text = error.to_string();
    assert!(
        !text.contains(['\n', '{', '"']) && text.is_ascii(),
        "{text}"
    );
    assert!(
        !text.contains(signstar_testkit::nethsm::PASSPHRASE),
        "{text}"
    );
    match error {
        SignerError::Unavailable(_) => "unavailable",
        SignerError::Busy(_) => "busy",
        SignerError::Credential(_) => "credential",
        SignerError::Failed(_) => "failed",
        SignerError::TryAgain(_) => "again",
    }
}
