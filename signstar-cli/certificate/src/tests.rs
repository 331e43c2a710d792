//! Certificates that other programs accept, and what is refused.

mod composite;
mod edits;
mod gpg;
mod offline;
mod published;
mod revocations;
mod verified;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use gpg::Gpg;
use sequoia_openpgp::cert::CertParser;
use sequoia_openpgp::parse::Parse;
use sequoia_openpgp::{PacketPile, armor as pgp_armor};
use signstar_core::{
    Certificate, CertificateError, Digest, HashAlgorithm, KeyKind, KeyVersion, Opened, Profile,
    PublicKey, RawSignature, SecretKey, SecretKeyError, SecretMaterial, Signer, SignerError,
};
use signstar_software::KINDS;
use signstar_testkit::assembly;
use signstar_testkit::verifier::Verifier;

use super::*;

const USER_ID: &str = "Packages <packages@example.org>";
const DAY: Duration = Duration::from_secs(86_400);
const VERSIONS: [KeyVersion; 2] = [KeyVersion::V4, KeyVersion::V6];

/// A moment in July 2024, in whole seconds.
fn created() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_720_000_000)
}

fn request(version: KeyVersion) -> CertificateRequest<'static> {
    CertificateRequest {
        user_id: USER_ID,
        created: created(),
        now: created() + DAY,
        expires: None,
        version,
        usage: Usage::CertifyAndSign,
    }
}

fn software(kind: KeyKind) -> Box<dyn Signer> {
    let Opened { signer, .. } = signstar_software::open(material(kind)).unwrap();
    signer
}

/// A key of this kind. RSA keys are made once: that takes seconds.
fn material(kind: KeyKind) -> SecretMaterial {
    static RSA: [OnceLock<SecretMaterial>; 3] = [const { OnceLock::new() }; 3];
    let made = |slot: usize| {
        RSA[slot]
            .get_or_init(|| signstar_software::generate(kind).unwrap())
            .clone()
    };
    match kind {
        KeyKind::Rsa(2048) => made(0),
        KeyKind::Rsa(3072) => made(1),
        KeyKind::Rsa(4096) => made(2),
        _ => signstar_software::generate(kind).unwrap(),
    }
}

fn with_expiry(days: u32) -> CertificateRequest<'static> {
    let expires = Some(created() + days * DAY);
    CertificateRequest {
        expires,
        ..request(KeyVersion::V4)
    }
}

/// Whether `verifier` takes a signature of data by a new key under its new certificate.
fn verifies(verifier: Verifier, kind: KeyKind, version: KeyVersion) -> bool {
    let mut signer = software(kind);
    let made = create(signer.as_mut(), &request(version)).unwrap();
    let later = created() + 2 * DAY;
    let key = Certificate::parse(&made.certificate)
        .unwrap()
        .signing_key(None, later)
        .unwrap();
    assert_eq!(key.fingerprint(), made.fingerprint);
    let at = later
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let signed = assembly::sign(&key, signer.as_mut(), Profile::default(), b"artifact", at).packet;
    verifier.good(&made.certificate, &made.fingerprint, &signed, b"artifact") == [at]
}

#[test]
fn gnupg_takes_certificates_of_version_4_of_every_kind() {
    for kind in KINDS {
        assert!(verifies(Verifier::Gpgv, kind, KeyVersion::V4), "{kind:?}");
    }
}

#[test]
fn sequoia_of_debian_takes_certificates_of_version_4_of_every_kind() {
    for kind in KINDS {
        assert!(verifies(Verifier::Sqop, kind, KeyVersion::V4), "{kind:?}");
    }
}

#[test]
fn rpgp_takes_certificates_of_both_versions_of_every_kind() {
    for kind in KINDS {
        for version in VERSIONS {
            assert!(
                verifies(Verifier::Rsop, kind, version),
                "{kind:?} {version:?}"
            );
        }
    }
}

