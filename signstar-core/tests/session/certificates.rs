//! Which key of a certificate signs, and which certificates do not serve.

use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::prelude::*;
use sequoia_openpgp::packet::prelude::SignatureBuilder;
use sequoia_openpgp::types::{
    HashAlgorithm as PgpHash, KeyFlags, ReasonForRevocation, SignatureType,
};
use sequoia_openpgp::{Cert, Packet, Profile as PgpProfile};
use signstar_core::{Certificate, CertificateError, PublicKey, SigningKey};

use crate::keys::{Kind, builder, cert, created, device, noon, public_file, signing_key};
use crate::stage::{Notes, NotingSigner};

const HOUR: Duration = Duration::from_secs(3600);

fn made(builder: CertBuilder<'_>) -> Cert {
    builder.generate().unwrap().0
}

/// A certificate whose primary key only certifies.
fn certifying() -> CertBuilder<'static> {
    builder(CipherSuite::Cv25519, PgpProfile::RFC4880)
        .set_primary_key_flags(KeyFlags::empty().set_certification())
}

fn signing_flags() -> KeyFlags {
    KeyFlags::empty().set_signing()
}

fn judge(cert: &Cert, chosen: Option<&str>) -> Result<SigningKey, CertificateError> {
    judge_at(cert, chosen, noon())
}

fn judge_at(
    cert: &Cert,
    chosen: Option<&str>,
    now: SystemTime,
) -> Result<SigningKey, CertificateError> {
    Certificate::parse(&public_file(cert))
        .unwrap()
        .signing_key(chosen, now)
}

/// Revokes the whole certificate, effective before noon.
fn revoked(reason: ReasonForRevocation) -> Cert {
    let cert = made(builder(CipherSuite::Cv25519, PgpProfile::RFC4880));
    let mut signer = primary_pair(&cert);
    let revocation = CertRevocationBuilder::new()
        .set_signature_creation_time(created() + HOUR)
        .unwrap()
        .set_reason_for_revocation(reason, b"test")
        .unwrap()
        .build(&mut signer, &cert, None)
        .unwrap();
    cert.insert_packets([Packet::from(revocation)]).unwrap().0
}

fn primary_pair(cert: &Cert) -> sequoia_openpgp::crypto::KeyPair {
    let key = cert.primary_key().key().clone();
    key.parts_into_secret().unwrap().into_keypair().unwrap()
}

/// The fingerprints of the subkeys, in order.
fn subkeys(cert: &Cert) -> Vec<String> {
    cert.keys()
        .subkeys()
        .map(|key| key.key().fingerprint().to_hex())
        .collect()
}

#[test]
fn takes_every_kind_of_key_that_back_ends_sign_with() {
    for kind in Kind::ALL {
        let key = signing_key(kind);
        let device = device(cert(kind), &key);
        key.check_signer(device.as_ref()).unwrap();
    }
}

#[test]
fn refuses_a_device_that_holds_another_key() {
    let key = signing_key(Kind::P256);
    for other in [Kind::P256V6, Kind::P384, Kind::Ed25519, Kind::Rsa2048] {
        let other = NotingSigner {
            notes: Notes::default(),
            public: signing_key(other).public_key().clone(),
            answer: Box::new(|_| panic!("asked")),
        };
        assert_eq!(
            key.check_signer(&other),
            Err(CertificateError::WrongDevice(key.fingerprint()))
        );
    }
    // A point that differs in one bit is another key.
    let PublicKey::Ecdsa { curve, mut point } = key.public_key().clone() else {
        panic!("not ECDSA");
    };
    point[64] ^= 1;
    let other = NotingSigner {
        notes: Notes::default(),
        public: PublicKey::Ecdsa { curve, point },
        answer: Box::new(|_| panic!("asked")),
    };
    assert!(key.check_signer(&other).is_err());
}

#[test]
fn refuses_a_certificate_that_is_revoked_for_whatever_reason() {
    for reason in [
        ReasonForRevocation::KeyCompromised,
        ReasonForRevocation::Unspecified,
        ReasonForRevocation::KeyRetired,
        ReasonForRevocation::KeySuperseded,
    ] {
        let refused = judge(&revoked(reason), None);
        assert!(
            matches!(refused, Err(CertificateError::Revoked(_))),
            "{reason}: {refused:?}"
        );
    }
}

#[test]
fn a_hard_revocation_counts_even_before_its_date_and_a_soft_one_does_not() {
    let before = created() + Duration::from_secs(60);
    let hard = revoked(ReasonForRevocation::KeyCompromised);
    assert!(matches!(
        judge_at(&hard, None, before),
        Err(CertificateError::Revoked(_))
    ));
    let soft = revoked(ReasonForRevocation::KeyRetired);
    assert!(judge_at(&soft, None, before).is_ok());
}

