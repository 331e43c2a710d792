//! Differences between readers that others found, by name: each such archive is refused, whether or
//! not the readers of today still differ about it.

use flate2::Crc;
use signstar_inspector::Code;

use crate::readers::{Python, of_crate, ours};
use crate::support::{Member, archive, gzip, packed_by, record};

/// An archive with these members and its end.
fn packed(members: &[Member]) -> Vec<u8> {
    gzip(&archive(members))
}

/// A file whose content is an archive with one entry.
fn nested() -> Member {
    Member::file(
        "usr/outer",
        &archive(&[Member::file("usr/inner", b"hidden")]),
    )
}

/// Whether readers of this machine find something else, one or the other.
fn is_disputed(packed: &[u8]) -> bool {
    let beside = Python::start().read(&[packed]).remove(0);
    beside["tarfile"] != beside["libarchive"] || beside["tarfile"] != of_crate(packed)
}

/// CVE-2025-62518, "TARmageddon": the header says 0, the extended one says the size. A reader that
/// believes the header goes on inside of the content.
#[test]
fn a_size_in_an_extended_header_over_none_in_the_header_is_refused() {
    let size = nested().content.len().to_string();
    let members = [
        Member::extension(&record("size", &size)),
        nested().with(124, b"00000000000 "),
    ];
    assert_eq!(ours(&packed(&members)), Err(Code::ExtensionForm));
}

/// RUSTSEC-2026-0068, CVE-2026-33055: tar-rs did not believe the extended header where the header
/// had a size.
#[test]
fn a_size_in_an_extended_header_over_another_in_the_header_is_refused() {
    for size in ["0", "512", "1024"] {
        let members = [Member::extension(&record("size", size)), nested()];
        assert_eq!(ours(&packed(&members)), Err(Code::ExtensionForm), "{size}");
    }
}

/// GHSA-3cv2-h65g-fgmm and GHSA-j5gw-2vrg-8fgx, CVE-2026-53655 in node-tar: the extended header was
/// believed of the GNU header between it and the file.
#[test]
fn an_extended_header_before_a_gnu_long_name_is_refused() {
    for (key, value) in [("size", "2048"), ("path", "usr/renamed")] {
        for kind in [b'L', b'K'] {
            let members = [
                Member::extension(&record(key, value)),
                Member::new(kind, "././@LongLink", 0o644, "", b"usr/long\0"),
                Member::file("usr/a", b"a"),
                Member::file("usr/b", b"b"),
            ];
            let code = ours(&packed(&members)).unwrap_err();
            let expected = [Code::ExtensionForm, Code::EntryKind];
            assert!(expected.contains(&code), "{code:?}");
        }
    }
}

/// RUSTSEC-2026-0112, GHSA-fp55-jw48-c537: entries that are there for one reader and not for another,
/// by extended headers that are read more or less strictly.
#[test]
fn extended_headers_that_are_not_exactly_records_are_refused() {
    let path = record("path", "usr/shown");
    let cases = [
        [path.as_slice(), b"\0"].concat(),
        [path.as_slice(), b"\n"].concat(),
        [b"0 \n", path.as_slice()].concat(),
        path[..path.len() - 1].to_vec(),
        [path.as_slice(), &path].concat(),
        [path.as_slice(), &record("path", "usr/last")].concat(),
        record("PATH", "usr/shown"),
        record(" path", "usr/shown"),
        b"19  path=usr/shown\n".to_vec(),
        b"019 path=usr/shown\n".to_vec(),
        record("path", "usr/sh\nown"),
        [record("comment", "x"), path.clone()].concat(),
    ];
    for records in cases {
        let members = [Member::extension(&records), Member::file("usr/a", b"a")];
        let shown = String::from_utf8_lossy(&records).into_owned();
        assert_eq!(
            ours(&packed(&members)),
            Err(Code::ExtensionForm),
            "{shown:?}"
        );
    }
    // Twice in a row, and at the end: for which entry?
    for last in [
        &[
            Member::extension(&path),
            Member::extension(&path),
            Member::file("a", b""),
        ][..],
        &[Member::extension(&path)],
    ] {
        assert_eq!(ours(&packed(last)), Err(Code::ExtensionForm));
    }
    let global = Member::extension(&path).with(156, b"g");
    let members = [global, Member::file("usr/a", b"a")];
    assert_eq!(ours(&packed(&members)), Err(Code::EntryKind));
    assert!(is_disputed(&packed(&members)));
}