#[test]
fn gnupg_reads_user_id_creation_expiry_and_use_of_the_key() {
    let gpg = Gpg::new();
    let made = create(software(KeyKind::Ed25519).as_mut(), &with_expiry(365 * 20)).unwrap();
    gpg.import(&made.certificate);
    let listed = gpg.listed("pub");
    assert_eq!(listed[3], "22", "EdDSA in its legacy form");
    assert_eq!(listed[5], "1720000000");
    assert_eq!(
        listed[6],
        (1_720_000_000_u64 + 365 * 20 * 86_400).to_string()
    );
    assert_eq!(listed[11], "scSC", "certifies and signs, and nothing else");
    assert_eq!(gpg.listed("fpr")[9], made.fingerprint);
    assert_eq!(gpg.listed("uid")[9], USER_ID);
}

#[test]
fn gnupg_takes_the_revocation() {
    for kind in [KeyKind::Ed25519, KeyKind::Rsa(2048)] {
        let gpg = Gpg::new();
        let made = create(software(kind).as_mut(), &request(KeyVersion::V4)).unwrap();
        gpg.import(&made.certificate);
        assert_ne!(gpg.listed("pub")[1], "r");
        gpg.import(&made.revocation);
        assert_eq!(gpg.listed("pub")[1], "r");
        let text = String::from_utf8(made.revocation).unwrap();
        assert!(
            text.contains(&format!("Comment: revocation of {}", made.fingerprint)),
            "{text}"
        );
    }
}

#[test]
fn the_revocation_ends_the_life_of_keys_of_both_versions() {
    for version in VERSIONS {
        let made = create(software(KeyKind::Ed25519).as_mut(), &request(version)).unwrap();
        let mut signature = Vec::new();
        let mut reader = pgp_armor::Reader::from_bytes(&made.revocation, None);
        std::io::Read::read_to_end(&mut reader, &mut signature).unwrap();
        let revoked = [made.certificate, signature].concat();
        let error = Certificate::parse(&revoked)
            .unwrap()
            .signing_key(None, created() + 2 * DAY);
        assert_eq!(
            error.unwrap_err(),
            CertificateError::Revoked(made.fingerprint)
        );
        assert!(describe(&revoked, created() + 2 * DAY).unwrap().revoked);
    }
}

#[test]
fn the_expiry_holds_to_the_second() {
    let made = create(software(KeyKind::P256).as_mut(), &with_expiry(30)).unwrap();
    let certificate = Certificate::parse(&made.certificate).unwrap();
    let second = Duration::from_secs(1);
    assert!(
        certificate
            .signing_key(None, created() + 30 * DAY - second)
            .is_ok()
    );
    assert!(certificate.signing_key(None, created() + 30 * DAY).is_err());
}

#[test]
fn refuses_user_ids_that_are_empty_too_long_or_control_a_terminal() {
    let long = "x".repeat(1024);
    let too_long = "x".repeat(1025);
    let mut signer = software(KeyKind::Ed25519);
    let mut with = |user_id| {
        let request = CertificateRequest {
            user_id,
            ..request(KeyVersion::V4)
        };
        create(signer.as_mut(), &request)
    };
    assert!(with(&long).is_ok());
    for user_id in ["", &too_long, "a\nb", "a\0b", "\u{1b}[2J", "\u{9b}2J"] {
        assert_eq!(with(user_id), Err(CreateError::UserId), "{user_id:?}");
    }
}

