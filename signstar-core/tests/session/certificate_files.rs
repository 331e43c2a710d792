//! Files that are a certificate, and files that are none.

use std::panic::catch_unwind;

use proptest::prelude::*;
use sequoia_openpgp::serialize::SerializeInto;
use signstar_core::{Certificate, CertificateError};

use crate::keys::{Kind, builder, cert, noon, public_file};

/// What the file gives: the fingerprint of its signing key at noon.
fn read(file: &[u8]) -> Result<String, CertificateError> {
    let key = Certificate::parse(file)?.signing_key(None, noon())?;
    Ok(key.fingerprint())
}

/// A small certificate with a subkey that signs.
fn with_subkey() -> Vec<u8> {
    let flags = sequoia_openpgp::types::KeyFlags::empty().set_certification();
    let made = builder(
        sequoia_openpgp::cert::CipherSuite::Cv25519,
        sequoia_openpgp::Profile::RFC4880,
    )
    .set_primary_key_flags(flags)
    .add_signing_subkey()
    .generate();
    public_file(&made.unwrap().0)
}

#[test]
fn reads_a_certificate_in_ascii_armor() {
    for kind in [Kind::Ed25519Legacy, Kind::Rsa2048, Kind::Ed25519V6] {
        let public = cert(kind).clone().strip_secret_key_material();
        let armored = public.armored().to_vec().unwrap();
        assert!(armored.starts_with(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"));
        assert_eq!(read(&armored), read(&public_file(cert(kind))));
        assert!(read(&armored).is_ok());
    }
}

#[test]
fn refuses_a_file_with_secret_keys_in_it() {
    for kind in Kind::ALL {
        let tsk = cert(kind).as_tsk();
        for file in [tsk.to_vec().unwrap(), tsk.armored().to_vec().unwrap()] {
            assert_eq!(
                read(&file),
                Err(CertificateError::ContainsSecret),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn refuses_what_is_no_certificate() {
    let one = public_file(cert(Kind::P256));
    let two = [one.clone(), public_file(cert(Kind::P384))].concat();
    for file in [
        b"".as_slice(),
        b"\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAA",
        &[0; 4096],
        &[0xff; 4096],
        &one[1..],
        &two,
    ] {
        let refused = read(file);
        assert!(
            matches!(refused, Err(CertificateError::Malformed(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn refuses_a_file_of_more_than_a_mebibyte_unread() {
    let mut file = public_file(cert(Kind::P256));
    file.resize((1 << 20) + 1, 0);
    assert_eq!(read(&file), Err(CertificateError::TooLarge));
    file.truncate(1 << 20);
    assert!(!matches!(read(&file), Err(CertificateError::TooLarge)));
}

#[test]
fn a_certificate_cut_at_any_byte_gives_no_other_key_and_no_panic() {
    let p256 = cert(Kind::P256).clone().strip_secret_key_material();
    for whole in [
        with_subkey(),
        public_file(cert(Kind::Ed25519V6)),
        p256.armored().to_vec().unwrap(),
    ] {
        let right = read(&whole).unwrap();
        let mut refused = 0;
        for end in 0..whole.len() {
            match read(&whole[..end]) {
                Ok(key) => assert_eq!(key, right, "cut at {end}"),
                Err(_) => refused += 1,
            }
        }
        // Only the armor's own last lines, or nothing at all, may be spared.
        assert!(refused + 64 >= whole.len(), "{refused} of {}", whole.len());
    }
}

#[test]
fn a_certificate_with_any_flipped_bit_gives_no_other_key_and_no_panic() {
    let whole = with_subkey();
    let right = read(&whole).unwrap();
    for bit in 0..8 * whole.len() {
        let mut file = whole.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        // Self-signatures have parts that are not signed: those may change.
        if let Ok(key) = read(&file) {
            assert_eq!(key, right, "bit {bit}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused_without_a_panic(file in prop::collection::vec(any::<u8>(), 0..2000)) {
        let refused = catch_unwind(|| read(&file));
        prop_assert!(matches!(refused, Ok(Err(_))));
    }
}
