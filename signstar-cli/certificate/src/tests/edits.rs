//! Other expiries and other subkeys, as other programs see them.

use super::offline::{Primary, day, sign, signing};
use super::*;

/// Now, in whole seconds, for programs that read the clock.
fn today() -> SystemTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    SystemTime::UNIX_EPOCH + Duration::from_secs(now.unwrap().as_secs())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[test]
fn the_device_itself_moves_the_expiry_of_its_certificate() {
    for version in VERSIONS {
        let mut device = software(KeyKind::Ed25519);
        let request = CertificateRequest {
            version,
            ..with_expiry(30)
        };
        let made = create(device.as_mut(), &request).unwrap();
        let now = created() + 40 * DAY;
        let until = created() + 365 * 20 * DAY;
        for (expires, alive) in [(Some(until), true), (None, true)] {
            let edit = Edit::of(&made.certificate, now).unwrap();
            let edit = edit.expiry(&made.fingerprint, expires).unwrap();
            let before = Some(created() + 30 * DAY);
            let change = Change::Expiry {
                fingerprint: made.fingerprint.clone(),
                before,
                after: expires,
            };
            assert_eq!(edit.changes(), [change]);
            let longer = edit.sign(device.as_mut(), None).unwrap();
            let certificate = Certificate::parse(&longer).unwrap();
            assert_eq!(certificate.signing_key(None, now).is_ok(), alive);
            assert_eq!(signing(&longer, now).expires(), expires);
            // What was valid before is so by the old statement; between the two it was not.
            let between = created() + 35 * DAY;
            assert!(certificate.signing_key(None, between).is_err());
            if version == KeyVersion::V4 {
                let gpg = Gpg::new();
                gpg.import(&longer);
                let listed = gpg.listed("pub");
                let expected = expires.map(|time| seconds(time).to_string());
                assert_eq!(listed[6], expected.unwrap_or_default());
                assert_eq!(listed[11], "scSC");
                assert_eq!(gpg.all_listed("uid").len(), 1);
            }
            let signed = sign(&signing(&longer, now), device.as_mut(), seconds(now));
            let good = Verifier::Rsop.good(&longer, &made.fingerprint, &signed, b"artifact");
            assert_eq!(good, [seconds(now)], "{version:?}");
        }
    }
}

#[test]
fn every_user_id_gets_the_new_expiry() {
    let mut device = software(KeyKind::P256);
    let made = create(device.as_mut(), &with_expiry(30)).unwrap();
    let now = created() + 2 * DAY;
    let two = Edit::of(&made.certificate, now)
        .and_then(|edit| edit.user_id("Images <images@example.org>"))
        .and_then(|edit| edit.sign(device.as_mut(), None))
        .unwrap();
    let now = now + DAY;
    let longer = Edit::of(&two, now)
        .and_then(|edit| edit.expiry(&made.fingerprint, None))
        .and_then(|edit| edit.sign(device.as_mut(), None))
        .unwrap();
    let gpg = Gpg::new();
    gpg.import(&longer);
    assert_eq!(gpg.listed("pub")[6], "");
    assert_eq!(gpg.all_listed("uid").len(), 2);
    // Each user ID alone has it too.
    for user_id in [USER_ID, "Images <images@example.org>"] {
        let cert = sequoia_openpgp::Cert::from_bytes(&longer).unwrap();
        let cert = cert.retain_userids(|found| found.userid().value() == user_id.as_bytes());
        let bytes = sequoia_openpgp::serialize::SerializeInto::to_vec(&cert).unwrap();
        assert_eq!(signing(&bytes, now).expires(), None, "{user_id}");
    }
}

