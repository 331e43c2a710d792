//! A key with two halves (RFC 9980): both sign the digest, or nothing comes out.

use sequoia_openpgp::cert::CipherSuite;
use sequoia_openpgp::crypto::mpi;
use sequoia_openpgp::packet::key::{Key4, PrimaryRole, PublicParts};
use sequoia_openpgp::packet::{Key, Packet, Signature};
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::serialize::SerializeInto;
use sequoia_openpgp::types::PublicKeyAlgorithm;
use sequoia_openpgp::{Cert, Profile as PgpProfile};
use signstar_core::{
    Certificate, CertificateError, Digest, HashAlgorithm, KeyVersion, Profile, RawSignature,
    Refusal, SecretKey, SignatureValue,
};

use crate::keys::{Kind, builder, cert, created, device, noon, public_file, signing_key};
use crate::stage::Play;

/// What the device of `cert` answers.
fn halves(cert: &Cert, digest: &Digest) -> (Box<[u8; 64]>, Box<[u8; 3309]>) {
    let file = Certificate::parse(&public_file(cert)).unwrap();
    let key = file.signing_key(None, noon()).unwrap();
    match device(cert, &key).sign(digest).unwrap().value {
        SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa } => (ed25519, ml_dsa),
        other => panic!("not composite: {other:?}"),
    }
}

type Halves = (Box<[u8; 64]>, Box<[u8; 3309]>);

/// Whether a signature comes out when the device answers so.
fn comes_out(answer: impl Fn(&Digest) -> Halves) -> bool {
    let key = signing_key(Kind::Composite);
    let sign = |digest: &Digest| {
        let (ed25519, ml_dsa) = answer(digest);
        let value = SignatureValue::MlDsa65Ed25519 { ed25519, ml_dsa };
        let counter = None;
        Ok(RawSignature { value, counter })
    };
    let (outcome, notes) = Play::with(&key).run(sign, [b"artifact".as_slice()]);
    assert_eq!(notes.asked(), 1);
    match outcome {
        Ok(_) => true,
        Err(failure) => {
            assert_eq!(failure.refusal, Refusal::SelfCheck, "{failure}");
            false
        }
    }
}

/// A digest that differs from `digest` in one bit.
fn other(digest: &Digest) -> Digest {
    let mut bytes = digest.as_bytes().to_vec();
    bytes[63] ^= 1;
    Digest::new(digest.algorithm(), &bytes).unwrap()
}

#[test]
fn signs_with_every_hash_and_the_library_takes_the_packet() {
    let key = signing_key(Kind::Composite);
    assert_eq!(key.public_key().name(), "mldsa65-ed25519");
    assert_eq!(key.version(), KeyVersion::V6);
    let cert = cert(Kind::Composite);
    for hash in HashAlgorithm::ALL {
        let mut play = Play::with(&key);
        play.salt = [9; 32];
        play.profile = Profile {
            hash,
            ..Profile::default()
        };
        let mut signer = device(cert, &key);
        let (outcome, _) = play.run(|digest| signer.sign(digest), [b"artifact".as_slice()]);
        let packet = outcome.unwrap().into_bytes();
        // One write(2) to a pipe is whole up to 4096 bytes.
        assert!((3373..=4096).contains(&packet.len()), "{}", packet.len());
        let Packet::Signature(signature) = Packet::from_bytes(&packet).unwrap() else {
            panic!("not a signature");
        };
        let takes = |signature: &Signature, text: &str| {
            let primary = cert.primary_key();
            signature.verify_message(primary.key(), text).is_ok()
        };
        assert!(takes(&signature, "artifact"), "{hash}");
        assert!(!takes(&signature, "artifacts"), "{hash}");
        println!("{hash}: {} bytes", packet.len());
    }
}

#[test]
fn one_right_half_is_not_enough() {
    let own = cert(Kind::Composite);
    let (foreign, _) = builder(CipherSuite::MLDSA65_Ed25519, PgpProfile::RFC9580)
        .generate()
        .unwrap();
    assert!(comes_out(|digest| halves(own, digest)));
    // A half of another key, and a half over another digest.
    assert!(!comes_out(|digest| (
        halves(&foreign, digest).0,
        halves(own, digest).1
    )));
    assert!(!comes_out(|digest| (
        halves(own, digest).0,
        halves(&foreign, digest).1
    )));
    assert!(!comes_out(|digest| (
        halves(own, &other(digest)).0,
        halves(own, digest).1
    )));
    assert!(!comes_out(|digest| (
        halves(own, digest).0,
        halves(own, &other(digest)).1
    )));
    assert!(!comes_out(|digest| halves(&foreign, digest)));
}

