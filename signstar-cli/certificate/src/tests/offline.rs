//! An offline primary key and the device's key below it, as other programs see them.

use sequoia_openpgp::Cert;
use signstar_core::SigningKey;

use super::*;

/// A primary key that is kept offline, opened.
pub(super) struct Primary {
    pub(super) file: Vec<u8>,
    pub(super) signer: Box<dyn Signer>,
    pub(super) certificate: Vec<u8>,
    pub(super) fingerprint: String,
}

impl Primary {
    /// One that this crate makes.
    pub(super) fn new(kind: KeyKind, version: KeyVersion) -> Self {
        let material = material(kind);
        let mut signer = signstar_software::open(material.clone()).unwrap().signer;
        let made = new_primary(&material, signer.as_mut(), &request(version), None).unwrap();
        Self::read(&made.secret_key, None)
    }

    /// What stands in a file.
    pub(super) fn read(file: &[u8], passphrase: Option<&[u8]>) -> Self {
        let said = offline_primary(file).unwrap();
        let key = SecretKey::parse(file, &said.fingerprint, passphrase).unwrap();
        Self {
            file: file.to_vec(),
            signer: signstar_software::open(key.into_material()).unwrap().signer,
            certificate: said.certificate,
            fingerprint: said.fingerprint,
        }
    }

    /// The certificate with the key of `device` as its subkey.
    pub(super) fn bind(
        &mut self,
        device: &mut dyn Signer,
        now: SystemTime,
        expires: Option<SystemTime>,
    ) -> Result<Vec<u8>, EditError> {
        Edit::of(&self.certificate, now)?
            .subkey(device.public_key(), created(), expires)?
            .sign(self.signer.as_mut(), Some(device))
    }
}

/// The key of a certificate that signs.
pub(super) fn signing(certificate: &[u8], now: SystemTime) -> SigningKey {
    let certificate = Certificate::parse(certificate).unwrap();
    certificate.signing_key(None, now).unwrap()
}

/// A signature of `artifact`, made some seconds after 1970.
pub(super) fn sign(key: &SigningKey, device: &mut dyn Signer, at: u64) -> Vec<u8> {
    assembly::sign(key, device, Profile::default(), b"artifact", at).packet
}

/// Seconds since 1970 of a day after the keys' creation.
pub(super) fn day(day: u64) -> u64 {
    1_720_000_000 + day * 86_400
}

fn verifies(verifier: Verifier, primary: KeyKind, kind: KeyKind, version: KeyVersion) -> bool {
    let mut primary = Primary::new(primary, version);
    let mut device = software(kind);
    let certificate = primary
        .bind(device.as_mut(), created() + DAY, None)
        .unwrap();
    let key = signing(&certificate, created() + 2 * DAY);
    assert_eq!(key.certificate_fingerprint(), primary.fingerprint);
    assert_ne!(key.fingerprint(), primary.fingerprint);
    let signed = sign(&key, device.as_mut(), day(2));
    verifier.good(&certificate, &key.fingerprint(), &signed, b"artifact") == [day(2)]
}

#[test]
fn gnupg_takes_signatures_by_subkeys_of_every_kind_below_every_primary() {
    for kind in KINDS {
        assert!(
            verifies(Verifier::Gpgv, KeyKind::Ed25519, kind, KeyVersion::V4),
            "{kind:?}"
        );
        assert!(
            verifies(Verifier::Gpgv, kind, KeyKind::P256, KeyVersion::V4),
            "{kind:?}"
        );
    }
}

#[test]
fn sequoia_of_debian_takes_signatures_by_subkeys_of_every_kind() {
    for kind in KINDS {
        assert!(
            verifies(Verifier::Sqop, KeyKind::P521, kind, KeyVersion::V4),
            "{kind:?}"
        );
    }
}

#[test]
fn rpgp_takes_signatures_by_subkeys_of_both_versions_of_every_kind() {
    for kind in KINDS {
        for version in VERSIONS {
            assert!(
                verifies(Verifier::Rsop, KeyKind::Ed25519, kind, version),
                "{kind:?} {version:?}"
            );
        }
    }
}

#[test]
fn gnupg_reads_that_the_primary_certifies_and_the_subkey_signs() {
    let gpg = Gpg::new();
    let mut primary = Primary::new(KeyKind::Ed25519, KeyVersion::V4);
    let expires = created() + 365 * 20 * DAY;
    let certificate = primary
        .bind(
            software(KeyKind::P256).as_mut(),
            created() + DAY,
            Some(expires),
        )
        .unwrap();
    gpg.import(&certificate);
    let (listed, below) = (gpg.listed("pub"), gpg.listed("sub"));
    assert_eq!(listed[11], "cSC", "certifies; below it something signs");
    assert_eq!(listed[6], "");
    assert_eq!(below[11], "s", "signs, and nothing else");
    assert_eq!(below[5], "1720000000");
    assert_eq!(below[6], day(365 * 20).to_string());
    let fingerprints = gpg.all_listed("fpr");
    assert_eq!(fingerprints[0][9], primary.fingerprint);
}