#[test]
fn the_primary_alone_moves_the_expiry_of_a_subkey() {
    for version in VERSIONS {
        let mut primary = Primary::new(KeyKind::Ed25519, version);
        let mut device = software(KeyKind::P384);
        let expires = created() + 30 * DAY;
        let certificate = primary
            .bind(device.as_mut(), created() + DAY, Some(expires))
            .unwrap();
        let fingerprint = signing(&certificate, created() + DAY).fingerprint();
        let now = created() + 40 * DAY;
        let longer = Edit::of(&certificate, now)
            .and_then(|edit| edit.expiry(&fingerprint, Some(created() + 365 * 20 * DAY)))
            .and_then(|edit| edit.sign(primary.signer.as_mut(), None))
            .unwrap();
        let key = signing(&longer, now);
        assert_eq!(key.fingerprint(), fingerprint);
        let signed = sign(&key, device.as_mut(), seconds(now));
        let takes = |certificate: &[u8]| {
            Verifier::Rsop.good(certificate, &fingerprint, &signed, b"artifact")
        };
        assert_eq!(takes(&longer), [seconds(now)]);
        // Before it was extended, the same signature came too late.
        assert!(takes(&certificate).is_empty());
        if version == KeyVersion::V4 {
            let gpg = Gpg::new();
            gpg.import(&certificate);
            assert_eq!(gpg.verdict(&signed, b"artifact"), "EXPKEYSIG");
            gpg.import(&longer);
            assert_eq!(gpg.verdict(&signed, b"artifact"), "GOODSIG");
            assert_eq!(gpg.listed("sub")[11], "s");
            assert_eq!(
                Verifier::Sqop.good(&longer, &fingerprint, &signed, b"artifact"),
                [seconds(now)]
            );
        }
    }
}

#[test]
fn a_rotation_leaves_the_old_key_its_time_and_its_signatures() {
    for version in VERSIONS {
        let mut primary = Primary::new(KeyKind::Ed25519, version);
        let (mut old, mut new) = (software(KeyKind::P256), software(KeyKind::Ed25519));
        let begin = today() - 10 * DAY;
        let certificate = primary.bind(old.as_mut(), begin, None).unwrap();
        let old_key = signing(&certificate, begin);
        let early = sign(&old_key, old.as_mut(), seconds(begin + DAY));

        let now = today() - 5 * DAY;
        let overlap = now + 3 * DAY;
        let rotated = Edit::of(&certificate, now)
            .and_then(|edit| edit.subkey(new.public_key(), created(), Some(now + 365 * DAY)))
            .and_then(|edit| edit.expiry(&old_key.fingerprint(), Some(overlap)))
            .and_then(|edit| edit.sign(primary.signer.as_mut(), Some(new.as_mut())))
            .unwrap();
        let certificate = Certificate::parse(&rotated).unwrap();
        let second = Duration::from_secs(1);
        assert!(matches!(
            certificate.signing_key(None, overlap - second),
            Err(CertificateError::Ambiguous(_))
        ));
        let at = |time| certificate.signing_key(Some(&old_key.fingerprint()), time);
        assert!(at(overlap - second).is_ok());
        assert!(at(overlap).is_err());
        let new_key = certificate.signing_key(None, overlap).unwrap();
        new_key.check_signer(new.as_ref()).unwrap();

        let late = sign(&old_key, old.as_mut(), seconds(overlap + DAY));
        let fresh = sign(&new_key, new.as_mut(), seconds(overlap + DAY));
        for verifier in Verifier::ALL {
            if version == KeyVersion::V6 && verifier != Verifier::Rsop {
                continue;
            }
            let good =
                |key: &str, signed: &[u8]| verifier.good(&rotated, key, signed, b"artifact").len();
            let case = format!("{verifier:?} {version:?}");
            assert_eq!(good(&old_key.fingerprint(), &early), 1, "{case}");
            assert_eq!(good(&new_key.fingerprint(), &fresh), 1, "{case}");
            // gpgv speaks of the key's state elsewhere.
            if verifier != Verifier::Gpgv {
                assert_eq!(good(&old_key.fingerprint(), &late), 0, "{case}");
            }
        }
        if version == KeyVersion::V4 {
            let gpg = Gpg::new();
            gpg.import(&rotated);
            let below = gpg.all_listed("sub");
            assert_eq!(below.len(), 2);
            assert_eq!((below[0][11].as_str(), below[1][11].as_str()), ("s", "s"));
            assert_eq!(gpg.verdict(&early, b"artifact"), "EXPKEYSIG");
            assert_eq!(gpg.verdict(&fresh, b"artifact"), "GOODSIG");
        }
    }
}