/// RUSTSEC-2026-0067, CVE-2026-33056, and what was found in node-tar and GNU tar before: a link, and
/// then a folder in its place or something below it.
#[test]
fn a_link_with_something_in_its_place_or_below_is_refused() {
    for (second, code) in [
        (Member::folder("usr"), Code::EntryTwice),
        (Member::file("usr", b""), Code::EntryTwice),
        (Member::file("usr/x", b""), Code::EntryBelowOther),
        (Member::folder("usr/x"), Code::EntryBelowOther),
    ] {
        let members = [Member::link("usr", "/etc"), second];
        assert_eq!(ours(&packed(&members)), Err(code));
    }
}

/// An archive in what pads a content, which a reader that goes on too early finds.
#[test]
fn an_archive_in_padding_is_refused() {
    let mut bytes = Member::file("usr/a", b"a").bytes();
    bytes[513..].copy_from_slice(&Member::file("usr/b", b"").header[..511]);
    bytes.extend([0; 1024]);
    assert_eq!(ours(&gzip(&bytes)), Err(Code::PaddingUsed));
}

/// An archive behind the end of another: GNU tar with `--ignore-zeros` and others read it.
#[test]
fn an_archive_behind_the_end_is_refused() {
    let twice = [
        archive(&[Member::file("usr/a", b"a")]),
        archive(&[Member::file("usr/b", b"b")]),
    ]
    .concat();
    assert_eq!(ours(&gzip(&twice)), Err(Code::PaddingUsed));
}

/// Members of gzip, frames of zstd, streams of xz one behind the other: some decoders stop.
#[test]
fn concatenated_containers_are_refused() {
    let plain = archive(&[Member::file("usr/a", b"a")]);
    let (first, second) = plain.split_at(512);
    for tool in [&["gzip"][..], &["zstd"], &["xz"]] {
        let pack = |bytes: &[u8]| packed_by(tool, |into| into.write_all(bytes));
        ours(&pack(&plain)).unwrap();
        for parts in [
            [pack(first), pack(second)].concat(),
            [pack(&plain), pack(b"")].concat(),
            [pack(b""), pack(&plain)].concat(),
            [pack(&plain), vec![0; 4]].concat(),
        ] {
            let code = ours(&parts).unwrap_err();
            let expected = [
                Code::ArchiveCut,
                Code::TrailingBytes,
                Code::ContainerDamaged,
            ];
            assert!(expected.contains(&code), "{tool:?} {code:?}");
        }
    }
    let two = [gzip(first), gzip(second)].concat();
    assert!(is_disputed(&two));
}

/// Skippable frames before, between and behind: zstd passes over them, others do not.
#[test]
fn skippable_frames_are_refused() {
    let plain = archive(&[Member::file("a", b"a")]);
    let frame = packed_by(&["zstd"], |into| into.write_all(&plain));
    for first in 0x50..=0x5f {
        let skippable = [first, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c'];
        let before = [&skippable, frame.as_slice()].concat();
        assert_eq!(ours(&before), Err(Code::ContainerUnknown));
        let behind = [frame.as_slice(), &skippable].concat();
        assert_eq!(ours(&behind), Err(Code::TrailingBytes));
    }
}

/// Sizes in base 256, negative ones among them (CVE-2023-39804 and its like), and GNU's own types.
#[test]
fn what_only_gnu_tar_has_is_refused() {
    for size in [&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0xff; 12]] {
        let members = [Member::file("usr/a", b"a").with(124, size)];
        assert_eq!(ours(&packed(&members)), Err(Code::HeaderNumber));
    }
    for kind in [b"D", b"M", b"N", b"S", b"V", b"A", b"X"] {
        let members = [Member::file("usr/a", b"").with(156, kind)];
        assert_eq!(ours(&packed(&members)), Err(Code::EntryKind));
    }
    for key in ["GNU.sparse.major", "GNU.sparse.realsize", "GNU.sparse.name"] {
        let members = [
            Member::extension(&record(key, "1")),
            Member::file("usr/a", b""),
        ];
        assert_eq!(ours(&packed(&members)), Err(Code::ExtensionForm));
    }
}

