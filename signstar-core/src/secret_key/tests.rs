//! Keys that GnuPG and Sequoia have made, opened, and what must not open.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use sequoia_openpgp::cert::{CertBuilder, CipherSuite};
use sequoia_openpgp::packet::key::{Key4, Key6, SecretParts, UnspecifiedRole};
use sequoia_openpgp::serialize::{Serialize, SerializeInto};
use sequoia_openpgp::types::{
    AEADAlgorithm, Curve as PgpCurve, PublicKeyAlgorithm, SymmetricAlgorithm,
};
use sequoia_openpgp::{Cert, Profile};

use super::*;

const PASSPHRASE: &str = "correct horse";

/// A home of GnuPG that is removed, with its agent, when dropped.
struct Gpg(PathBuf);

impl Gpg {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("gpg-{}-{count}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&home).unwrap();
        Self(home)
    }

    fn run(&self, passphrase: &str, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("gpg")
            .arg("--homedir")
            .arg(&self.0)
            .args([
                "--batch",
                "--yes",
                "--quiet",
                "--pinentry-mode",
                "loopback",
                "--passphrase",
            ])
            .arg(passphrase)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("gpg is needed for this test");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "gpg {arguments:?}: {stderr}");
        output.stdout
    }

    /// Makes a key and returns its fingerprint.
    fn generate(&self, kind: &str, passphrase: &str) -> String {
        let user = format!("{kind} <{kind}@example.org>");
        self.run(
            passphrase,
            &["--quick-gen-key", &user, kind, "sign", "never"],
        );
        let listing = self.run("", &["--with-colons", "--list-secret-keys", &user]);
        let listing = String::from_utf8(listing).unwrap();
        let line = listing
            .lines()
            .find(|line| line.starts_with("fpr:"))
            .unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    fn export(&self, fingerprint: &str, passphrase: &str) -> Vec<u8> {
        self.run(passphrase, &["--export-secret-keys", fingerprint])
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(&self.0)
            .args(["--kill", "all"])
            .status();
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sequoia(suite: CipherSuite, profile: Profile) -> Cert {
    CertBuilder::general_purpose(Some("Test <test@example.org>"))
        .set_profile(profile)
        .unwrap()
        .set_cipher_suite(suite)
        .generate()
        .unwrap()
        .0
}

fn file(cert: &Cert) -> Vec<u8> {
    cert.as_tsk().to_vec().unwrap()
}

/// The key file that holds `cert`'s primary key only, protected as given.
fn protected(cert: &Cert, s2k: S2K, aead: Option<AEADAlgorithm>) -> Vec<u8> {
    let key = cert
        .primary_key()
        .key()
        .clone()
        .parts_into_secret()
        .unwrap();
    let (key, secret) = key.take_secret();
    let password = Password::from(PASSPHRASE);
    let secret = secret
        .encrypt_with(&key, s2k, SymmetricAlgorithm::AES256, aead, &password)
        .unwrap();
    let mut bytes = Vec::new();
    Packet::from(key.add_secret(secret).0)
        .serialize(&mut bytes)
        .unwrap();
    bytes
}

fn argon2(memory_exponent: u8) -> S2K {
    S2K::Argon2 {
        salt: [7; 16],
        t: 1,
        p: 1,
        m: memory_exponent,
    }
}

/// The public key that Sequoia computes from the secret numbers, signing to prove it.
fn assert_halves_belong_together(key: &SecretKey, kind: &str) {
    let now = std::time::SystemTime::now();
    let hash = sequoia_openpgp::types::HashAlgorithm::SHA512;
    let (algorithm, public, secret) = match (key.public_key(), key.material()) {
        (PublicKey::Ed25519(a), SecretMaterial::Ed25519(seed)) => (
            PublicKeyAlgorithm::Ed25519,
            mpi::PublicKey::Ed25519 { a: *a },
            mpi::SecretKeyMaterial::Ed25519 {
                x: seed.to_vec().into(),
            },
        ),
        (
            PublicKey::Ecdsa { curve, point },
            SecretMaterial::Ecdsa {
                curve: same,
                scalar,
            },
        ) => {
            assert_eq!(curve, same);
            assert_eq!(scalar.len(), curve.scalar_bytes());
            let curve = match curve {
                Curve::P256 => PgpCurve::NistP256,
                Curve::P384 => PgpCurve::NistP384,
                Curve::P521 => PgpCurve::NistP521,
            };
            let scalar = scalar.to_vec().into();
            (
                PublicKeyAlgorithm::ECDSA,
                mpi::PublicKey::ECDSA {
                    curve,
                    q: point.clone().into(),
                },
                mpi::SecretKeyMaterial::ECDSA { scalar },
            )
        }
        (
            PublicKey::Rsa { n, .. },
            SecretMaterial::Rsa {
                n: same,
                e,
                d,
                p,
                q,
            },
        ) => {
            assert_eq!(n, same);
            let imported =
                Key4::<SecretParts, UnspecifiedRole>::import_secret_rsa(d, p, q, now).unwrap();
            let expected = mpi::PublicKey::RSA {
                e: e.clone().into(),
                n: n.clone().into(),
            };
            assert_eq!(imported.mpis(), &expected, "{kind}");
            return;
        }
        other => panic!("{kind}: {other:?}"),
    };
    let key: Key<SecretParts, UnspecifiedRole> =
        Key6::with_secret(now, algorithm, public, secret.into())
            .unwrap()
            .into();
    let public = key.clone().parts_into_public();
    let digest = [3; 64];
    let mut pair = key.into_keypair().unwrap();
    let signature = sequoia_openpgp::crypto::Signer::sign(&mut pair, hash, &digest).unwrap();
    public
        .verify(&signature, hash, &digest)
        .unwrap_or_else(|error| panic!("{kind}: {error}"));
}

#[test]
fn opens_every_kind_of_signing_key_of_gpg_with_and_without_a_passphrase() {
    let gpg = Gpg::new();
    for (kind, name) in [
        ("ed25519", "ed25519"),
        ("nistp256", "p256"),
        ("nistp384", "p384"),
        ("nistp521", "p521"),
        ("rsa2048", "rsa2048"),
        ("rsa3072", "rsa3072"),
        ("rsa4096", "rsa4096"),
    ] {
        let fingerprint = gpg.generate(kind, "");
        let bytes = gpg.export(&fingerprint, "");
        let key = SecretKey::parse(&bytes, &fingerprint, None).unwrap();
        assert_eq!(key.public_key().name(), name);
        assert_halves_belong_together(&key, kind);
    }
    for kind in ["ed25519", "nistp384", "rsa2048"] {
        let gpg = Gpg::new();
        let fingerprint = gpg.generate(kind, PASSPHRASE);
        let bytes = gpg.export(&fingerprint, PASSPHRASE);
        let open = |passphrase| SecretKey::parse(&bytes, &fingerprint, passphrase);
        assert_halves_belong_together(&open(Some(PASSPHRASE.as_bytes())).unwrap(), kind);
        assert_eq!(open(None).unwrap_err(), SecretKeyError::PassphraseMissing);
        for wrong in ["", "Correct horse", "correct horse\n"] {
            let error = open(Some(wrong.as_bytes())).unwrap_err();
            assert_eq!(error, SecretKeyError::PassphraseWrong, "{wrong:?}");
        }
    }
}

#[test]
fn refuses_kinds_of_gpg_that_are_weak_or_that_no_verifier_is_sure_to_have() {
    let gpg = Gpg::new();
    for kind in ["rsa1024", "dsa2048", "brainpoolP256r1", "secp256k1"] {
        let fingerprint = gpg.generate(kind, "");
        let bytes = gpg.export(&fingerprint, "");
        let error = SecretKey::parse(&bytes, &fingerprint, None).unwrap_err();
        assert_eq!(error, SecretKeyError::Unsupported(KINDS), "{kind}");
    }
}

#[test]
fn opens_a_signing_subkey_of_gpg_whose_primary_key_is_offline() {
    let gpg = Gpg::new();
    let primary = gpg.generate("nistp256", "");
    gpg.run(
        "",
        &["--quick-add-key", &primary, "ed25519", "sign", "never"],
    );
    let bytes = gpg.run("", &["--export-secret-subkeys", &primary]);
    let listing = gpg.run("", &["--with-colons", "--list-secret-keys", &primary]);
    let listing = String::from_utf8(listing).unwrap();
    let subkey = listing
        .lines()
        .filter(|line| line.starts_with("fpr:"))
        .nth(1)
        .unwrap();
    let subkey = subkey.split(':').nth(9).unwrap();

    let key = SecretKey::parse(&bytes, subkey, None).unwrap();
    assert_eq!(key.public_key().name(), "ed25519");
    assert_halves_belong_together(&key, "subkey");
    assert_eq!(
        SecretKey::parse(&bytes, &primary, None).unwrap_err(),
        SecretKeyError::NoSecret
    );
}

#[test]
fn opens_keys_of_sequoia_of_both_versions_armored_too() {
    for profile in [Profile::RFC4880, Profile::RFC9580] {
        for suite in [
            CipherSuite::Cv25519,
            CipherSuite::P256,
            CipherSuite::P384,
            CipherSuite::P521,
        ] {
            let cert = sequoia(suite, profile);
            let armored = cert.as_tsk().armored().to_vec().unwrap();
            for key in cert.keys().filter(|key| key.key().pk_algo().for_signing()) {
                let fingerprint = key.key().fingerprint().to_hex();
                for bytes in [&file(&cert), &armored] {
                    let key = SecretKey::parse(bytes, &fingerprint, None).unwrap();
                    assert_halves_belong_together(&key, &format!("{suite:?} {profile:?}"));
                }
            }
        }
    }
}

#[test]
fn opens_version_6_keys_under_every_protection() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC9580);
    let fingerprint = cert.fingerprint().to_hex();
    for (s2k, aead) in [
        (S2K::default(), None),
        (S2K::default(), Some(AEADAlgorithm::OCB)),
        (S2K::default(), Some(AEADAlgorithm::EAX)),
        (S2K::default(), Some(AEADAlgorithm::GCM)),
        (argon2(6), Some(AEADAlgorithm::OCB)),
        (argon2(ARGON2_MEMORY_EXPONENT_MAX), Some(AEADAlgorithm::OCB)),
    ] {
        let bytes = protected(&cert, s2k.clone(), aead);
        let open = |passphrase| SecretKey::parse(&bytes, &fingerprint, passphrase);
        let key = open(Some(PASSPHRASE.as_bytes())).unwrap();
        assert_halves_belong_together(&key, &format!("{s2k} {aead:?}"));
        let error = open(Some(b"wrong")).unwrap_err();
        assert_eq!(error, SecretKeyError::PassphraseWrong, "{s2k} {aead:?}");
        assert_eq!(open(None).unwrap_err(), SecretKeyError::PassphraseMissing);
    }
}

