//! The end of keys and certificates, as other programs see it.

use super::offline::{Primary, sign, signing};
use super::*;

/// A moment that has passed for programs that read the clock.
fn later() -> SystemTime {
    created() + 3 * DAY
}

fn at(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn is_hard(reason: Reason) -> bool {
    match reason {
        Reason::Compromised | Reason::Unspecified => true,
        Reason::Superseded | Reason::Retired => false,
    }
}

#[test]
fn a_revoked_certificate_ends_with_its_reason() {
    for version in VERSIONS {
        for reason in Reason::ALL {
            let mut device = software(KeyKind::Ed25519);
            let request = request(version);
            let made = create(device.as_mut(), &request).unwrap();
            let signed = sign(
                &signing(&made.certificate, created() + 2 * DAY),
                device.as_mut(),
                at(created() + 2 * DAY),
            );
            let edit = Edit::of(&made.certificate, later()).unwrap();
            let edit = edit.revocation(&made.fingerprint, reason, "we are done");
            let revoked = edit.unwrap().sign(device.as_mut(), None).unwrap();
            let certificate = Certificate::parse(&revoked).unwrap();
            assert_eq!(
                certificate.signing_key(None, later()).unwrap_err(),
                CertificateError::Revoked(made.fingerprint.clone())
            );
            // A soft one leaves what was before it.
            let before = certificate.signing_key(None, created() + 2 * DAY);
            assert_eq!(before.is_err(), is_hard(reason), "{reason}");
            let good = Verifier::Rsop.good(&revoked, &made.fingerprint, &signed, b"artifact");
            let case = format!("{reason} {version:?}");
            assert_eq!(good.is_empty(), is_hard(reason), "{case}");
            if version == KeyVersion::V4 {
                let gpg = Gpg::new();
                gpg.import(&made.certificate);
                assert_eq!(gpg.verdict(&signed, b"artifact"), "GOODSIG");
                gpg.import(&revoked);
                assert_eq!(gpg.listed("pub")[1], "r");
                assert_eq!(gpg.verdict(&signed, b"artifact"), "REVKEYSIG");
                let good = Verifier::Sqop.good(&revoked, &made.fingerprint, &signed, b"artifact");
                assert_eq!(good.is_empty(), is_hard(reason), "{case}");
            }
            // There is no way back, and no second end.
            let again = Edit::of(&revoked, later() + DAY);
            assert_eq!(again.unwrap_err(), EditError::Revoked(made.fingerprint));
        }
    }
}

#[test]
fn one_subkey_ends_and_the_other_goes_on() {
    for version in VERSIONS {
        for reason in Reason::ALL {
            let mut primary = Primary::new(KeyKind::Ed25519, version);
            let (mut one, mut other) = (software(KeyKind::P256), software(KeyKind::P256));
            let now = created() + DAY;
            primary.certificate = primary.bind(one.as_mut(), now, None).unwrap();
            let first = signing(&primary.certificate, now);
            let both = primary.bind(other.as_mut(), now, None).unwrap();
            let edit = Edit::of(&both, later()).unwrap();
            let edit = edit.revocation(&first.fingerprint(), reason, "").unwrap();
            let revoked = edit.sign(primary.signer.as_mut(), None).unwrap();
            let left = signing(&revoked, later());
            left.check_signer(other.as_ref()).unwrap();
            let refused = Certificate::parse(&revoked)
                .unwrap()
                .signing_key(Some(&first.fingerprint()), later());
            assert!(matches!(refused, Err(CertificateError::NoSigningKey(..))));
            let said = describe(&revoked, later()).unwrap();
            assert!(!said.revoked);
            let ended: Vec<bool> = said.keys.iter().map(|key| key.revoked).collect();
            assert_eq!(ended.iter().filter(|ended| **ended).count(), 1);

            let of_first = sign(&first, one.as_mut(), at(now));
            let of_left = sign(&left, other.as_mut(), at(now));
            let good = |key: &str, signed: &[u8]| {
                Verifier::Rsop
                    .good(&revoked, key, signed, b"artifact")
                    .len()
            };
            assert_eq!(good(&left.fingerprint(), &of_left), 1);
            let expected = usize::from(!is_hard(reason));
            assert_eq!(
                good(&first.fingerprint(), &of_first),
                expected,
                "{reason} {version:?}"
            );
            if version == KeyVersion::V4 {
                let gpg = Gpg::new();
                gpg.import(&revoked);
                assert_eq!(gpg.verdict(&of_first, b"artifact"), "REVKEYSIG");
                assert_eq!(gpg.verdict(&of_left, b"artifact"), "GOODSIG");
            }
            let edit = Edit::of(&revoked, later() + DAY).unwrap();
            let name = first.fingerprint();
            let expected = EditError::Revoked(name.clone());
            assert_eq!(edit.clone().expiry(&name, None).unwrap_err(), expected);
            let again = edit.revocation(&name, reason, "");
            assert_eq!(again.unwrap_err(), expected);
        }
    }
}

#[test]
fn the_revocation_made_with_a_certificate_is_merged_later() {
    for version in VERSIONS {
        let made = create(software(KeyKind::P256).as_mut(), &request(version)).unwrap();
        let (revoked, changes) =
            merge_revocation(&made.certificate, &made.revocation, later()).unwrap();
        let expected = Change::Revocation {
            fingerprint: made.fingerprint.clone(),
            reason: None,
        };
        assert_eq!(changes, [expected]);
        assert!(describe(&revoked, later()).unwrap().revoked);
        let none = EditError::NoRevocation(made.fingerprint.clone());
        let again = merge_revocation(&revoked, &made.revocation, later());
        assert_eq!(again.unwrap_err(), none);
        let other = create(software(KeyKind::P256).as_mut(), &request(version)).unwrap();
        for file in [&b""[..], b"hello", &other.revocation, &made.certificate] {
            let refused = merge_revocation(&made.certificate, file, later());
            assert_eq!(refused.unwrap_err(), none);
        }
    }
}

#[test]
fn the_revocation_made_with_a_subkey_ends_that_subkey_only() {
    for version in VERSIONS {
        let mut primary = Primary::new(KeyKind::Ed25519, version);
        let now = created() + DAY;
        let (mut one, mut other) = (software(KeyKind::P256), software(KeyKind::P384));
        let certificate = primary.bind(one.as_mut(), now, None).unwrap();
        let first = signing(&certificate, now).fingerprint();
        let early = subkey_revocation(&certificate, &first, now, primary.signer.as_mut()).unwrap();
        let text = String::from_utf8(early.clone()).unwrap();
        assert!(
            text.contains(&format!("revocation of {first}: keep it safe")),
            "{text}"
        );
        primary.certificate = certificate.clone();
        let both = primary.bind(other.as_mut(), now, None).unwrap();
        let (revoked, changes) = merge_revocation(&both, &early, later()).unwrap();
        assert_eq!(changes.len(), 1);
        let left = signing(&revoked, later());
        left.check_signer(other.as_ref()).unwrap();
        if version == KeyVersion::V4 {
            // GnuPG imports the file as it is.
            let gpg = Gpg::new();
            gpg.import(&certificate);
            assert_ne!(gpg.listed("sub")[1], "r");
            gpg.import(&early);
            assert_eq!(gpg.listed("sub")[1], "r");
            assert_ne!(gpg.listed("pub")[1], "r");
        }
    }
}

#[test]
fn a_revocation_takes_nothing_else_of_its_file_along() {
    let mut primary = Primary::new(KeyKind::Ed25519, KeyVersion::V4);
    let now = created() + DAY;
    let certificate = primary
        .bind(software(KeyKind::P256).as_mut(), now, None)
        .unwrap();
    let first = signing(&certificate, now).fingerprint();
    let more = Edit::of(&certificate, now)
        .and_then(|edit| edit.user_id("Somebody <else@example.org>"))
        .and_then(|edit| edit.revocation(&first, Reason::Retired, ""))
        .and_then(|edit| edit.sign(primary.signer.as_mut(), None))
        .unwrap();
    let (merged, _) = merge_revocation(&certificate, &more, later()).unwrap();
    assert_eq!(describe(&more, later()).unwrap().user_ids.len(), 2);
    assert_eq!(describe(&merged, later()).unwrap().user_ids, [USER_ID]);
    let holds = |bytes: &[u8]| bytes.windows(8).any(|window| window == b"Somebody");
    assert_eq!((holds(&more), holds(&merged)), (true, false));
}

#[test]
fn refuses_texts_that_are_too_long_or_control_a_terminal() {
    let made = create(
        software(KeyKind::Ed25519).as_mut(),
        &request(KeyVersion::V4),
    )
    .unwrap();
    let with = |text: &str| {
        let edit = Edit::of(&made.certificate, later()).unwrap();
        edit.revocation(&made.fingerprint, Reason::Retired, text)
            .err()
    };
    assert_eq!(with(&"x".repeat(1024)), None);
    for text in [&"x".repeat(1025), "a\nb", "\u{1b}[2J"] {
        assert_eq!(with(text), Some(EditError::Text), "{text:?}");
    }
}

#[test]
fn a_revocation_is_signed_or_not_handed_out() {
    let mut primary = Primary::new(KeyKind::Ed25519, KeyVersion::V6);
    let now = created() + DAY;
    let certificate = primary
        .bind(software(KeyKind::P256).as_mut(), now, None)
        .unwrap();
    let subkey = signing(&certificate, now).fingerprint();
    let mut liar = Liar {
        claimed: primary.signer.public_key().clone(),
        signer: Ok(software(KeyKind::Ed25519)),
    };
    for fingerprint in [&subkey, &primary.fingerprint] {
        let edit = Edit::of(&certificate, later()).unwrap();
        let edit = edit
            .revocation(fingerprint, Reason::Compromised, "")
            .unwrap();
        let refused = edit.sign(&mut liar, None);
        assert_eq!(refused, Err(EditError::Unsound(fingerprint.clone())));
    }
}

#[test]
fn damaged_files_revoke_nothing_else_and_cause_no_panic() {
    let mut primary = Primary::new(KeyKind::P256, KeyVersion::V4);
    let now = created() + DAY;
    let certificate = primary
        .bind(software(KeyKind::Ed25519).as_mut(), now, None)
        .unwrap();
    let subkey = signing(&certificate, now).fingerprint();
    let early = subkey_revocation(&certificate, &subkey, now, primary.signer.as_mut()).unwrap();
    let early = binary(&early).unwrap();
    let mut refused = 0;
    let mut judge = |file: &[u8]| {
        match merge_revocation(&certificate, file, later()) {
            Ok((_, changes)) => {
                let expected = Change::Revocation {
                    fingerprint: subkey.clone(),
                    reason: None,
                };
                assert_eq!(changes, [expected]);
            }
            Err(_) => refused += 1,
        }
        // Whatever these say of it.
        let _ = (
            offline_primary(file),
            stored_keys(file),
            describe(file, now),
        );
        let _ = (Edit::of(file, now), binary(file), armor(file));
        let _ = (keyring(&[file], now), web_key_directory(&[file]));
    };
    for whole in [&early, &primary.file] {
        for at in (0..whole.len()).step_by(3) {
            judge(&whole[..at]);
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            judge(&flipped);
        }
    }
    judge(&early);
    assert!(refused > 100, "{refused}");
}