#[test]
fn refuses_a_signing_subkey_that_is_revoked() {
    for reason in [
        ReasonForRevocation::KeyCompromised,
        ReasonForRevocation::KeyRetired,
    ] {
        let cert = made(certifying().add_signing_subkey());
        assert!(judge(&cert, None).is_ok());
        let mut signer = primary_pair(&cert);
        let subkey = cert.keys().subkeys().next().unwrap();
        let revocation = SubkeyRevocationBuilder::new()
            .set_signature_creation_time(created() + HOUR)
            .unwrap()
            .set_reason_for_revocation(reason, b"test")
            .unwrap()
            .build(&mut signer, &cert, subkey.key(), None)
            .unwrap();
        let cert = cert.insert_packets([Packet::from(revocation)]).unwrap().0;
        let refused = judge(&cert, None);
        assert!(matches!(
            refused,
            Err(CertificateError::NoSigningKey(_, reason)) if reason.contains("revoked")
        ));
    }
}

#[test]
fn refuses_an_expired_certificate_also_with_a_subkey_that_lives() {
    let month = Duration::from_secs(30 * 86_400);
    let alone = builder(CipherSuite::P256, PgpProfile::RFC4880).set_validity_period(month);
    let with_subkey = certifying().set_validity_period(month).add_subkey(
        signing_flags(),
        Duration::from_secs(3650 * 86_400),
        None,
    );
    for builder in [alone, with_subkey] {
        let refused = judge(&made(builder), None);
        assert!(
            matches!(refused, Err(CertificateError::NotAlive(..))),
            "{refused:?}"
        );
    }
}

#[test]
fn refuses_an_expired_signing_subkey_of_a_certificate_that_lives() {
    let cert = made(certifying().add_subkey(signing_flags(), 24 * HOUR, None));
    let refused = judge(&cert, None);
    assert!(
        matches!(&refused, Err(CertificateError::NoSigningKey(_, reason)) if reason.contains("xpired")),
        "{refused:?}"
    );
}

#[test]
fn refuses_a_certificate_from_the_future() {
    let cert = made(builder(CipherSuite::Cv25519, PgpProfile::RFC4880));
    for before in [created() - HOUR, SystemTime::UNIX_EPOCH] {
        let refused = judge_at(&cert, None, before);
        assert!(matches!(refused, Err(CertificateError::FromTheFuture(_))));
    }
}

#[test]
fn refuses_a_certificate_none_of_whose_keys_may_sign() {
    for builder in [
        certifying(),
        certifying()
            .add_transport_encryption_subkey()
            .add_storage_encryption_subkey()
            .add_authentication_subkey(),
    ] {
        let refused = judge(&made(builder), None);
        assert!(matches!(
            refused,
            Err(CertificateError::NoSigningKey(_, reason)) if reason.contains("not for signing")
        ));
    }
}

#[test]
fn chooses_among_several_signing_keys_only_by_fingerprint() {
    let cert = made(certifying().add_signing_subkey().add_signing_subkey());
    assert!(matches!(
        judge(&cert, None),
        Err(CertificateError::Ambiguous(_))
    ));
    for fingerprint in subkeys(&cert) {
        let spaced: Vec<_> = fingerprint.as_bytes().chunks(4).collect();
        let spaced = String::from_utf8(spaced.join(&b' ')).unwrap();
        for spelling in [&fingerprint, &fingerprint.to_lowercase(), &spaced] {
            let key = judge(&cert, Some(spelling)).unwrap();
            assert_eq!(key.fingerprint(), fingerprint);
            assert_eq!(key.certificate_fingerprint(), cert.fingerprint().to_hex());
        }
        // Neither a part of it nor a key id names a key.
        for part in ["", &fingerprint[24..], &fingerprint[..39], "0x"] {
            assert!(matches!(
                judge(&cert, Some(part)),
                Err(CertificateError::NoSigningKey(..))
            ));
        }
    }
    // The primary key has a fingerprint, too, but may not sign.
    let primary = cert.fingerprint().to_hex();
    assert!(matches!(
        judge(&cert, Some(&primary)),
        Err(CertificateError::NoSigningKey(..))
    ));
}

#[test]
fn takes_the_only_signing_key_among_keys_for_other_purposes() {
    let cert = made(
        certifying()
            .add_transport_encryption_subkey()
            .add_signing_subkey()
            .add_authentication_subkey(),
    );
    let key = judge(&cert, None).unwrap();
    let policy = sequoia_openpgp::policy::StandardPolicy::new();
    let signing: Vec<String> = cert
        .keys()
        .with_policy(&policy, noon())
        .for_signing()
        .map(|key| key.key().fingerprint().to_hex())
        .collect();
    assert_eq!(signing, [key.fingerprint()]);
    assert_eq!(subkeys(&cert).len(), 3);
}