#[test]
fn refuses_times_that_cannot_be() {
    let mut signer = software(KeyKind::Ed25519);
    let mut with = |request| create(signer.as_mut(), &request);
    let good = request(KeyVersion::V4);
    let second = Duration::from_secs(1);
    let most = Duration::from_secs(u64::from(u32::MAX));
    let expires = |expires| CertificateRequest {
        expires: Some(expires),
        ..good
    };

    assert!(
        with(CertificateRequest {
            now: good.created,
            ..good
        })
        .is_ok()
    );
    let early = CertificateRequest {
        now: good.created - second,
        ..good
    };
    assert_eq!(with(early), Err(CreateError::Creation));
    let before = SystemTime::UNIX_EPOCH - second;
    assert_eq!(
        with(CertificateRequest {
            created: before,
            ..good
        }),
        Err(CreateError::Creation)
    );
    assert!(with(expires(good.now + second)).is_ok());
    assert_eq!(with(expires(good.now)), Err(CreateError::Expiry));
    assert!(with(expires(good.created + most)).is_ok());
    assert_eq!(
        with(expires(good.created + most + second)),
        Err(CreateError::Expiry)
    );
}

/// Says that it holds one key and signs with another, or not at all.
struct Liar {
    claimed: PublicKey,
    signer: Result<Box<dyn Signer>, SignerError>,
}

impl Signer for Liar {
    fn public_key(&self) -> &PublicKey {
        &self.claimed
    }

    fn waits_for(&self) -> Option<&'static str> {
        None
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        assert_eq!(digest.algorithm(), HashAlgorithm::Sha512);
        self.signer
            .as_mut()
            .map_err(|error| error.clone())?
            .sign(digest)
    }
}

#[test]
fn hands_nothing_out_that_the_key_has_not_signed() {
    for version in VERSIONS {
        let claimed = software(KeyKind::Ed25519).public_key().clone();
        let mut liar = Liar {
            claimed,
            signer: Ok(software(KeyKind::Ed25519)),
        };
        let error = create(&mut liar, &request(version)).unwrap_err();
        assert!(!matches!(error, CreateError::Signer(_)), "{error}");
        let refused = SignerError::Credential("1 try left".to_owned());
        liar.signer = Err(refused.clone());
        let error = create(&mut liar, &request(version)).unwrap_err();
        assert_eq!(error, CreateError::Signer(refused));
    }
}

/// The only key of a file.
fn one(file: &[u8]) -> StoredKey {
    let [stored] = stored_keys(file).unwrap().try_into().unwrap();
    stored
}

#[test]
fn secret_key_files_open_again_and_fit_their_certificate() {
    for kind in KINDS {
        let material = material(kind);
        let public = signstar_software::open(material.clone()).unwrap().signer;
        let public = public.public_key();
        for version in VERSIONS {
            for passphrase in [None, Some(&b"correct horse"[..])] {
                let case = format!("{kind:?} {version:?} {}", passphrase.is_some());
                let file =
                    secret_key_file(&material, public, created(), version, passphrase).unwrap();
                let stored = one(&file);
                assert_eq!(
                    (stored.created, stored.version),
                    (created(), version),
                    "{case}"
                );
                let key = SecretKey::parse(&file, &stored.fingerprint, passphrase).unwrap();
                assert_eq!(key.public_key(), public, "{case}");
                let mut opened = signstar_software::open(key.into_material()).unwrap();
                let made = create(opened.signer.as_mut(), &request(version)).unwrap();
                assert_eq!(made.fingerprint, stored.fingerprint, "{case}");
            }
            let file = secret_key_file(&material, public, created(), version, Some(b"correct"));
            let (file, wrong) = (file.unwrap(), Some(&b"wrong"[..]));
            let fingerprint = one(&file).fingerprint;
            let error = SecretKey::parse(&file, &fingerprint, wrong).unwrap_err();
            assert_eq!(error, SecretKeyError::PassphraseWrong);
        }
    }
}

