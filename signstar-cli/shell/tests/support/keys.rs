//! OpenPGP keys of all kinds, made for one test.

use std::process::Command;
use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::prelude::*;
use sequoia_openpgp::serialize::SerializeInto;
use sequoia_openpgp::types::KeyFlags;
use sequoia_openpgp::{Cert, Profile};
use signstar_certificate::{create, CertificateRequest, Usage};
use signstar_core::{KeyKind, KeyVersion, Signer};

/// A secret key that signs and certifies, and its certificate.
pub(crate) struct SigningKey {
    /// The secret key file, binary.
    pub(crate) secret: Vec<u8>,
    /// The certificate, binary.
    pub(crate) certificate: Vec<u8>,
    /// Fingerprint, upper-case hexadecimal.
    pub(crate) fingerprint: String,
}

impl SigningKey {
    /// Makes one of version 4, an hour old.
    pub(crate) fn new(kind: KeyKind) -> Self {
        let suite = match kind {
            KeyKind::Ed25519 => CipherSuite::Cv25519,
            KeyKind::P256 => CipherSuite::P256,
            KeyKind::P384 => CipherSuite::P384,
            KeyKind::P521 => CipherSuite::P521,
            KeyKind::Rsa(_) => return Self::from_gpg(&kind.to_string()),
            KeyKind::MlDsa65 | KeyKind::MlDsa65Ed25519 => panic!("{kind} is made on tokens"),
        };
        Self::build(Self::builder().set_cipher_suite(suite))
    }

    /// Makes one of version 6, with Ed25519, an hour old.
    pub(crate) fn v6() -> Self {
        let builder = Self::builder().set_cipher_suite(CipherSuite::Cv25519);
        Self::build(
            builder
                .set_profile(Profile::RFC9580)
                .expect("a known profile"),
        )
    }

    /// What [`SigningKey::build`] takes: one primary key that signs, an hour old.
    pub(crate) fn builder() -> CertBuilder<'static> {
        CertBuilder::new()
            .add_userid("Packages <packages@example.org>")
            .set_creation_time(SystemTime::now() - Duration::from_secs(3600))
            .set_primary_key_flags(KeyFlags::empty().set_certification().set_signing())
    }

    /// Makes a key as `builder` says.
    pub(crate) fn build(builder: CertBuilder<'static>) -> Self {
        let (cert, _) = builder.generate().expect("a new key");
        Self::from_cert(&cert)
    }

    /// The key of a device, with a certificate that it has signed itself an hour ago.
    pub(crate) fn in_device(signer: &mut dyn Signer, version: KeyVersion) -> Self {
        let created = SystemTime::now() - Duration::from_secs(3600);
        let request = CertificateRequest {
            user_id: "Packages <packages@example.org>",
            created,
            now: created,
            expires: None,
            version,
            usage: Usage::CertifyAndSign,
        };
        let made = create(signer, &request).expect("a certificate");
        Self {
            secret: Vec::new(),
            certificate: made.certificate,
            fingerprint: made.fingerprint,
        }
    }

    /// A key with all its secrets.
    pub(crate) fn from_cert(cert: &Cert) -> Self {
        let public = cert.clone().strip_secret_key_material();
        Self {
            secret: cert.as_tsk().to_vec().expect("a secret key file"),
            certificate: public.to_vec().expect("a certificate"),
            fingerprint: cert.fingerprint().to_hex(),
        }
    }

    /// A key that GnuPG makes; it is quick with RSA.
    fn from_gpg(algorithm: &str) -> Self {
        // Sockets of its agent must have short names.
        let home = tempfile::tempdir_in("/tmp").expect("a folder");
        let gpg = |arguments: &[&str]| {
            let output = Command::new("gpg")
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("GNUPGHOME", home.path())
                .args(["--batch", "--quiet", "--pinentry-mode", "loopback"])
                .args(["--passphrase", "", "--faked-system-time", &an_hour_ago()])
                .args(arguments)
                .output()
                .expect("gpg starts");
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "gpg {arguments:?}: {complaint}");
            output.stdout
        };
        gpg(&[
            "--quick-gen-key",
            "packages@example.org",
            algorithm,
            "sign",
            "never",
        ]);
        let (secret, certificate) = (gpg(&["--export-secret-keys"]), gpg(&["--export"]));
        let ended = Command::new("gpgconf")
            .env("GNUPGHOME", home.path())
            .args(["--kill", "all"])
            .status();
        assert!(ended.expect("gpgconf starts").success());
        let listed = String::from_utf8(gpg(&["--list-keys", "--with-colons"])).expect("a list");
        let line = listed.lines().find(|line| line.starts_with("fpr:"));
        let fingerprint = line.and_then(|line| line.split(':').nth(9));
        Self {
            secret,
            certificate,
            fingerprint: fingerprint.expect("a fingerprint").to_owned(),
        }
    }
}

fn an_hour_ago() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.expect("a clock after 1970").as_secs() - 3600;
    format!("{seconds}!")
}
