use super::*;

fn package() -> Identity {
    Identity {
        name: "linux".to_owned(),
        base: "linux-base".to_owned(),
        version: "1-1".to_owned(),
        architecture: "x86_64".to_owned(),
        packager: "Some Body <some@example.org>".to_owned(),
        build_tool: "devtools".to_owned(),
        build_date: 1000,
        unpacked_bytes: 5000,
        ..Identity::default()
    }
}

fn of(kind: ArtifactKind) -> Identity {
    Identity { kind, ..package() }
}

fn code(rules: &[(&str, &str)], identity: &Identity) -> Option<Code> {
    let mut set = Rules::default();
    for (name, value) in rules {
        set.add(name, value).unwrap();
    }
    let judged = judge(&[Rules::default(), set], identity, 7);
    judged.err().map(|refused| {
        assert_eq!(refused.finding.position, 7);
        assert_eq!(refused.identity.as_deref(), Some(identity));
        refused.finding.code
    })
}

#[test]
fn each_rule_allows_what_it_names_and_refuses_the_rest_by_its_own_code() {
    let package = package();
    for (name, good, bad, expected) in [
        ("name", "linux", "linux-lts", Code::RuleName),
        ("base", "linux-*", "linux", Code::RuleBase),
        ("architecture", "x86_64", "any", Code::RuleArchitecture),
        (
            "packager",
            "*<*@example.org>",
            "*<*@example.com>",
            Code::RulePackager,
        ),
        ("build-tool", "devtools", "makepkg", Code::RuleBuildTool),
        ("built-from", "1000", "1001", Code::RuleBuildDate),
        ("built-to", "1000", "999", Code::RuleBuildDate),
        ("unpacked-bytes-max", "5000", "4999", Code::RuleUnpacked),
    ] {
        assert_eq!(code(&[(name, good)], &package), None, "{name}={good}");
        assert_eq!(
            code(&[(name, bad)], &package),
            Some(expected),
            "{name}={bad}"
        );
    }
}

#[test]
fn one_of_two_patterns_is_enough_whichever_comes_first() {
    for (kind, name, good) in [
        (ArtifactKind::PacmanPackage, "name", "linux"),
        (ArtifactKind::PacmanPackage, "base", "linux-*"),
        (ArtifactKind::PacmanPackage, "architecture", "x86_64"),
        (ArtifactKind::PacmanPackage, "packager", "Some*"),
        (ArtifactKind::PacmanPackage, "build-tool", "devtools"),
        (ArtifactKind::Iso, "volume", "linux"),
    ] {
        let (good, bad) = ((name, good), (name, "other"));
        for rules in [[good, bad], [bad, good]] {
            assert_eq!(code(&rules, &of(kind)), None, "{rules:?}");
        }
        assert!(code(&[bad, bad], &of(kind)).is_some(), "{name}");
    }
}

#[test]
fn a_rule_is_for_the_kinds_that_say_such_a_thing() {
    let (database, image) = (of(ArtifactKind::PacmanDatabase), of(ArtifactKind::Iso));
    for (rule, on_database, on_image) in [
        (("name", "x"), Some(Code::RuleName), None),
        (("base", "x"), Some(Code::RuleBase), None),
        (("architecture", "x"), Some(Code::RuleArchitecture), None),
        (("packager", "x"), Some(Code::RulePackager), None),
        (("build-tool", "x"), None, None),
        (("volume", "x"), None, Some(Code::RuleVolume)),
        (("built-from", "9999"), None, None),
        (("built-to", "1"), None, None),
        (
            ("unpacked-bytes-max", "1"),
            Some(Code::RuleUnpacked),
            Some(Code::RuleUnpacked),
        ),
    ] {
        assert_eq!(code(&[rule], &database), on_database, "{rule:?}");
        assert_eq!(code(&[rule], &image), on_image, "{rule:?}");
    }
    assert_eq!(code(&[("volume", "linux")], &image), None);
    assert_eq!(code(&[("volume", "x")], &package()), None);
}

#[test]
fn every_set_must_allow_it() {
    let set = |name: &str| Rules {
        names: vec![name.to_owned()],
        ..Rules::default()
    };
    for (rules, allowed) in [
        (vec![], true),
        (vec![set("linux")], true),
        (vec![set("lin*"), set("*nux")], true),
        (vec![set("linux"), set("other")], false),
        (vec![set("other"), set("linux")], false),
    ] {
        assert_eq!(judge(&rules, &package(), 0).is_ok(), allowed, "{rules:?}");
    }
}

#[test]
fn the_size_of_a_whole_is_judged_by_every_set() {
    let set = |most: u64| Rules {
        unpacked_bytes_max: Some(most),
        // Of the parts, which were judged before.
        names: vec!["part".to_owned()],
        ..Rules::default()
    };
    let whole = of(ArtifactKind::PacmanDatabase);
    for (rules, refused) in [
        (vec![], None),
        (vec![set(5000)], None),
        (vec![set(4999)], Some(Code::RuleUnpacked)),
        (vec![set(5000), set(1)], Some(Code::RuleUnpacked)),
    ] {
        let found = judge_size(&rules, &whole).err().map(|refused| {
            assert_eq!(refused.finding.position, 5000);
            refused.finding.code
        });
        assert_eq!(found, refused, "{rules:?}");
    }
}
