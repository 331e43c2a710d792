//! Packages with one thing wrong each: what is wrong is found, and told by its number.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[path = "support/lib.rs"]
mod support;

use signstar_inspector::{ArtifactKind, Code, Identity, Rules, inspect};
use support::{BUILD_INFO, Member, PACKAGE_INFO, archive, gzip, list, package, record};

fn judge(artifact: &[u8]) -> Result<Identity, Code> {
    inspect(ArtifactKind::PacmanPackage, &Rules::default(), artifact).map_err(|found| found.code)
}

#[track_caller]
fn assert_refused(members: &[Member], code: Code) {
    assert_eq!(judge(&gzip(&archive(members))), Err(code));
}

/// A sound package with these members behind its own files.
fn with(further: &[Member]) -> Vec<Member> {
    package(PACKAGE_INFO, BUILD_INFO, further)
}

fn sound() -> Vec<Member> {
    with(&[
        Member::folder("usr"),
        Member::file("usr/greeting", b"hello"),
        Member::link("usr/salute", "greeting"),
    ])
}

#[test]
fn a_sound_package_is_taken_and_named() {
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
fn a_hard_link_to_a_file_before_it_is_taken() {
    let mut members = sound();
    members.push(Member::hard_link("usr/twin", "usr/greeting"));
    // The list shows it as a file of its own.
    let mut listed: Vec<Member> = sound();
    listed.remove(1);
    listed.push(Member::file("usr/twin", b"hello"));
    members[1] = Member::file(".MTREE", &gzip(list(&listed).as_bytes()));
    judge(&gzip(&archive(&members))).unwrap();
    // To nothing, to what comes later, and to a folder.
    for target in ["usr/nothing", "usr/twin", "usr"] {
        let mut members = sound();
        members.push(Member::hard_link("usr/twin", target));
        assert_refused(&members, Code::LinkTarget);
    }
}

#[test]
fn long_and_unicode_paths_are_taken_by_prefix_and_extension() {
    let long = format!("usr/{}/{}", "a".repeat(90), "b".repeat(90));
    let name = format!("usr/{}", "ö".repeat(100));
    let members = [
        Member::folder("usr"),
        Member::file(&long, b"x"),
        Member::extension(&record("path", &name)),
        Member::file("usr/short", b"y"),
    ];
    let mut all = with(&[Member::folder("usr")]);
    let text = list(&[all[0].clone(), all[2].clone(), members[0].clone()]);
    let sum = |text: &str| support_sum(text.as_bytes());
    let escaped: String = name
        .bytes()
        .map(|byte| match byte {
            0x80.. => format!("\\{byte:03o}"),
            _ => char::from(byte).to_string(),
        })
        .collect();
    let text = format!(
        "{text}./{long} mode=644 size=1 sha256digest={}\n./{escaped} mode=644 size=1 sha256digest={}\n",
        sum("x"),
        sum("y")
    );
    all[1] = Member::file(".MTREE", &gzip(text.as_bytes()));
    all.extend_from_slice(&members[1..]);
    judge(&gzip(&archive(&all))).unwrap();
}

fn support_sum(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let sum = sha2::Sha256::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_container_that_is_not_exactly_one_is_refused() {
    let plain = archive(&sound());
    let packed = gzip(&plain);
    assert_eq!(judge(&plain), Err(Code::ContainerUnknown));
    assert_eq!(judge(b""), Err(Code::ContainerUnknown));
    assert_eq!(judge(b"\x1f\x8b"), Err(Code::ContainerUnusual));
    let mut twice = packed.clone();
    twice.extend_from_slice(&packed);
    assert_eq!(
        judge(&twice),
        Err(Code::TrailingBytes),
        "concatenated members"
    );
    let mut trailing = packed.clone();
    trailing.push(0);
    assert_eq!(judge(&trailing), Err(Code::TrailingBytes));
    // Every cut, the first bytes among them.
    for part in 1..64 {
        let cut = packed.len() * part / 64;
        let code = judge(&packed[..cut]).unwrap_err();
        let expected = [
            Code::ContainerDamaged,
            Code::ContainerUnusual,
            Code::ContainerUnknown,
        ];
        assert!(expected.contains(&code), "{cut}: {code:?}");
    }
    let mut damaged = packed.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    assert_eq!(judge(&damaged), Err(Code::ContainerDamaged), "the checksum");
    // An extra field and a comment, which some tools hide data in.
    for flags in [0x04, 0x10, 0x20, 0x02] {
        let mut unusual = packed.clone();
        unusual[3] = flags;
        assert_eq!(judge(&unusual), Err(Code::ContainerUnusual), "{flags}");
    }
}

#[test]
fn zstd_frames_that_are_special_are_refused() {
    let skippable = [
        &[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4][..],
        &[0x28, 0xb5, 0x2f, 0xfd],
    ]
    .concat();
    assert_eq!(judge(&skippable), Err(Code::ContainerUnknown));
    for descriptor in [0x01, 0x02, 0x03, 0x08] {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, descriptor, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(judge(&frame), Err(Code::ContainerUnusual), "{descriptor}");
    }
    // A window of 256 MiB: exponent 18 over 2^10.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0, 0, 0, 0, 0, 0];
    assert_eq!(judge(&frame), Err(Code::WindowTooLarge));
}

#[test]
fn a_damaged_archive_is_refused() {
    let plain = archive(&sound());
    let mut cut = plain.clone();
    cut.truncate(plain.len() - 9 * 512);
    for blocks in 0..cut.len() / 512 {
        let code = judge(&gzip(&plain[..blocks * 512])).unwrap_err();
        let expected = [Code::ArchiveCut, Code::PaddingUsed];
        assert!(expected.contains(&code), "{blocks} blocks: {code:?}");
    }
    // One block of zeros is no end.
    let members: Vec<u8> = sound().iter().flat_map(Member::bytes).collect();
    let one = [members.as_slice(), &[0; 512]].concat();
    assert_eq!(judge(&gzip(&one)), Err(Code::ArchiveCut));
    let two = [members.as_slice(), &[0; 1024]].concat();
    judge(&gzip(&two)).unwrap();
    // What follows the end is not read by everybody.
    let hidden = [
        two.as_slice(),
        &Member::file("usr/hidden", b"").bytes(),
        &[0; 1024],
    ]
    .concat();
    assert_eq!(judge(&gzip(&hidden)), Err(Code::PaddingUsed));
    let half = [two.as_slice(), &[0; 100]].concat();
    assert_eq!(judge(&gzip(&half)), Err(Code::ArchiveCut));
    let endless = [two.as_slice(), &vec![0; 2 << 20]].concat();
    assert_eq!(judge(&gzip(&endless)), Err(Code::TooMuch));
}

#[test]
fn bytes_hidden_behind_a_content_are_refused() {
    let mut members = sound();
    let nested = Member::file("usr/nested", b"").bytes();
    let file = members
        .iter()
        .position(|member| member.content == b"hello")
        .unwrap();
    let mut bytes: Vec<u8> = members[..file].iter().flat_map(Member::bytes).collect();
    let mut block = members[file].bytes();
    block[512 + 5..512 + 15].copy_from_slice(&nested[..10]);
    bytes.extend(block);
    bytes.extend(members.split_off(file + 1).iter().flat_map(Member::bytes));
    bytes.extend([0; 1024]);
    assert_eq!(judge(&gzip(&bytes)), Err(Code::PaddingUsed));
}

#[test]
fn headers_that_readers_understand_differently_are_refused() {
    let file = || Member::file("usr/odd", b"");
    let cases: [(Member, Code, &str); 22] = [
        (
            file().with(257, b"ustar  \0"),
            Code::HeaderForm,
            "GNU magic",
        ),
        (
            file().with(257, b"\0\0\0\0\0\0\0\0"),
            Code::HeaderForm,
            "no magic",
        ),
        (file().with(263, b"01"), Code::HeaderForm, "another version"),
        (
            file().with(156, b"\0"),
            Code::EntryKind,
            "the old type of files",
        ),
        (
            file().with(156, b"3"),
            Code::EntryKind,
            "a character device",
        ),
        (file().with(156, b"4"), Code::EntryKind, "a block device"),
        (file().with(156, b"6"), Code::EntryKind, "a pipe"),
        (file().with(156, b"7"), Code::EntryKind, "a contiguous file"),
        (file().with(156, b"L"), Code::EntryKind, "a GNU long name"),
        (file().with(156, b"K"), Code::EntryKind, "a GNU long link"),
        (file().with(156, b"S"), Code::EntryKind, "a sparse file"),
        (file().with(156, b"g"), Code::EntryKind, "a global header"),
        (
            file().with(124, b"\x80\0\0\0\0\0\0\0\0\0\0\0"),
            Code::HeaderNumber,
            "base 256",
        ),
        (
            file().with(124, b"           0"),
            Code::HeaderNumber,
            "leading spaces, no end",
        ),
        (
            file().with(124, b"00000000000x"),
            Code::HeaderNumber,
            "garbage",
        ),
        (
            file().with(124, b"0 0000000000"),
            Code::HeaderNumber,
            "a number in two pieces",
        ),
        (
            file().with(124, b"-0000000001 "),
            Code::HeaderNumber,
            "a sign",
        ),
        (
            file().with(124, b"            "),
            Code::HeaderNumber,
            "no number",
        ),
        (
            file().with(100, b"0010000\0"),
            Code::HeaderNumber,
            "a mode with a type in it",
        ),
        (
            file().with(329, b"000001 \0"),
            Code::HeaderNumber,
            "a device number",
        ),
        (
            file().with(500, b"x"),
            Code::PaddingUsed,
            "something behind the prefix",
        ),
        (
            file().with(90, b"x"),
            Code::PaddingUsed,
            "something behind the name",
        ),
    ];
    for (member, code, what) in cases {
        let mut members = with(&[Member::folder("usr")]);
        members.push(member);
        assert_eq!(judge(&gzip(&archive(&members))), Err(code), "{what}");
    }
    let mut unsealed = file();
    unsealed.put(136, b"00000000001 ");
    assert_refused(&[unsealed], Code::HeaderChecksum);
    // A size where there is no content.
    for member in [
        Member::new(b'5', "usr/", 0o755, "", b"x"),
        Member::new(b'2', "usr/l", 0o777, "t", b"x"),
        Member::new(b'1', "usr/h", 0o644, "t", b"x"),
        Member::new(b'2', "usr/l", 0o777, "", b""),
        Member::new(b'0', "usr/f", 0o644, "target", b""),
    ] {
        assert_refused(&[member], Code::HeaderForm);
    }
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in [
        "/etc/passwd",
        "../etc/passwd",
        "usr/../../etc/passwd",
        "./usr/x",
        "usr/./x",
        "usr//x",
        "usr/x/",
        "usr/..",
        "",
        "usr/\x07",
        "usr/a\nb",
        "usr/\x7f",
    ] {
        let mut members = with(&[Member::folder("usr")]);
        members.push(
            Member::file("usr/x", b"")
                .with(0, &[0; 100])
                .with(0, path.as_bytes()),
        );
        assert_refused(&members, Code::EntryName);
        if !path.is_empty() {
            let mut members = with(&[Member::folder("usr")]);
            members.push(Member::extension(&record("path", path)));
            members.push(Member::file("usr/x", b""));
            let code = judge(&gzip(&archive(&members))).unwrap_err();
            assert!(
                [Code::EntryName, Code::ExtensionForm].contains(&code),
                "{path:?} {code:?}"
            );
        }
    }
    let mut members = with(&[Member::folder("usr")]);
    members.push(Member::file("usr/x", b"").with(0, b"usr/\xff\xfe"));
    assert_refused(&members, Code::EntryName);
}

#[test]
fn a_path_that_is_there_twice_or_below_a_link_is_refused() {
    let twice = [
        Member::folder("usr"),
        Member::file("usr/x", b""),
        Member::file("usr/x", b""),
    ];
    let folder = [Member::folder("usr"), Member::folder("usr")];
    for further in [&twice[..], &folder[..]] {
        let mut members = with(&[]);
        members.extend_from_slice(further);
        assert_refused(&members, Code::EntryTwice);
    }
    let below_link = [Member::link("usr", "/etc"), Member::file("usr/passwd", b"")];
    let below_file = [Member::file("usr", b""), Member::file("usr/x", b"")];
    let link_over = [Member::file("usr/x", b""), Member::link("usr", "/etc")];
    for further in [&below_link[..], &below_file[..], &link_over[..]] {
        let mut members = with(&[]);
        members.extend_from_slice(further);
        assert_refused(&members, Code::EntryBelowOther);
    }
}

/// CVE-2025-62518 and its like: what an extended header says of the next entry's size, against
/// what that entry's own header says.
#[test]
fn an_extended_header_that_says_more_than_a_path_is_refused() {
    let long = "x".repeat(11_000);
    let cases: Vec<Vec<u8>> = vec![
        record("size", "0"),
        record("size", "512"),
        record("mtime", "1"),
        record("uid", "0"),
        record("GNU.sparse.major", "1"),
        record("SCHILY.xattr.user.x", "1"),
        record("hdrcharset", "BINARY"),
        record("path", ""),
        [record("path", "usr/a"), record("path", "usr/b")].concat(),
        b"13 path=usr/a".to_vec(),
        b"015 path=usr/a\n".to_vec(),
        b"+15 path=usr/a\n".to_vec(),
        b"99 path=usr/a\n".to_vec(),
        b"5 path=usr/a\n".to_vec(),
        b"0 \n".to_vec(),
        b"garbage".to_vec(),
        record("path", "usr/a\0b"),
        record("path", &long),
        b"".to_vec(),
    ];
    for records in cases {
        let mut members = with(&[Member::folder("usr")]);
        members.push(Member::extension(&records));
        members.push(Member::file("usr/x", b""));
        let shown = String::from_utf8_lossy(&records).into_owned();
        let found = judge(&gzip(&archive(&members)));
        assert_eq!(found, Err(Code::ExtensionForm), "{shown:.60}");
    }
    let path = Member::extension(&record("path", "usr/a"));
    for last in [
        &[path.clone(), path.clone(), Member::file("usr/x", b"")][..],
        &[path][..],
    ] {
        let mut members = with(&[Member::folder("usr")]);
        members.extend_from_slice(last);
        assert_refused(&members, Code::ExtensionForm);
    }
}

#[test]
fn a_package_without_its_own_files_is_refused() {
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
fn own_files_that_disagree_are_refused() {
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
fn own_files_that_are_malformed_are_refused() {
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
fn a_list_that_differs_from_the_archive_is_refused() {
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
fn rules_allow_what_they_name() {
    let artifact = gzip(&archive(&sound()));
    let list = |text: &str| vec![text.to_owned()];
    let check = |rules: &Rules| {
        inspect(ArtifactKind::PacmanPackage, rules, artifact.as_slice())
            .map(drop)
            .map_err(|found| found.code)
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
fn codes_are_numbered_once_and_in_order() {
    let numbers: Vec<u16> = Code::ALL.iter().map(|code| code.number()).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

#[test]
fn the_specification_lists_every_code() {
    let page = include_str!("../../../docs/inspection.md");
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