#[test]
fn refuses_a_passphrase_that_would_take_more_memory_than_its_bound() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC9580);
    let mut bytes = protected(&cert, argon2(6), Some(AEADAlgorithm::OCB));
    let parameters = [1, 1, 6];
    let at = bytes
        .windows(3)
        .position(|window| window == parameters)
        .unwrap();
    bytes[at + 2] = ARGON2_MEMORY_EXPONENT_MAX + 1;
    let fingerprint = cert.fingerprint().to_hex();
    let error = SecretKey::parse(&bytes, &fingerprint, Some(PASSPHRASE.as_bytes())).unwrap_err();
    assert!(matches!(error, SecretKeyError::Unsupported(_)), "{error}");
}

#[test]
fn refuses_a_passphrase_for_a_key_that_has_none() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC4880);
    let fingerprint = cert.fingerprint().to_hex();
    for passphrase in ["", "x"] {
        let error = SecretKey::parse(&file(&cert), &fingerprint, Some(passphrase.as_bytes()));
        assert_eq!(error.unwrap_err(), SecretKeyError::PassphraseUnused);
    }
}

#[test]
fn refuses_files_without_the_key_or_without_its_secret() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC4880);
    let other = sequoia(CipherSuite::Cv25519, Profile::RFC4880)
        .fingerprint()
        .to_hex();
    let error = SecretKey::parse(&file(&cert), &other, None).unwrap_err();
    assert_eq!(error, SecretKeyError::NotFound { fingerprint: other });
    let public = cert.to_vec().unwrap();
    let error = SecretKey::parse(&public, &cert.fingerprint().to_hex(), None).unwrap_err();
    assert_eq!(error, SecretKeyError::NoSecret);
}