#[test]
fn gnupg_certifies_with_the_file_of_a_primary_key_and_cannot_sign_data() {
    for kind in [KeyKind::Ed25519, KeyKind::P384, KeyKind::Rsa(2048)] {
        let gpg = Gpg::new();
        let material = material(kind);
        let mut signer = signstar_software::open(material.clone()).unwrap().signer;
        let passphrase = b"correct horse";
        let made = new_primary(
            &material,
            signer.as_mut(),
            &request(KeyVersion::V4),
            Some(passphrase),
        );
        let made = made.unwrap();
        gpg.import(&made.secret_key);
        assert_eq!(gpg.listed("pub")[11], "cC");
        let add = |passphrase: &str| {
            gpg.run(&[
                "--passphrase",
                passphrase,
                "--quick-add-uid",
                &made.fingerprint,
                "Another <b@example.org>",
            ])
        };
        assert!(add("wrong").is_err(), "{kind:?}");
        add("correct horse").unwrap();
        assert_eq!(gpg.all_listed("uid").len(), 2);
        let artifact = gpg.file("artifact", b"artifact");
        let signed = gpg.run(&["--passphrase", "correct horse", "--detach-sign", &artifact]);
        assert!(signed.is_err(), "{kind:?}");
        gpg.import(&made.revocation);
        assert_eq!(gpg.listed("pub")[1], "r");
    }
}

#[test]
fn takes_primary_keys_that_gnupg_has_made() {
    for (kind, passphrase) in [("ed25519", ""), ("nistp256", "correct"), ("rsa3072", "")] {
        let gpg = Gpg::new();
        let with = ["--passphrase", passphrase];
        let make = ["--quick-generate-key", USER_ID, kind, "cert", "never"];
        gpg.run(&[&with[..], &make].concat()).unwrap();
        let fingerprint = gpg.listed("fpr")[9].clone();
        for armor in [&[][..], &["--armor"]] {
            let file = gpg.file("unused", b"").replace("unused", "exported");
            let export = ["--yes", "--output", &file, "--export-secret-keys"];
            gpg.run(&[&with[..], armor, &export].concat()).unwrap();
            let passphrase = (!passphrase.is_empty()).then_some(passphrase.as_bytes());
            let mut primary = Primary::read(&std::fs::read(&file).unwrap(), passphrase);
            assert_eq!(primary.fingerprint, fingerprint);

            let mut device = software(KeyKind::Ed25519);
            let now = SystemTime::now();
            let certificate = primary.bind(device.as_mut(), now, None).unwrap();
            let key = signing(&certificate, now);
            let at = now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let signed = sign(&key, device.as_mut(), at.as_secs());
            let home = Gpg::new();
            home.import(&certificate);
            assert_eq!(home.listed("uid")[9], USER_ID);
            assert_eq!(home.verdict(&signed, b"artifact"), "GOODSIG", "{kind}");
        }
    }
}

#[test]
fn takes_primary_keys_that_sequoia_has_made_and_makes_such_that_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let sq = |arguments: &[&str]| {
        let output = std::process::Command::new("sq")
            .args(arguments)
            .output()
            .expect("sq is needed for this test");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        String::from_utf8(output.stdout).unwrap()
    };
    let made = path("made");
    sq(&[
        "key",
        "generate",
        "--userid",
        USER_ID,
        "--cannot-sign",
        "--cannot-encrypt",
        "--export",
        &made,
    ]);
    let mut primary = Primary::read(&std::fs::read(&made).unwrap(), None);
    let now = SystemTime::now();
    let mut device = software(KeyKind::Rsa(2048));
    let certificate = primary.bind(device.as_mut(), now, None).unwrap();
    let key = signing(&certificate, now);
    // It stands in two places there when the primary key expires.
    let expires = now + 90 * DAY;
    let later = now + DAY;
    let ending = Edit::of(&certificate, later)
        .and_then(|edit| edit.expiry(&primary.fingerprint, Some(expires)))
        .and_then(|edit| edit.sign(primary.signer.as_mut(), None))
        .unwrap();
    let at = later.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let expected = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let found = signing(&ending, later).expires().unwrap();
    let found = found.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(found.as_secs(), expected.as_secs());
    let signed = sign(&key, device.as_mut(), at.as_secs() - 86_400);
    for verifier in Verifier::ALL {
        let good = verifier.good(&certificate, &key.fingerprint(), &signed, b"artifact");
        assert_eq!(good.len(), 1, "{verifier:?}");
    }

    for kind in [KeyKind::Ed25519, KeyKind::Rsa(4096)] {
        let ours = path("ours");
        std::fs::write(&ours, Primary::new(kind, KeyVersion::V4).file).unwrap();
        let said = sq(&["inspect", &ours]);
        assert!(said.contains("Secret key: Unencrypted"), "{said}");
        assert!(said.contains("Key flags: certification\n"), "{said}");
    }
}

