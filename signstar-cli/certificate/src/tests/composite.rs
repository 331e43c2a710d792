//! Certificates of a key with two halves (RFC 9980), which are of version 6 or do not exist.

use sequoia_openpgp::cert::{CertBuilder, CipherSuite};
use sequoia_openpgp::crypto::{KeyPair, Signer as _, mpi};
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::types::HashAlgorithm as PgpHash;
use sequoia_openpgp::{Cert, Packet, Profile as PgpProfile};
use signstar_core::SignatureValue;

use super::*;

/// A composite key in the library's memory: only tokens have them here.
struct Composite {
    public: PublicKey,
    pair: KeyPair,
    signed: usize,
}

impl Composite {
    fn new() -> Self {
        let builder = CertBuilder::new()
            .set_profile(PgpProfile::RFC9580)
            .unwrap()
            .set_cipher_suite(CipherSuite::MLDSA65_Ed25519);
        let (cert, _) = builder.add_userid("x").generate().unwrap();
        let key = cert.primary_key().key().clone();
        let mpi::PublicKey::MLDSA65_Ed25519 { eddsa, mldsa } = key.mpis().clone() else {
            panic!("not composite");
        };
        let secret = key.parts_into_secret().unwrap();
        Self {
            public: PublicKey::MlDsa65Ed25519 {
                ed25519: *eddsa,
                ml_dsa: mldsa,
            },
            pair: secret.into_keypair().unwrap(),
            signed: 0,
        }
    }
}

impl Signer for Composite {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        self.signed += 1;
        let hash = PgpHash::from(digest.algorithm().openpgp_id());
        let signed = self.pair.sign(hash, digest.as_bytes()).unwrap();
        let mpi::Signature::MLDSA65_Ed25519 { eddsa, mldsa } = signed else {
            panic!("not composite");
        };
        Ok(RawSignature {
            value: SignatureValue::MlDsa65Ed25519 {
                ed25519: eddsa,
                ml_dsa: mldsa,
            },
            counter: None,
        })
    }
}

#[test]
fn a_certificate_of_version_6_is_valid_and_its_key_signs() {
    let mut signer = Composite::new();
    let made = create(&mut signer, &request(KeyVersion::V6)).unwrap();
    assert_eq!(made.fingerprint.len(), 64);
    assert_eq!(signer.signed, 3);
    let later = created() + 2 * DAY;
    let key = Certificate::parse(&made.certificate)
        .unwrap()
        .signing_key(None, later)
        .unwrap();
    assert_eq!(*key.public_key(), signer.public);
    assert_eq!(key.fingerprint(), made.fingerprint);
    let named = fingerprint(&signer.public, created(), KeyVersion::V6);
    assert_eq!(named, Some(made.fingerprint.clone()));
    let since = later.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let profile = Profile::default();
    let signed = assembly::sign(&key, &mut signer, profile, b"artifact", since.as_secs());

    // The library judges certificate, signature and revocation under its own policy.
    let cert = Cert::from_bytes(&made.certificate).unwrap();
    let policy = StandardPolicy::new();
    let valid = cert.with_policy(&policy, later).unwrap();
    assert!(valid.primary_key().for_signing() && valid.alive().is_ok());
    let Packet::Signature(signature) = Packet::from_bytes(&signed.packet).unwrap() else {
        panic!("not a signature");
    };
    let primary = cert.primary_key().key();
    assert!(signature.verify_message(primary, b"artifact").is_ok());
    assert!(signature.verify_message(primary, b"artifacts").is_err());
    let Packet::Signature(revocation) = Packet::from_bytes(&made.revocation).unwrap() else {
        panic!("not a revocation");
    };
    assert_eq!(
        revocation
            .verify_primary_key_revocation(primary, primary)
            .ok(),
        Some(())
    );
}

#[test]
fn a_certificate_of_version_4_is_refused_before_the_device_signs() {
    let mut signer = Composite::new();
    let refused = create(&mut signer, &request(KeyVersion::V4));
    assert_eq!(refused, Err(CreateError::Version));
    assert_eq!(signer.signed, 0);
    assert_eq!(fingerprint(&signer.public, created(), KeyVersion::V4), None);
}