#[test]
fn gnupg_signs_with_a_secret_key_file_and_its_certificate() {
    for kind in [KeyKind::Ed25519, KeyKind::P384, KeyKind::Rsa(2048)] {
        let gpg = Gpg::new();
        let material = material(kind);
        let mut signer = signstar_software::open(material.clone()).unwrap().signer;
        let made = create(signer.as_mut(), &request(KeyVersion::V4)).unwrap();
        let passphrase = b"correct horse";
        let file = secret_key_file(
            &material,
            signer.public_key(),
            created(),
            KeyVersion::V4,
            Some(passphrase),
        );
        // The secret key packet, and of the certificate what follows the public one.
        let mut packets = PacketPile::from_bytes(file.unwrap().as_slice()).unwrap();
        let certificate = PacketPile::from_bytes(&made.certificate).unwrap();
        let secret = packets.path_ref_mut(&[0]).unwrap().clone();
        let rest = certificate.into_children().skip(1);
        let whole = PacketPile::from(std::iter::once(secret).chain(rest).collect::<Vec<_>>());
        gpg.import(&sequoia_openpgp::serialize::SerializeInto::to_vec(&whole).unwrap());

        let (artifact, signature) = (gpg.file("artifact", b"artifact"), gpg.file("unused", b""));
        let signature = signature.replace("unused", "signature");
        let sign = |passphrase: &str| {
            let output = ["--output", &signature, "--detach-sign", &artifact];
            gpg.run(&[&["--passphrase", passphrase][..], &output].concat())
        };
        assert!(sign("wrong").is_err(), "{kind:?}");
        sign("correct horse").unwrap();
        gpg.run(&["--verify", &signature, &artifact]).unwrap();
    }
}

#[test]
fn refuses_to_write_halves_that_do_not_belong_together() {
    let public = software(KeyKind::P384).public_key().clone();
    for kind in [KeyKind::Ed25519, KeyKind::P256, KeyKind::Rsa(2048)] {
        let file = secret_key_file(&material(kind), &public, created(), KeyVersion::V4, None);
        assert_eq!(file.unwrap_err(), SecretKeyFileError::Mismatch, "{kind:?}");
    }
}

#[test]
fn refuses_an_empty_passphrase() {
    let material = material(KeyKind::Ed25519);
    let signer = signstar_software::open(material.clone()).unwrap().signer;
    let file = secret_key_file(
        &material,
        signer.public_key(),
        created(),
        KeyVersion::V4,
        Some(b""),
    );
    assert_eq!(file.unwrap_err(), SecretKeyFileError::EmptyPassphrase);
}

#[test]
fn takes_nothing_but_a_secret_key_for_a_secret_key_file() {
    let made = create(
        software(KeyKind::Ed25519).as_mut(),
        &request(KeyVersion::V4),
    )
    .unwrap();
    for bytes in [&b""[..], b"hello", &made.certificate, &made.revocation] {
        assert_eq!(stored_keys(bytes), Err(SecretKeyFileError::Malformed));
    }
}

#[test]
fn describes_what_it_has_made() {
    for version in VERSIONS {
        let request = CertificateRequest {
            version,
            ..with_expiry(30)
        };
        let made = create(software(KeyKind::Rsa(2048)).as_mut(), &request).unwrap();
        let armored = armor(&made.certificate).unwrap();
        assert!(armored.starts_with(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"));
        assert_eq!(CertParser::from_bytes(&armored).unwrap().count(), 1);
        for bytes in [&made.certificate, &armored] {
            // Even after it has expired.
            for day in [1, 31] {
                let said = describe(bytes, created() + day * DAY).unwrap();
                assert_eq!(said.fingerprint, made.fingerprint);
                assert_eq!(said.version == 6, version == KeyVersion::V6);
                assert_eq!(said.user_ids, [USER_ID]);
                assert!(!said.revoked);
                let [key] = said.keys.as_slice() else {
                    panic!("{said:?}")
                };
                assert_eq!(key.fingerprint, made.fingerprint);
                assert_eq!(key.bits, Some(2048));
                assert_eq!(key.created, created());
                assert_eq!(key.expires, Some(created() + 30 * DAY));
                assert!(key.signs);
            }
        }
    }
    assert!(describe(b"hello", created()).is_err());
}