#[test]
fn a_subkey_does_not_take_over_how_long_its_primary_key_lives() {
    for version in VERSIONS {
        let material = material(KeyKind::Ed25519);
        let mut signer = signstar_software::open(material.clone()).unwrap().signer;
        // The primary key is to live for 60 days, and the subkey is a day older than the binding.
        let request = CertificateRequest {
            expires: Some(created() + 60 * DAY),
            now: created() + DAY,
            created: created() + DAY,
            ..request(version)
        };
        let made = new_primary(&material, signer.as_mut(), &request, None).unwrap();
        let mut primary = Primary::read(&made.secret_key, None);
        let mut device = software(KeyKind::P256);
        let now = created() + 2 * DAY;
        let certificate = primary.bind(device.as_mut(), now, None).unwrap();
        let said = describe(&certificate, now).unwrap();
        let expiries: Vec<_> = said.keys.iter().map(|key| key.expires).collect();
        assert_eq!(expiries, [Some(created() + 60 * DAY), None]);
        // The day before its primary key ends, though 59 days after its own creation are over.
        let signed = sign(&signing(&certificate, now), device.as_mut(), day(59) + 3600);
        let key = &said.keys[1].fingerprint;
        let good = Verifier::Rsop.good(&certificate, key, &signed, b"artifact");
        assert_eq!(good.len(), 1, "{version:?}");
        assert!(
            Certificate::parse(&certificate)
                .unwrap()
                .signing_key(None, created() + 60 * DAY - Duration::from_secs(1))
                .is_ok()
        );
    }
}

#[test]
fn a_primary_with_its_secret_elsewhere_is_refused() {
    let mut primary = Primary::new(KeyKind::Ed25519, KeyVersion::V4);
    let certificate = primary
        .bind(software(KeyKind::P256).as_mut(), created() + DAY, None)
        .unwrap();
    assert_eq!(offline_primary(&certificate), Err(PrimaryError::NoSecret));
    let two = [primary.file.clone(), primary.file.clone()].concat();
    for bytes in [&b""[..], b"hello", &primary.file[1..], &two] {
        assert!(offline_primary(bytes).is_err());
    }
}

#[test]
fn another_key_cannot_bind_in_the_place_of_the_primary() {
    for version in VERSIONS {
        let primary = Primary::new(KeyKind::Ed25519, version);
        let mut other = Primary::new(KeyKind::Ed25519, version);
        other.certificate = primary.certificate.clone();
        let refused = other.bind(software(KeyKind::P256).as_mut(), created() + DAY, None);
        assert_eq!(
            refused,
            Err(EditError::NotThePrimary(primary.fingerprint.clone()))
        );
    }
}

#[test]
fn hands_nothing_out_that_primary_and_subkey_have_not_signed() {
    for version in VERSIONS {
        let mut primary = Primary::new(KeyKind::P256, version);
        let mut liar = Liar {
            claimed: software(KeyKind::Ed25519).public_key().clone(),
            signer: Ok(software(KeyKind::Ed25519)),
        };
        let refused = primary.bind(&mut liar, created() + DAY, None);
        assert!(matches!(refused, Err(EditError::Unsound(_))), "{refused:?}");
        let error = SignerError::Credential("1 try left".to_owned());
        liar.signer = Err(error.clone());
        let refused = primary.bind(&mut liar, created() + DAY, None);
        assert_eq!(refused, Err(EditError::Signer(error)));

        // The same with the primary.
        liar.claimed = primary.signer.public_key().clone();
        liar.signer = Ok(software(KeyKind::P256));
        primary.signer = Box::new(liar);
        let refused = primary.bind(software(KeyKind::P384).as_mut(), created() + DAY, None);
        assert!(matches!(refused, Err(EditError::Unsound(_))), "{refused:?}");
    }
}

#[test]
fn the_subkey_has_signed_that_it_belongs_there() {
    let mut primary = Primary::new(KeyKind::Ed25519, KeyVersion::V4);
    let certificate = primary
        .bind(software(KeyKind::P256).as_mut(), created() + DAY, None)
        .unwrap();
    let cert = Cert::from_bytes(&certificate).unwrap();
    let subkey = cert.keys().subkeys().next().unwrap();
    let binding = subkey.self_signatures().next().unwrap();
    let own = binding.embedded_signatures().next().unwrap();
    let key = cert.primary_key().key();
    own.clone()
        .verify_primary_key_binding(key, subkey.key())
        .unwrap();
    assert_eq!(own.hash_algo(), binding.hash_algo());
}