#[test]
fn refuses_a_subkey_that_can_only_decrypt() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC9580);
    let subkey = cert
        .keys()
        .subkeys()
        .find(|key| !key.key().pk_algo().for_signing())
        .unwrap();
    let fingerprint = subkey.key().fingerprint().to_hex();
    let error = SecretKey::parse(&file(&cert), &fingerprint, None).unwrap_err();
    assert_eq!(error, SecretKeyError::Unsupported(KINDS));
}

#[test]
fn refuses_what_is_not_a_key_file() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC4880);
    let fingerprint = cert.fingerprint().to_hex();
    let refused = |bytes: &[u8]| SecretKey::parse(bytes, &fingerprint, None).unwrap_err();
    for bytes in [
        &b""[..],
        b"hello",
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
    ] {
        assert_eq!(refused(bytes), SecretKeyError::Malformed, "{bytes:?}");
    }
    assert_eq!(
        refused(&vec![0x99; FILE_BYTES_MAX + 1]),
        SecretKeyError::TooLarge {
            bytes_max: FILE_BYTES_MAX
        }
    );
}

#[test]
fn opens_no_key_from_any_cut_of_its_packet() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC9580);
    let fingerprint = cert.fingerprint().to_hex();
    let mut packet = Vec::new();
    let key = cert
        .primary_key()
        .key()
        .clone()
        .parts_into_secret()
        .unwrap();
    Packet::from(key).serialize(&mut packet).unwrap();
    assert!(SecretKey::parse(&packet, &fingerprint, None).is_ok());
    for length in 0..packet.len() {
        assert!(
            SecretKey::parse(&packet[..length], &fingerprint, None).is_err(),
            "{length}"
        );
    }
}

