//! The own files of a package, and the rules.

use signstar_inspector::{ArtifactKind, Code, Rules, inspect};

use crate::support::{BUILD_INFO, Member, PACKAGE_INFO, archive, gzip, list, package};
use crate::{assert_refused, judge, seen, sound, support_sum, with};

#[test]
pub(crate) fn a_sound_package_is_taken_and_named() {
    let identity = judge(&gzip(&archive(&sound()))).unwrap();
    assert_eq!(identity.name, "trial");
    assert_eq!(identity.version, "1:2.0-3");
    assert_eq!(identity.architecture, "x86_64");
    assert_eq!(identity.packager, "Somebody <somebody@example.org>");
    assert_eq!(identity.build_tool, "makepkg");
    assert_eq!(identity.build_date, 1_700_000_000);
    assert_eq!(identity.entries, 6);
}

#[test]
pub(crate) fn a_package_without_its_own_files_is_refused() {
    for missing in 0..3 {
        let mut members = sound();
        members.remove(missing);
        let code = judge(&gzip(&archive(&members))).unwrap_err();
        let expected = [Code::EntryMissing, Code::FileListDiffers];
        assert!(expected.contains(&code), "{missing}: {code:?}");
    }
    for strange in [".hidden", ".FOO"] {
        assert_refused(&with(&[Member::file(strange, b"")]), Code::EntryUnknown);
    }
    assert_refused(&with(&[Member::folder(".hidden")]), Code::EntryUnknown);
    let mut members = sound();
    members[0] = Member::link(".BUILDINFO", "/etc/passwd");
    assert_refused(&members, Code::EntryUnknown);
}

#[test]
pub(crate) fn own_files_that_disagree_are_refused() {
    let cases = [
        ("pkgver = 1:2.0-3", "pkgver = 1:2.0-4", Code::VersionsDiffer),
        ("pkgname = trial", "pkgname = other", Code::NamesDiffer),
        ("pkgbase = trial", "pkgbase = other", Code::NamesDiffer),
        ("pkgarch = x86_64", "pkgarch = any", Code::BuildsDiffer),
        (
            "packager = Somebody",
            "packager = Nobody",
            Code::BuildsDiffer,
        ),
        (
            "builddate = 1700000000",
            "builddate = 1700000001",
            Code::BuildsDiffer,
        ),
    ];
    for (from, to, code) in cases {
        assert!(BUILD_INFO.contains(from));
        let build = BUILD_INFO.replacen(from, to, 1);
        assert_refused(&package(PACKAGE_INFO, &build, &[]), code);
    }
}

#[test]
pub(crate) fn own_files_that_are_malformed_are_refused() {
    let cases = [
        ("pkgname = trial", "pkgname = trial\npkgname = other"),
        ("pkgname = trial", "pkgname = -trial"),
        ("pkgname = trial", "pkgname = tri al"),
        ("pkgname = trial", "pkgname=trial"),
        ("pkgname = trial", "pkgnome = trial"),
        ("pkgver = 1:2.0-3", "pkgver = 2.0"),
        ("pkgver = 1:2.0-3", "pkgver = 1:2:3-4"),
        ("pkgver = 1:2.0-3", "pkgver = 2.0-x"),
        ("pkgver = 1:2.0-3", "pkgver = ../2.0-1"),
        ("arch = x86_64", "arch = x86/64"),
        ("size = 4", "size = -4"),
        ("size = 4\n", ""),
        ("builddate = 1700000000", "builddate = yesterday"),
        (
            "builddate = 1700000000",
            "builddate = 99999999999999999999999",
        ),
        ("pkgdesc = A trial\n", ""),
        ("pkgdesc = A trial", "pkgdesc = A \x1b[2J trial"),
    ];
    for (from, to) in cases {
        assert!(PACKAGE_INFO.contains(from));
        let info = PACKAGE_INFO.replacen(from, to, 1);
        let found = judge(&gzip(&archive(&package(&info, BUILD_INFO, &[]))));
        assert_eq!(found, Err(Code::PackageInfoForm), "{to:?}");
    }
    // What goes into a verdict has a length.
    for (length, expected) in [(128, None), (129, Some(Code::PackageInfoForm))] {
        let packager = format!("packager = {}", "p".repeat(length));
        let replaced =
            |text: &str| text.replacen("packager = Somebody <somebody@example.org>", &packager, 1);
        let members = package(&replaced(PACKAGE_INFO), &replaced(BUILD_INFO), &[]);
        assert_eq!(judge(&gzip(&archive(&members))).err(), expected, "{length}");
    }
    for (length, expected) in [(128, None), (129, Some(Code::BuildInfoForm))] {
        let tool = format!("buildtool = {}\n", "t".repeat(length));
        let build = BUILD_INFO.replacen("buildtool = makepkg\n", &tool, 1);
        let members = package(PACKAGE_INFO, &build, &[]);
        assert_eq!(judge(&gzip(&archive(&members))).err(), expected, "{length}");
    }
    let no_end = PACKAGE_INFO.trim_end();
    assert_refused(&package(no_end, BUILD_INFO, &[]), Code::PackageInfoForm);
    for (from, to) in [
        ("format = 2", "format = 3"),
        ("format = 2\n", ""),
        ("buildtool = makepkg\n", ""),
        ("7cb1739b", "xcb1739b"),
        ("pkgbuild_sha256sum = 7", "pkgbuild_sha256sum = "),
        ("builddir = /build", "buildfolder = /build"),
    ] {
        assert!(BUILD_INFO.contains(from));
        let build = BUILD_INFO.replacen(from, to, 1);
        let found = judge(&gzip(&archive(&package(PACKAGE_INFO, &build, &[]))));
        assert_eq!(found, Err(Code::BuildInfoForm), "{to:?}");
    }
}

