//! Certificates and credentials that cannot be used: no input is read, the refusal is recorded,
//! and neither record nor message says anything of a secret.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use sequoia_openpgp::cert::prelude::*;
use sequoia_openpgp::crypto::Password;
use sequoia_openpgp::packet::Packet;
use sequoia_openpgp::types::{KeyFlags, ReasonForRevocation};
use sequoia_openpgp::Profile;
use signstar_core::{Field, KeyKind, Refusal};

use crate::scene::{assert_refused_and_recorded, assert_signed, run_unread, INPUT};
use crate::support::world::{give, SIGNER, SIGNERS};
use crate::support::{Configuration, SigningKey, World};

const SECRET: &str = "/etc/signstar/packages.secret.pgp";
const CERTIFICATE: &str = "/etc/signstar/packages.pgp";
const PASSPHRASE: &str = "correct horse battery staple";

/// Asserts that this is refused without reading input, and that the detail says so.
#[track_caller]
fn assert_refused(world: &World, refusal: Refusal, detail: &str) {
    let outcome = run_unread(world.shell());
    let record = assert_refused_and_recorded(world, &outcome, refusal);
    let said = record.get(Field::Detail).unwrap_or_default();
    assert!(said.contains(detail), "{said}");
    assert!(!said.contains("horse"), "{said}");
}

fn hour() -> Duration {
    Duration::from_secs(3600)
}

fn builder() -> CertBuilder<'static> {
    SigningKey::builder().set_profile(Profile::RFC4880).unwrap()
}

#[test]
fn refuses_a_certificate_that_has_expired() {
    let year = SystemTime::now() - 365 * 24 * hour();
    let expired = builder()
        .set_creation_time(year)
        .set_validity_period(hour());
    let world = World::with(&Configuration::new(), SigningKey::build(expired));
    assert_refused(&world, Refusal::Certificate, "expired");
}

#[test]
fn refuses_a_certificate_from_the_future_of_its_clock() {
    for ahead in [Duration::from_secs(120), 24 * hour()] {
        let future = builder().set_creation_time(SystemTime::now() + ahead);
        let world = World::with(&Configuration::new(), SigningKey::build(future));
        assert_refused(&world, Refusal::Certificate, "future");
    }
}

#[test]
fn refuses_a_certificate_that_is_revoked() {
    for reason in [
        ReasonForRevocation::KeyCompromised,
        ReasonForRevocation::KeySuperseded,
    ] {
        let (cert, _) = builder().generate().unwrap();
        let key = cert.primary_key().key().clone();
        let mut signer = key.parts_into_secret().unwrap().into_keypair().unwrap();
        let revocation = CertRevocationBuilder::new()
            .set_reason_for_revocation(reason, b"")
            .unwrap()
            .build(&mut signer, &cert, None)
            .unwrap();
        let cert = cert.insert_packets([Packet::from(revocation)]).unwrap().0;
        let world = World::with(&Configuration::new(), SigningKey::from_cert(&cert));
        assert_refused(&world, Refusal::Certificate, "revoked");
    }
}

#[test]
fn refuses_a_certificate_that_cannot_sign_or_names_no_single_key() {
    let certifying = || builder().set_primary_key_flags(KeyFlags::empty().set_certification());
    let world = World::with(&Configuration::new(), SigningKey::build(certifying()));
    assert_refused(&world, Refusal::Certificate, "no valid signing key");
    let two = certifying().add_signing_subkey().add_signing_subkey();
    world.install_key(&SigningKey::build(two));
    assert_refused(&world, Refusal::Certificate, "several");
    world.configure(&Configuration::new().key("signing-key = \"0123\""));
    assert_refused(
        &world,
        Refusal::Certificate,
        "no key has the chosen fingerprint",
    );
}

#[test]
fn refuses_a_certificate_file_that_is_wrong_changeable_or_secret() {
    let world = World::new();
    let right = world.key.certificate.clone();
    for (content, detail) in [
        (Vec::new(), "not an OpenPGP certificate"),
        (b"garbage".to_vec(), "not an OpenPGP certificate"),
        (vec![0xff; 1 << 20], "not an OpenPGP certificate"),
        (vec![0; (1 << 20) + 1], "larger than"),
        (right[..right.len() / 2].to_vec(), ""),
        (world.key.secret.clone(), "secret key material"),
    ] {
        world.write(CERTIFICATE, content, (0, 0), 0o644);
        assert_refused(&world, Refusal::Certificate, detail);
    }
    for (owner, mode) in [
        ((SIGNER.id, 0), 0o644),
        ((0, SIGNERS), 0o664),
        ((0, 0), 0o666),
    ] {
        world.write(CERTIFICATE, &right, owner, mode);
        assert_refused(&world, Refusal::Certificate, "must belong to root");
    }
    fs::remove_file(world.path(CERTIFICATE)).unwrap();
    assert_refused(&world, Refusal::Certificate, "no such file");
}

