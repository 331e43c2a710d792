//! Bounds of archives, each at its limit and beyond.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use signstar_inspector::{ArtifactKind, Code, list};

use crate::support::{Member, archive, gzip, look, record};
use crate::{assert_refused, judge, seen, with};

/// What `docs/inspection.md` says.
const ENTRIES_MAX: usize = 1_000_000;
const OWN_BYTES_MAX: usize = 32 << 20;
const DESCRIPTION_BYTES_MAX: usize = 64 << 20;

/// Packs what `write` writes.
fn packed(write: impl FnOnce(&mut GzEncoder<Vec<u8>>) -> io::Result<()>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    write(&mut encoder).unwrap();
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

#[test]
pub(crate) fn an_archive_has_a_million_entries_at_most() {
    for (entries, expected) in [
        (ENTRIES_MAX, Ok(ENTRIES_MAX)),
        (ENTRIES_MAX + 1, Err(Code::TooManyEntries)),
    ] {
        let many = packed(|encoder| {
            (0..entries).try_for_each(|number| {
                let member = Member::file(&format!("{number:x}"), b"");
                encoder.write_all(&member.header)
            })
        });
        let found = list(many.as_slice());
        let found = found
            .map(|listed| listed.len())
            .map_err(|found| seen(found.code));
        assert_eq!(found, expected);
    }
}

#[test]
pub(crate) fn files_of_a_package_that_are_kept_have_a_size() {
    for (size, code) in [
        // As large as allowed, and no text of .PKGINFO.
        (OWN_BYTES_MAX, Code::PackageInfoForm),
        (OWN_BYTES_MAX + 1, Code::FileTooLarge),
    ] {
        let mut members = with(&[]);
        members[2] = Member::file(".PKGINFO", &vec![b'x'; size]);
        assert_refused(&members, code);
        // Those that are not kept have the same bound.
        members = with(&[Member::file(".INSTALL", &vec![b'x'; size])]);
        let expected = (code == Code::FileTooLarge).then_some(code);
        assert_eq!(judge(&gzip(&archive(&members))).err(), expected);
    }
}

#[test]
pub(crate) fn files_of_a_database_have_a_size() {
    for (size, code) in [
        (DESCRIPTION_BYTES_MAX, Code::DatabaseForm),
        (DESCRIPTION_BYTES_MAX + 1, Code::FileTooLarge),
    ] {
        let members = [
            Member::folder("trial-1-1"),
            Member::file("trial-1-1/files", &vec![b'x'; size]),
        ];
        let packed = gzip(&archive(&members));
        let found = look(ArtifactKind::PacmanDatabase, &[], packed.as_slice());
        assert_eq!(seen(found.unwrap_err().code), code, "{size}");
    }
}

#[test]
pub(crate) fn names_and_paths_have_the_lengths_of_linux() {
    let deep = |length: usize| {
        let path = "d/".repeat(length.div_ceil(2));
        path[..length - 1].to_owned() + "f"
    };
    for (path, taken) in [
        ("n".repeat(255), true),
        ("n".repeat(256), false),
        (deep(4095), true),
        (deep(4097), false),
    ] {
        let members = [
            Member::extension(&record("path", &path)),
            Member::file("short", b""),
        ];
        let found = list(gzip(&archive(&members)).as_slice());
        let expected = if taken { None } else { Some(Code::EntryName) };
        assert_eq!(
            found.err().map(|found| found.code),
            expected,
            "{}",
            path.len()
        );
    }
}

/// So many zeros, behind a beginning.
struct Zeros<'b>(&'b [u8], u64);

impl Read for Zeros<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.0.is_empty() {
            return self.0.read(into);
        }
        let count = into
            .len()
            .min(usize::try_from(self.1).unwrap_or(usize::MAX));
        into[..count].fill(0);
        self.1 -= count as u64;
        Ok(count)
    }
}

/// A block of zstd that unpacks to 128 KiB from one byte, again and again.
#[test]
pub(crate) fn what_unpacks_to_more_than_a_thousand_times_beyond_4_gib_is_refused() {
    let header = Member::new(b'0', "zeros", 0o644, "", b"")
        .with(124, b"77777777777 ")
        .header;
    let raw = |block: &[u8]| [&[0, 16, 0][..], block].concat();
    // No checksum, a window of 8 MiB; one raw block of 512 bytes (its header is the size shifted by
    // three), then blocks of one repeated byte.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3];
    frame.extend(raw(&header));
    let repeated = (128_u32 << 10) << 3 | 1 << 1;
    let block = [&repeated.to_le_bytes()[..3], &[0]].concat();
    // 4 GiB and 8 GiB of content.
    frame.extend(block.repeat(64 << 10));
    let found = list(frame.as_slice()).unwrap_err();
    assert_eq!(found.code, Code::TooMuch);
    // It is noticed when so much has come out, not at the end.
    assert!(found.position < 200_000, "{found:?}");
    let less = &frame[..frame.len() - block.len() * (40 << 10)];
    assert_eq!(list(less).unwrap_err().code, Code::ContainerDamaged);
}

#[test]
pub(crate) fn an_endless_stream_is_left_where_it_goes_wrong() {
    for (start, code) in [
        (&b""[..], Code::ContainerUnknown),
        (&gzip(&archive(&with(&[]))), Code::TrailingBytes),
    ] {
        let input = Zeros(start, u64::MAX);
        let found = look(ArtifactKind::PacmanPackage, &[], input);
        assert_eq!(found.unwrap_err().code, code);
    }
}