/// Found here: libarchive looks for compression again in what it has unpacked. The name of an
/// extended header is nobody's, so it can be the beginning of a member of gzip, whose extra field
/// reaches to the content of a file with the rest of it.
#[test]
fn an_archive_that_begins_like_compressed_data_is_refused() {
    let inner = archive(&[Member::file("usr/evil", b"evil")]);
    let deflated = gzip(&inner);
    let mut check = Crc::new();
    check.update(&inner);
    // Without the header of ten bytes, which the name below is instead.
    let body = &deflated[10..];
    assert!(
        body.ends_with(
            &[
                &check.sum().to_le_bytes()[..],
                &(inner.len() as u32).to_le_bytes()
            ]
            .concat()
        )
    );
    let reach = (3 * 512 - 12_u16).to_le_bytes();
    let name = [b"\x1f\x8b\x08\x04\x01\x01\x01\x01\x02\x03", &reach[..]].concat();
    let members = [
        Member::extension(&record("path", "usr/good"))
            .with(0, &[0; 100])
            .with(0, &name),
        Member::file("usr/x", body),
    ];
    let whole = packed(&members);
    assert_eq!(ours(&whole), Err(Code::HeaderForm));
    // The others show that it is real.
    let beside = Python::start().read(&[&whole]).remove(0);
    assert_eq!(beside["tarfile"][0][0], "usr/good");
    assert_eq!(beside["libarchive"][0][0], "usr/evil");

    for magic in [
        &b"BZh91AY&SY"[..],
        b"\xfd7zXZ",
        b"\x28\xb5\x2f\xfd",
        b"\x5a\x2a\x4d\x18",
        b"LRZI",
        b"\x04\x22\x4d\x18",
        b"\x1f\x9d",
        b"\x89LZO",
    ] {
        for first in [
            Member::file("x", b""),
            Member::extension(&record("path", "x")),
        ] {
            let first = first.with(0, &[0; 100]).with(0, magic);
            let code = ours(&packed(&[first, Member::file("y", b"")])).unwrap_err();
            assert_eq!(code, Code::HeaderForm, "{magic:x?}");
        }
    }
    let bzip2 = packed(&[Member::file("BZh91AY&SY", b"")]);
    assert!(is_disputed(&bzip2));
    // Elsewhere than at the beginning nobody looks.
    ours(&packed(&[
        Member::file("x", b""),
        Member::file("BZh91AY&SY", b""),
    ]))
    .unwrap();
    ours(&packed(&[Member::file("BZhello", b"")])).unwrap();
    // Bytes that no name has, in that of an extended header further behind.
    let behind = [
        Member::file("x", b""),
        Member::extension(&record("path", "y")).with(0, b"\x1f\x8b"),
        Member::file("z", b""),
    ];
    assert_eq!(ours(&packed(&behind)), Err(Code::EntryName));
}

/// Found here: libarchive takes the target of a link from its own header first, and where that has
/// none, from nowhere.
#[test]
fn a_link_whose_target_only_an_extended_header_has_is_refused() {
    for kind in [b'2', b'1'] {
        let link = |target: &str| Member::new(kind, "usr/l", 0o777, target, b"");
        let with = |target: &str| {
            packed(&[
                Member::file("a", b"a"),
                Member::extension(&record("linkpath", "a")),
                link(target),
            ])
        };
        assert_eq!(ours(&with("")), Err(Code::HeaderForm));
        assert!(is_disputed(&with("")));
        ours(&with("cut")).unwrap();
        assert!(!is_disputed(&with("cut")));
    }
}