/// Whoever can rename a folder above a file puts another one in its place.
#[test]
fn refuses_a_certificate_below_a_folder_of_somebody_else() {
    let text = Configuration::new().text();
    let world = World::new();
    let right = world.key.certificate.clone();
    let (outer, inner) = (
        world.path("/etc/signstar/a"),
        world.path("/etc/signstar/a/b"),
    );
    fs::create_dir_all(&inner).unwrap();
    symlink("a/b", world.path("/etc/signstar/link")).unwrap();
    world.write("/etc/signstar/a/b/cert", &right, (0, 0), 0o644);
    for folder in ["a/b", "link"] {
        let text = text.replace(CERTIFICATE, &format!("/etc/signstar/{folder}/cert"));
        world.write("/etc/signstar/signstar.toml", text, (0, 0), 0o644);
        for (owner, mode) in [((0, 0), 0o755), ((0, SIGNERS), 0o1775)] {
            give(&outer, owner, mode);
            assert_eq!(
                world.shell().run(b"artifact").code(),
                0,
                "{folder} {mode:o}"
            );
            world.forget();
        }
        for (owner, mode) in [((SIGNER.id, 0), 0o755), ((0, SIGNERS), 0o775)] {
            give(&outer, owner, mode);
            assert_refused(&world, Refusal::Certificate, "must belong to root");
        }
        give(&outer, (0, 0), 0o755);
        give(&inner, (0, SIGNERS), 0o1775);
        assert_refused(&world, Refusal::Certificate, "must belong to root");
        give(&inner, (0, 0), 0o755);
    }
}

#[test]
fn refuses_a_secret_key_that_is_not_the_certificates() {
    let world = World::new();
    let other = SigningKey::new(KeyKind::Ed25519);
    world.write(SECRET, &other.secret, (0, SIGNERS), 0o440);
    assert_refused(&world, Refusal::Credential, "does not hold the key");
    world.write(SECRET, &world.key.certificate, (0, SIGNERS), 0o440);
    assert_refused(&world, Refusal::Credential, "only the public half");
}

#[test]
fn refuses_a_secret_key_file_that_is_exposed_changeable_or_no_file() {
    let world = World::new();
    let path = world.path(SECRET);
    for (owner, mode, detail) in [
        ((0, SIGNERS), 0o444, "must not be readable by others"),
        ((0, SIGNERS), 0o441, "must not be readable by others"),
        ((0, SIGNERS), 0o460, "must belong to root"),
        ((SIGNER.id, SIGNERS), 0o400, "must belong to root"),
        ((0, 0), 0o400, "permission denied"),
    ] {
        give(&path, owner, mode);
        assert_refused(&world, Refusal::Credential, detail);
    }
    fs::rename(&path, world.path("/etc/signstar/elsewhere")).unwrap();
    give(&world.path("/etc/signstar/elsewhere"), (0, SIGNERS), 0o440);
    assert_refused(&world, Refusal::Credential, "no such file");
    symlink("elsewhere", &path).unwrap();
    assert_refused(&world, Refusal::Credential, "symbolic link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_refused(&world, Refusal::Credential, "not a regular file");
    fs::remove_dir(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o440)).unwrap();
    give(&path, (0, SIGNERS), 0o440);
    assert_refused(&world, Refusal::Credential, "not a regular file");
    fs::remove_file(&path).unwrap();
    for content in [b"".as_slice(), b"garbage", &world.key.secret[..40]] {
        world.write(SECRET, content, (0, SIGNERS), 0o440);
        assert_refused(&world, Refusal::Credential, "secret key file");
    }
    world.write(SECRET, vec![0; (256 << 10) + 1], (0, SIGNERS), 0o440);
    assert_refused(&world, Refusal::Credential, "larger than");
}

#[test]
fn refuses_a_passphrase_that_is_wrong_missing_needless_or_exposed() {
    let protected = builder().set_password(Some(Password::from(PASSPHRASE)));
    let protected = SigningKey::build(protected);
    let file = "/etc/signstar/passphrase";
    let with = Configuration::new();
    let text = with.text() + &format!("passphrase = \"{file}\"\n");
    let world = World::with(&with, protected);
    assert_refused(&world, Refusal::Credential, "a passphrase is needed");

    world.write("/etc/signstar/signstar.toml", &text, (0, 0), 0o644);
    assert_refused(&world, Refusal::Credential, "no such file");
    for wrong in [
        "",
        "\n",
        "wrong horse",
        "correct horse battery staple\n\n",
        " correct horse",
    ] {
        world.write(file, wrong, (0, SIGNERS), 0o440);
        assert_refused(&world, Refusal::Credential, "passphrase does not open");
    }
    world.write(file, vec![b'x'; 4097], (0, SIGNERS), 0o440);
    assert_refused(&world, Refusal::Credential, "larger than");
    world.write(file, PASSPHRASE, (0, SIGNERS), 0o444);
    assert_refused(
        &world,
        Refusal::Credential,
        "must not be readable by others",
    );
    world.write(file, PASSPHRASE, (0, SIGNERS), 0o460);
    assert_refused(&world, Refusal::Credential, "must belong to root");

    for right in [PASSPHRASE.to_owned(), format!("{PASSPHRASE}\n")] {
        world.write(file, right, (0, SIGNERS), 0o440);
        assert_signed(&world.shell().run(INPUT));
        world.forget();
    }
    world.install_key(&SigningKey::new(KeyKind::Ed25519));
    assert_refused(
        &world,
        Refusal::Credential,
        "not protected, but a passphrase",
    );
}