#[test]
fn refuses_edits_that_cannot_be() {
    let mut primary = Primary::new(KeyKind::Ed25519, KeyVersion::V4);
    let mut device = software(KeyKind::P256);
    let now = created() + DAY;
    let certificate = primary.bind(device.as_mut(), now, None).unwrap();
    let fingerprint = signing(&certificate, now).fingerprint();
    let later = now + DAY;
    let edit = || Edit::of(&certificate, later).unwrap();
    let second = Duration::from_secs(1);

    let again = edit().subkey(device.public_key(), created(), None);
    assert_eq!(again.unwrap_err(), EditError::Present(fingerprint.clone()));
    // The same numbers at another time are another key to OpenPGP, and the same one to a thief.
    let again = edit().subkey(device.public_key(), created() + second, None);
    assert!(matches!(again, Err(EditError::Present(_))));
    let other = software(KeyKind::P256);
    let subkey = |created, expires| edit().subkey(other.public_key(), created, expires).err();
    assert_eq!(subkey(later, None), None);
    assert_eq!(subkey(later + second, None), Some(EditError::Creation));
    assert_eq!(subkey(created(), Some(later)), Some(EditError::Expiry));
    assert_eq!(subkey(created(), Some(later + second)), None);

    let expiry = |fingerprint: &str, expires| edit().expiry(fingerprint, expires).err();
    assert_eq!(expiry(&fingerprint, Some(later)), Some(EditError::Expiry));
    assert_eq!(expiry(&fingerprint, Some(later + second)), None);
    let most = Duration::from_secs(u64::from(u32::MAX));
    assert_eq!(expiry(&fingerprint, Some(created() + most)), None);
    assert_eq!(
        expiry(&fingerprint, Some(created() + most + second)),
        Some(EditError::Expiry)
    );
    for unknown in ["", "AB", &fingerprint[1..], &fingerprint.to_lowercase()] {
        assert_eq!(
            expiry(unknown, None),
            Some(EditError::NoKey(unknown.to_owned()))
        );
    }
    // Of two statements of one second, which one holds?
    let soon = Edit::of(&certificate, now).unwrap();
    let soon = soon.expiry(&fingerprint, None);
    assert_eq!(soon.unwrap_err(), EditError::TooSoon(fingerprint));
    for user_id in ["", "a\nb", &"x".repeat(1025)] {
        assert_eq!(edit().user_id(user_id).unwrap_err(), EditError::UserId);
    }
    assert_eq!(edit().user_id(USER_ID).unwrap().changes(), []);
    for bytes in [&b""[..], b"hello", &certificate[1..]] {
        let refused = Edit::of(bytes, now);
        assert!(matches!(refused, Err(EditError::Certificate(_))));
    }
}

#[test]
fn nothing_is_bound_below_a_primary_key_that_has_expired() {
    for version in VERSIONS {
        let mut primary = Primary::new(KeyKind::Ed25519, version);
        let begin = created() + 2 * DAY;
        let short = Edit::of(&primary.certificate, begin)
            .and_then(|edit| edit.expiry(&primary.fingerprint, Some(begin + DAY)))
            .and_then(|edit| edit.sign(primary.signer.as_mut(), None));
        primary.certificate = short.unwrap();
        let mut bind = |now| primary.bind(software(KeyKind::P256).as_mut(), now, None);
        assert!(bind(begin + DAY - Duration::from_secs(1)).is_ok());
        let refused = bind(begin + DAY);
        assert_eq!(
            refused,
            Err(EditError::Expired(primary.fingerprint.clone()))
        );
    }
}

#[test]
fn the_new_expiry_is_signed_or_not_handed_out() {
    for version in VERSIONS {
        let mut liar = Liar {
            claimed: software(KeyKind::P256).public_key().clone(),
            signer: Ok(software(KeyKind::P256)),
        };
        let mut primary = Primary::new(KeyKind::Ed25519, version);
        let mut device = software(KeyKind::P256);
        let certificate = primary
            .bind(device.as_mut(), created() + DAY, None)
            .unwrap();
        let now = created() + 2 * DAY;
        let subkey = signing(&certificate, now).fingerprint();
        liar.claimed = primary.signer.public_key().clone();
        liar.signer = Ok(software(KeyKind::Ed25519));
        for fingerprint in [&subkey, &primary.fingerprint] {
            let edit = Edit::of(&certificate, now).unwrap();
            let edit = edit
                .expiry(fingerprint, Some(created() + 90 * DAY))
                .unwrap();
            let refused = edit.clone().sign(&mut liar, None);
            assert_eq!(refused, Err(EditError::Unsound(fingerprint.clone())));
            assert!(edit.sign(primary.signer.as_mut(), None).is_ok());
        }
        assert_eq!(day(1), seconds(created() + DAY));
    }
}
