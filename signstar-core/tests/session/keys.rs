//! One key of every kind, made once, with its certificate and its secret.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::{CertBuilder, CipherSuite};
use sequoia_openpgp::crypto::{KeyPair, Signer as _, mpi};
use sequoia_openpgp::packet::UserID;
use sequoia_openpgp::packet::key::{Key4, PrimaryRole, SecretParts};
use sequoia_openpgp::packet::prelude::SignatureBuilder;
use sequoia_openpgp::serialize::SerializeInto;
use sequoia_openpgp::types::{HashAlgorithm as PgpHash, KeyFlags, SignatureType};
use sequoia_openpgp::{Cert, Packet, Profile as PgpProfile};
use signstar_core::{
    Certificate, Digest, PublicKey, RawSignature, SecretKey, SignatureValue, Signer, SignerError,
    SigningKey,
};

/// All test keys are made at this time: 2025-06-15T00:00:00Z.
pub(crate) fn created() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_749_945_600)
}

/// A moment in which the test keys are valid: a hundred days later.
pub(crate) fn noon() -> SystemTime {
    created() + Duration::from_secs(100 * 86_400)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ed25519Legacy,
    Ed25519,
    P256,
    P384,
    P521,
    Rsa2048,
    Ed25519V6,
    P256V6,
    Composite,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Ed25519Legacy,
        Self::Ed25519,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa2048,
        Self::Ed25519V6,
        Self::P256V6,
        Self::Composite,
    ];

    pub(crate) fn is_v6(self) -> bool {
        matches!(self, Self::Ed25519V6 | Self::P256V6 | Self::Composite)
    }

    fn generate(self) -> Cert {
        let suite = match self {
            Self::Ed25519 => return new_ed25519_in_v4(),
            Self::Ed25519Legacy | Self::Ed25519V6 => CipherSuite::Cv25519,
            Self::P256 | Self::P256V6 => CipherSuite::P256,
            Self::P384 => CipherSuite::P384,
            Self::P521 => CipherSuite::P521,
            Self::Rsa2048 => CipherSuite::RSA2k,
            Self::Composite => CipherSuite::MLDSA65_Ed25519,
        };
        let profile = match self.is_v6() {
            true => PgpProfile::RFC9580,
            false => PgpProfile::RFC4880,
        };
        builder(suite, profile).generate().unwrap().0
    }
}

/// A certificate whose primary key signs.
pub(crate) fn builder(suite: CipherSuite, profile: PgpProfile) -> CertBuilder<'static> {
    CertBuilder::new()
        .set_profile(profile)
        .unwrap()
        .set_cipher_suite(suite)
        .set_primary_key_flags(KeyFlags::empty().set_certification().set_signing())
        .set_creation_time(created())
        .add_userid("Test <test@example.org>")
}

/// The new Ed25519 (algorithm 27) in a version 4 key, which no profile of the library makes.
fn new_ed25519_in_v4() -> Cert {
    let mut key: Key4<SecretParts, PrimaryRole> = Key4::generate_ed25519().unwrap();
    key.set_creation_time(created()).unwrap();
    let key = sequoia_openpgp::packet::Key::from(key);
    let mut signer = key.clone().into_keypair().unwrap();
    let cert = Cert::from_packets(vec![Packet::from(key)].into_iter()).unwrap();
    let user = UserID::from("Test <test@example.org>");
    let binding = SignatureBuilder::new(SignatureType::PositiveCertification)
        .set_signature_creation_time(created())
        .unwrap()
        .set_key_flags(KeyFlags::empty().set_certification().set_signing())
        .unwrap()
        .sign_userid_binding(&mut signer, None, &user)
        .unwrap();
    cert.insert_packets([Packet::from(user), binding.into()])
        .unwrap()
        .0
}

/// A key of this kind, always the same one.
pub(crate) fn cert(kind: Kind) -> &'static Cert {
    static MADE: [OnceLock<Cert>; Kind::ALL.len()] = [const { OnceLock::new() }; Kind::ALL.len()];
    MADE[kind as usize].get_or_init(|| kind.generate())
}

/// The file that an operator would configure as certificate.
pub(crate) fn public_file(cert: &Cert) -> Vec<u8> {
    cert.clone().strip_secret_key_material().to_vec().unwrap()
}

/// The key in it that signs at [`noon`].
pub(crate) fn signing_key(kind: Kind) -> SigningKey {
    Certificate::parse(&public_file(cert(kind)))
        .unwrap()
        .signing_key(None, noon())
        .unwrap()
}

/// A device that holds the secret of `key`.
pub(crate) fn device(cert: &Cert, key: &SigningKey) -> Box<dyn Signer> {
    if key.public_key().is_composite() {
        return Box::new(Composite::new(cert, key));
    }
    let file = cert.as_tsk().to_vec().unwrap();
    let secret = SecretKey::parse(&file, &key.fingerprint(), None).unwrap();
    signstar_software::open(secret.into_material())
        .unwrap()
        .signer
}

/// A composite key in the library's memory, where no back end of ours has one.
struct Composite {
    public: PublicKey,
    pair: KeyPair,
}

impl Composite {
    fn new(cert: &Cert, key: &SigningKey) -> Self {
        let secret = cert.primary_key().key().clone().parts_into_secret();
        Self {
            public: key.public_key().clone(),
            pair: secret.unwrap().into_keypair().unwrap(),
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
        let hash = PgpHash::from(digest.algorithm().openpgp_id());
        match self.pair.sign(hash, digest.as_bytes()).unwrap() {
            mpi::Signature::MLDSA65_Ed25519 { eddsa, mldsa } => Ok(RawSignature {
                value: SignatureValue::MlDsa65Ed25519 {
                    ed25519: eddsa,
                    ml_dsa: mldsa,
                },
                counter: None,
            }),
            other => panic!("not composite: {other:?}"),
        }
    }
}