#[test]
fn sampled_flipped_bits_of_either_half_are_found() {
    let own = cert(Kind::Composite);
    for bit in (0..512).step_by(37) {
        assert!(!comes_out(|digest| {
            let (mut ed25519, ml_dsa) = halves(own, digest);
            ed25519[bit / 8] ^= 1 << (bit % 8);
            (ed25519, ml_dsa)
        }));
    }
    for bit in (0..8 * 3309).step_by(997) {
        assert!(!comes_out(|digest| {
            let (ed25519, mut ml_dsa) = halves(own, digest);
            ml_dsa[bit / 8] ^= 1 << (bit % 8);
            (ed25519, ml_dsa)
        }));
    }
}

/// Half of the answer in the place of the other, as far as it reaches; lengths are of the type.
#[test]
fn halves_that_are_swapped_cut_off_or_alone_are_found() {
    let own = cert(Kind::Composite);
    assert!(!comes_out(|digest| {
        let (ed25519, ml_dsa) = halves(own, digest);
        let mut all = [ml_dsa.as_slice(), ed25519.as_slice()].concat();
        let rest = all.split_off(64);
        (all.try_into().unwrap(), rest.try_into().unwrap())
    }));
    for left in [0, 1, 48, 1600, 3308] {
        assert!(!comes_out(|digest| {
            let (ed25519, mut ml_dsa) = halves(own, digest);
            ml_dsa[left..].fill(0);
            (ed25519, ml_dsa)
        }));
    }
    assert!(!comes_out(|digest| (
        Box::new([0; 64]),
        halves(own, digest).1
    )));
}

#[test]
fn the_device_must_have_both_halves_of_the_certificates_key() {
    let key = signing_key(Kind::Composite);
    let (foreign, _) = builder(CipherSuite::MLDSA65_Ed25519, PgpProfile::RFC9580)
        .generate()
        .unwrap();
    let file = Certificate::parse(&public_file(&foreign)).unwrap();
    let foreign_key = file.signing_key(None, noon()).unwrap();
    let own = device(cert(Kind::Composite), &key);
    assert_eq!(key.check_signer(own.as_ref()), Ok(()));
    let other = device(&foreign, &foreign_key);
    assert!(matches!(
        key.check_signer(other.as_ref()),
        Err(CertificateError::WrongDevice(_))
    ));
}

/// The software back end takes secret keys from files, and has no such keys.
#[test]
fn a_composite_secret_key_file_is_refused() {
    let cert = cert(Kind::Composite);
    let file = cert.as_tsk().to_vec().unwrap();
    let refused = SecretKey::parse(&file, &cert.fingerprint().to_hex(), None);
    assert!(refused.is_err());
}

/// RFC 9980 has these keys in version 6 only; the library reads them in version 4 too.
#[test]
fn a_composite_key_of_version_4_is_refused() {
    let of = cert(Kind::Composite).primary_key().key().mpis().clone();
    let mpi::PublicKey::MLDSA65_Ed25519 { .. } = &of else {
        panic!("not composite");
    };
    let made = Key4::new(created(), PublicKeyAlgorithm::MLDSA65_Ed25519, of);
    let key: Key<PublicParts, PrimaryRole> = made.unwrap().into();
    let mut pair = {
        let secret = cert(Kind::Composite).primary_key().key().clone();
        let secret = secret.parts_into_secret().unwrap();
        let Some(secret) = secret.optional_secret().cloned() else {
            panic!("no secret");
        };
        let (key, _) = key.clone().add_secret(secret);
        key.into_keypair().unwrap()
    };
    let cert = Cert::from_packets(vec![Packet::from(key)].into_iter()).unwrap();
    let user = sequoia_openpgp::packet::UserID::from("Test <test@example.org>");
    let flags = sequoia_openpgp::types::KeyFlags::empty()
        .set_certification()
        .set_signing();
    let binding = sequoia_openpgp::packet::prelude::SignatureBuilder::new(
        sequoia_openpgp::types::SignatureType::PositiveCertification,
    )
    .set_signature_creation_time(created())
    .unwrap()
    .set_key_flags(flags)
    .unwrap()
    .sign_userid_binding(&mut pair, None, &user)
    .unwrap();
    let cert = cert.insert_packets([Packet::from(user), binding.into()]);
    let file = Certificate::parse(&public_file(&cert.unwrap().0)).unwrap();
    let refused = file.signing_key(None, noon());
    assert!(
        matches!(refused, Err(CertificateError::Unsupported(_))),
        "{refused:?}"
    );
}
