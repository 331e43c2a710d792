//! The own files of a package, and the rules.

use signstar_inspector::{ArtifactKind, Code, Order, inspect};

use crate::support::{BUILD_INFO, Member, PACKAGE_INFO, archive, gzip, list, look, package};
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
        ("pkgdesc = A trial", "pkgdesc = A trial\0"),
        ("pkgdesc = A trial", "\npkgdesc = A trial"),
        ("pkgdesc = A trial", " pkgdesc = A trial"),
        ("pkgdesc = A trial", "pkgdesc\t= A trial"),
        ("pkgdesc = A trial", "pkgdesc = A trial\r"),
        // Sections of a database that repo-add would write.
        ("pkgdesc = A trial", "pkgdesc = %FILENAME%"),
        ("pkgdesc = A trial", "pkgdesc = A trial\ndepend = %ARCH%"),
        // repo-add and libalpm would read other packagers.
        ("packager = Somebody", "packager =  Somebody"),
        ("packager = Somebody", "packager = = Somebody"),
        ("example.org>\n", "example.org> \n"),
        ("size = 4", "size = 9223372036854775808"),
    ];
    for (from, to) in cases {
        assert!(PACKAGE_INFO.contains(from));
        let info = PACKAGE_INFO.replacen(from, to, 1);
        let found = judge(&gzip(&archive(&package(&info, BUILD_INFO, &[]))));
        assert_eq!(found, Err(Code::PackageInfoForm), "{to:?}");
    }
    for (length, expected) in [
        (256 << 10, None),
        ((256 << 10) + 1, Some(Code::PackageInfoForm)),
    ] {
        let line = format!("pkgdesc = {}", "x".repeat(length - "pkgdesc = ".len()));
        let info = PACKAGE_INFO.replacen("pkgdesc = A trial", &line, 1);
        let found = judge(&gzip(&archive(&package(&info, BUILD_INFO, &[]))));
        assert_eq!(found.err(), expected, "{length}");
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
pub(crate) fn what_rules_refuse_is_told_with_the_identity() {
    let artifact = gzip(&archive(&sound()));
    let ordered = |rule: &str| {
        let arguments = ["pacman-package", "--", rule].map(str::to_owned);
        let order = Order::from_arguments(arguments.into_iter()).unwrap();
        inspect(&order, artifact.as_slice())
    };
    let accepted = ordered("name=tri*");
    assert_eq!(accepted.finding(), None);
    let refused = ordered("name=linux");
    assert_eq!(
        refused.finding().map(|finding| finding.code),
        Some(Code::RuleName)
    );
    assert_eq!(refused.identity(), accepted.identity());
}

#[test]
pub(crate) fn every_rule_of_a_package_has_its_code() {
    let artifact = gzip(&archive(&sound()));
    for (rule, code) in [
        ("base=other", Code::RuleBase),
        ("architecture=any", Code::RuleArchitecture),
        ("packager=Nobody*", Code::RulePackager),
        ("build-tool=devtools", Code::RuleBuildTool),
        ("built-from=1700000001", Code::RuleBuildDate),
        ("built-to=1699999999", Code::RuleBuildDate),
        ("unpacked-bytes-max=10239", Code::RuleUnpacked),
        ("name=other", Code::RuleName),
    ] {
        let found = look(ArtifactKind::PacmanPackage, &[rule], artifact.as_slice());
        assert_eq!(seen(found.unwrap_err().code), code, "{rule}");
    }
    let all = [
        "base=trial",
        "architecture=x86_64",
        "packager=*<somebody@example.org>",
        "build-tool=makepkg",
        "built-from=1700000000",
        "built-to=1700000000",
        "unpacked-bytes-max=10240",
    ];
    look(ArtifactKind::PacmanPackage, &all, artifact.as_slice()).unwrap();
}

#[test]
pub(crate) fn arguments_that_are_no_order_are_refused() {
    for arguments in [
        &[][..],
        &["any"],
        &["iso", "name=x"],
        &["iso", "--", "name"],
        &["iso", "--", "nobody=x"],
        &["iso", "--", "built-from=x"],
        &["iso", "--", "built-to=-1"],
        &["iso", "--", "unpacked-bytes-max="],
    ] {
        let given = arguments.iter().map(|text| (*text).to_owned());
        assert!(Order::from_arguments(given).is_err(), "{arguments:?}");
    }
}

#[test]
pub(crate) fn the_specification_lists_every_code() {
    let page = include_str!("../../../../docs/inspection.md");
    let listed: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| 4"))
        .collect();
    let known: Vec<String> = Code::all()
        .map(|code| format!("| {} | {} |", code.number(), code.sentence()))
        .collect();
    assert_eq!(listed, known);
}