#[test]
pub(crate) fn a_list_that_differs_from_the_archive_is_refused() {
    let members = sound();
    let mut listed = members.clone();
    listed.remove(1);
    let text = list(&listed);
    let replace = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let hello = support_sum(b"hello");
    let differs = [
        replace("size=5 ", "size=6 "),
        replace(&hello, &support_sum(b"hullo")),
        replace("mode=755 type=dir", "mode=775 type=dir"),
        replace("./usr/greeting", "./usr/meeting"),
        replace("link=greeting", "link=/etc/passwd"),
        replace(
            "./usr/salute time=1700000000.0 mode=777 type=link link=greeting\n",
            "",
        ),
        replace("uid=0", "uid=1"),
        replace("gid=0", "gid=1"),
        format!(
            "{text}./usr/more mode=644 size=0 sha256digest={}\n",
            support_sum(b"")
        ),
    ];
    for text in differs {
        let mut members = members.clone();
        members[1] = Member::file(".MTREE", &gzip(text.as_bytes()));
        assert_eq!(
            judge(&gzip(&archive(&members))),
            Err(Code::FileListDiffers),
            "{text}"
        );
    }
    let malformed = [
        replace("#mtree", "#tree"),
        replace("type=dir", "type=block"),
        replace("type=dir", "kind=dir"),
        replace("type=dir", "type=dir type=dir"),
        replace("/set ", "/unset "),
        replace("./usr ", "usr "),
        replace("size=5", "size=five"),
        replace(" size=5", ""),
        replace("./usr/greeting", "./usr/gree\\ting"),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        format!("{text}{}\n", "x".repeat(40_000)),
    ];
    for text in malformed {
        let mut members = members.clone();
        members[1] = Member::file(".MTREE", &gzip(text.as_bytes()));
        assert_eq!(
            judge(&gzip(&archive(&members))),
            Err(Code::FileListForm),
            "{text:.200}"
        );
    }
    for packed in [
        text.as_bytes().to_vec(),
        [gzip(text.as_bytes()), vec![0]].concat(),
    ] {
        let mut members = members.clone();
        members[1] = Member::file(".MTREE", &packed);
        assert_refused(&members, Code::FileListForm);
    }
}

#[test]
pub(crate) fn rules_allow_what_they_name() {
    let artifact = gzip(&archive(&sound()));
    let list = |text: &str| vec![text.to_owned()];
    let check = |rules: &Rules| {
        inspect(ArtifactKind::PacmanPackage, rules, artifact.as_slice())
            .map(drop)
            .map_err(|found| seen(found.code))
    };
    let plain = Rules::default();
    for (good, bad, code) in [
        (
            Rules {
                names: list("tri*"),
                ..plain.clone()
            },
            Rules {
                names: list("linux"),
                ..plain.clone()
            },
            Code::RuleName,
        ),
        (
            Rules {
                architectures: list("x86_64"),
                ..plain.clone()
            },
            Rules {
                architectures: list("any"),
                ..plain.clone()
            },
            Code::RuleArchitecture,
        ),
        (
            Rules {
                packagers: list("*<somebody@example.org>"),
                ..plain.clone()
            },
            Rules {
                packagers: list("Nobody*"),
                ..plain.clone()
            },
            Code::RulePackager,
        ),
        (
            Rules {
                build_tools: list("makepkg"),
                ..plain.clone()
            },
            Rules {
                build_tools: list("devtools"),
                ..plain.clone()
            },
            Code::RuleBuildTool,
        ),
    ] {
        assert_eq!(check(&good), Ok(()));
        assert_eq!(check(&bad), Err(code));
    }
    // What belongs to images does not bind packages.
    assert_eq!(
        check(&Rules {
            volumes: list("ARCH_*"),
            ..plain
        }),
        Ok(())
    );
}

#[test]
pub(crate) fn codes_are_numbered_once_and_in_order() {
    let numbers: Vec<u16> = Code::ALL.iter().map(|code| code.number()).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

#[test]
pub(crate) fn the_specification_lists_every_code() {
    let page = include_str!("../../../../docs/inspection.md");
    let listed: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| 4"))
        .collect();
    let known: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("| {} | {} |", code.number(), code.sentence()))
        .collect();
    assert_eq!(listed, known);
}
