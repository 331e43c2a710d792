//! Headers, paths and links in an archive.

use signstar_inspector::Code;

use crate::support::{Member, archive, gzip, list, record};
use crate::{assert_refused, judge, sound, support_sum, with};

#[test]
pub(crate) fn a_hard_link_to_a_file_before_it_is_taken() {
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
pub(crate) fn long_and_unicode_paths_are_taken_by_prefix_and_extension() {
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

#[test]
pub(crate) fn bytes_hidden_behind_a_content_are_refused() {
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
pub(crate) fn headers_that_readers_understand_differently_are_refused() {
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
pub(crate) fn paths_that_lead_elsewhere_are_refused() {
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
pub(crate) fn a_path_that_is_there_twice_or_below_a_link_is_refused() {
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
pub(crate) fn an_extended_header_that_says_more_than_a_path_is_refused() {
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
