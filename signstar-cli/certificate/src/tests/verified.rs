//! Which detached signatures verify, and which do not.

use signstar_core::{Certificate, KeyKind, KeyVersion, Profile};
use signstar_testkit::assembly;

use super::{DAY, VERSIONS, created, request, software};
use crate::{create, verify};

/// A certificate, the fingerprint of its key, and a signature of `artifact`.
fn signed(version: KeyVersion, artifact: &[u8]) -> (Vec<u8>, String, Vec<u8>) {
    let mut signer = software(KeyKind::Ed25519);
    let made = create(signer.as_mut(), &request(version)).unwrap();
    let later = created() + 2 * DAY;
    let key = Certificate::parse(&made.certificate)
        .and_then(|certificate| certificate.signing_key(None, later))
        .unwrap();
    let seconds = later
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let profile = Profile::default();
    let signature = assembly::sign(&key, signer.as_mut(), profile, artifact, seconds);
    (made.certificate, key.fingerprint(), signature.packet)
}

#[test]
fn only_one_signature_of_this_key_over_these_bytes_verifies() {
    for version in VERSIONS {
        let (certificate, fingerprint, signature) = signed(version, b"artifact");
        let judge = |certificate: &[u8], fingerprint: &str, signature: &[u8], artifact| {
            verify(certificate, fingerprint, signature, artifact).map_err(|error| error.to_string())
        };
        let good = judge(&certificate, &fingerprint, &signature, &b"artifact"[..]);
        assert_eq!(good, Ok(()), "{version:?}");

        let other_bytes = judge(&certificate, &fingerprint, &signature, &b"artifacts"[..]);
        assert!(other_bytes.is_err());
        let other_key = judge(&certificate, &"0".repeat(40), &signature, &b"artifact"[..]);
        assert_eq!(
            other_key,
            Err("the signature does not verify: made by another key".to_owned())
        );
        let (stranger, _, _) = signed(version, b"artifact");
        assert!(judge(&stranger, &fingerprint, &signature, &b"artifact"[..]).is_err());
        let twice = signature.repeat(2);
        let twice = judge(&certificate, &fingerprint, &twice, &b"artifact"[..]);
        assert_eq!(
            twice,
            Err("the signature does not verify: not exactly one signature".to_owned())
        );
        assert!(judge(&certificate, &fingerprint, b"", &b"artifact"[..]).is_err());
        assert!(judge(b"", &fingerprint, &signature, &b"artifact"[..]).is_err());
    }
}
