use super::*;

fn package() -> Verdict {
    Verdict::Accepted(Identity {
        name: "trial".to_owned(),
        base: "trial".to_owned(),
        version: "1:2.0-3".to_owned(),
        architecture: "x86_64".to_owned(),
        packager: "Somebody <somebody@example.org>".to_owned(),
        build_tool: "makepkg".to_owned(),
        build_date: 1_700_000_000,
        entries: 6,
        unpacked_bytes: 10_240,
        ..Identity::default()
    })
}

#[test]
fn what_is_said_is_read_back() {
    let refused = |identity| Verdict::Refused {
        finding: InspectionCode::VersionsDiffer.at(8192),
        identity,
    };
    let named = package().identity().cloned();
    for verdict in [package(), refused(None), refused(named)] {
        let message = verdict.encode().unwrap();
        assert_eq!(Verdict::decode(&message), Ok(verdict));
    }
    for kind in ArtifactKind::ALL {
        let verdict = Verdict::Accepted(Identity {
            kind,
            ..Identity::default()
        });
        assert_eq!(Verdict::decode(&verdict.encode().unwrap()), Ok(verdict));
    }
}

/// Shell and inspector can be of different builds, so each byte has its place.
#[test]
fn the_message_has_one_form() {
    let texts = [
        "trial",
        "trial-base",
        "1:2.0-3",
        "x86_64",
        "Somebody <somebody@example.org>",
        "makepkg",
    ];
    for (kind, octet) in [
        (ArtifactKind::PacmanPackage, 1),
        (ArtifactKind::PacmanDatabase, 2),
        (ArtifactKind::Iso, 3),
    ] {
        let mut expected = b"SSV1\0\0\0\0\0\0\0\0\0\0".to_vec();
        expected.push(octet);
        for text in texts {
            expected.push(u8::try_from(text.len()).unwrap());
            expected.extend(text.as_bytes());
        }
        expected.extend(1_700_000_000_u64.to_be_bytes());
        expected.extend(6_u64.to_be_bytes());
        expected.extend(10_240_u64.to_be_bytes());
        expected.resize(VERDICT_BYTES, 0);
        let Verdict::Accepted(identity) = package() else {
            panic!("refused");
        };
        let base = "trial-base".to_owned();
        let identity = Identity {
            kind,
            base,
            ..identity
        };
        let message = Verdict::Accepted(identity).encode().unwrap();
        assert_eq!(message, expected.as_slice(), "{kind:?}");
    }
    let verdict = Verdict::Refused {
        finding: InspectionCode::VersionsDiffer.at(8192),
        identity: None,
    };
    let mut expected = b"SSV1\x0f\xb5\0\0\0\0\0\0\x20\0\0".to_vec();
    expected.resize(VERDICT_BYTES, 0);
    assert_eq!(verdict.encode().unwrap(), expected.as_slice());
}

/// The seeds of the fuzz target are messages, so that it starts from some.
#[test]
fn the_seeds_are_messages() {
    for seed in [
        &include_bytes!("../../fuzz/seeds/verdict/package")[..],
        include_bytes!("../../fuzz/seeds/verdict/refused"),
        include_bytes!("../../fuzz/seeds/verdict/refused_by_rule"),
        include_bytes!("../../fuzz/seeds/verdict/database"),
        include_bytes!("../../fuzz/seeds/verdict/image"),
    ] {
        let mut message = [0; VERDICT_BYTES];
        message[..seed.len()].copy_from_slice(seed);
        assert!(Verdict::decode(&message).is_ok());
    }
}

#[test]
fn texts_that_are_too_long_or_not_plain_are_refused_on_both_sides() {
    let named = |name: String| {
        Verdict::Accepted(Identity {
            name,
            ..Identity::default()
        })
    };
    let longest = named("x".repeat(VERDICT_TEXT_BYTES_MAX));
    assert!(longest.encode().is_ok());
    assert_eq!(
        named("x".repeat(VERDICT_TEXT_BYTES_MAX + 1)).encode(),
        Err(VerdictError)
    );
    for control in ['\n', '\0', '\t', '\x1b', '\x7f', '\u{85}'] {
        let name = format!("a{control}b");
        assert_eq!(named(name).encode(), Err(VerdictError), "{control:?}");
    }
    let mut message = package().encode().unwrap();
    message[16] = b'\n'; // the first byte of the name
    assert_eq!(Verdict::decode(&message), Err(VerdictError));
    message[16] = 0xff;
    assert_eq!(Verdict::decode(&message), Err(VerdictError));
}

#[test]
fn anything_else_is_no_message() {
    let message = package().encode().unwrap();
    for (place, byte) in [
        (0, b'X'),
        (3, b'2'),
        (5, 1),  // the number of no code
        (13, 1), // accepted, but at a position
        (14, 4), // a kind that is none
        (14, 0), // accepted without an identity
        (VERDICT_BYTES - 1, 1),
    ] {
        let mut other = message;
        other[place] = byte;
        assert_eq!(Verdict::decode(&other), Err(VerdictError), "{place}");
    }
    assert_eq!(Verdict::decode(&[0; VERDICT_BYTES]), Err(VerdictError));
    assert_eq!(Verdict::decode(&[0xff; VERDICT_BYTES]), Err(VerdictError));
}