#[test]
fn stops_at_the_bound_of_packets() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC4880);
    let fingerprint = cert.fingerprint().to_hex();
    let marker = [0xca, 0x03, b'P', b'G', b'P'];
    let behind = |count: usize| [marker.repeat(count), file(&cert)].concat();
    assert!(SecretKey::parse(&behind(PACKETS_MAX - 8), &fingerprint, None).is_ok());
    assert_eq!(
        SecretKey::parse(&behind(PACKETS_MAX), &fingerprint, None).unwrap_err(),
        SecretKeyError::Malformed
    );
}

#[test]
fn never_shows_a_secret() {
    let cert = sequoia(CipherSuite::Cv25519, Profile::RFC9580);
    let key = SecretKey::parse(&file(&cert), &cert.fingerprint().to_hex(), None).unwrap();
    let SecretMaterial::Ed25519(seed) = key.material() else {
        panic!("not Ed25519")
    };
    let decimal = format!("{:?}", &seed[..4]);
    let decimal = decimal.trim_matches(['[', ']']).to_owned();
    // The search finds what it looks for where it is not hidden.
    assert!(format!("{:?}", **seed).contains(&decimal));
    assert!(!format!("{key:?}").contains(&decimal));
    assert!(format!("{key:?}").contains("Ed25519(..)"));
}