/// A certifying primary key with a subkey for signing, which has signed that it belongs to the primary
/// key of `consents_to`, if anything. A device's key is bound in this way.
fn with_back_signature(consents_to: Option<&Cert>, by_itself: bool) -> (Cert, String) {
    let cert = made(certifying());
    let other = made(certifying().add_signing_subkey());
    let secret = |cert: &Cert| {
        let subkey = cert.keys().subkeys().next().unwrap();
        subkey.key().clone().parts_into_secret().unwrap()
    };
    let subkey = secret(&other);
    let mut signer = match by_itself {
        true => subkey.clone().into_keypair().unwrap(),
        false => secret(&made(certifying().add_signing_subkey()))
            .into_keypair()
            .unwrap(),
    };
    let subkey = subkey.parts_into_public();
    let time = created() + HOUR;
    let mut binding = SignatureBuilder::new(SignatureType::SubkeyBinding)
        .set_signature_creation_time(time)
        .unwrap()
        .set_key_flags(signing_flags())
        .unwrap();
    if let Some(consents_to) = consents_to {
        let back = SignatureBuilder::new(SignatureType::PrimaryKeyBinding)
            .set_signature_creation_time(time)
            .unwrap()
            .sign_primary_key_binding(&mut signer, consents_to.primary_key().key(), &subkey)
            .unwrap();
        binding = binding.set_embedded_signature(back).unwrap();
    }
    let certifies = consents_to.cloned().unwrap_or(cert);
    let binding = binding
        .sign_subkey_binding(&mut primary_pair(&certifies), None, &subkey)
        .unwrap();
    let fingerprint = subkey.fingerprint().to_hex();
    let bound = certifies
        .insert_packets([Packet::from(subkey), binding.into()])
        .unwrap()
        .0;
    (bound, fingerprint)
}

#[test]
fn takes_a_subkey_that_consents_and_none_that_does_not() {
    let cert = made(certifying());
    let (bound, fingerprint) = with_back_signature(Some(&cert), true);
    for chosen in [None, Some(fingerprint.as_str())] {
        let key = judge(&bound, chosen).unwrap();
        assert_eq!(key.fingerprint(), fingerprint);
        assert_eq!(key.certificate_fingerprint(), bound.fingerprint().to_hex());
    }
    // Another key has consented in its place; or nobody has.
    for (bound, fingerprint) in [
        with_back_signature(Some(&cert), false),
        with_back_signature(None, true),
    ] {
        for chosen in [None, Some(fingerprint.as_str())] {
            let refused = judge(&bound, chosen);
            assert!(
                matches!(refused, Err(CertificateError::NoSigningKey(..))),
                "{refused:?}"
            );
        }
    }
}

#[test]
fn a_subkey_cannot_be_claimed_by_another_certificate() {
    let cert = made(certifying());
    let (bound, fingerprint) = with_back_signature(Some(&cert), true);
    // Its consent to the one is put into a binding by the other.
    let thief = made(certifying());
    let subkey = bound.keys().subkeys().next().unwrap();
    let binding = subkey.self_signatures().next().unwrap().clone();
    let key = subkey.key().clone();
    let claimed = SignatureBuilder::from(binding)
        .set_signature_creation_time(created() + 2 * HOUR)
        .unwrap()
        .sign_subkey_binding(&mut primary_pair(&thief), None, &key)
        .unwrap();
    let claimed = thief
        .insert_packets([Packet::from(key), claimed.into()])
        .unwrap()
        .0;
    let refused = judge(&claimed, Some(&fingerprint));
    assert!(
        matches!(refused, Err(CertificateError::NoSigningKey(..))),
        "{refused:?}"
    );
}

/// A certificate whose only self-signature was made with this hash at this time.
fn bound_with(hash: PgpHash, time: SystemTime) -> Cert {
    let full = made(builder(CipherSuite::RSA2k, PgpProfile::RFC4880));
    let mut signer = primary_pair(&full);
    let bare = Cert::from_packets(std::iter::once(Packet::from(
        full.primary_key()
            .key()
            .clone()
            .parts_into_secret()
            .unwrap(),
    )))
    .unwrap();
    let user = sequoia_openpgp::packet::UserID::from("Test <test@example.org>");
    let binding = SignatureBuilder::new(SignatureType::PositiveCertification)
        .set_hash_algo(hash)
        .set_signature_creation_time(time)
        .unwrap()
        .set_key_flags(KeyFlags::empty().set_certification().set_signing())
        .unwrap()
        .sign_userid_binding(&mut signer, &full.primary_key().key().clone(), &user)
        .unwrap();
    bare.insert_packets([Packet::from(user), binding.into()])
        .unwrap()
        .0
}

#[test]
fn refuses_a_certificate_that_is_bound_by_sha1_or_md5() {
    let time = created() + HOUR;
    assert!(judge(&bound_with(PgpHash::SHA256, time), None).is_ok());
    let refused = judge(&bound_with(PgpHash::SHA1, time), None);
    assert!(
        matches!(&refused, Err(CertificateError::NotAlive(_, reason)) if reason.contains("SHA1")),
        "{refused:?}"
    );
}
