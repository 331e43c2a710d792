//! Compression, and the end of an archive.

use std::io::{self, Read};

use signstar_inspector::{Code, list};

use crate::support::{Member, archive, gzip};
use crate::{judge, sound};

#[test]
pub(crate) fn a_container_that_is_not_exactly_one_is_refused() {
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
pub(crate) fn zstd_frames_that_are_special_are_refused() {
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
    // One of 128 MiB is taken, and one eighth more is not; below 128 KiB there is none.
    for (field, code) in [
        (17 << 3, Code::ContainerDamaged),
        (17 << 3 | 1, Code::WindowTooLarge),
        (7 << 3, Code::ContainerDamaged),
        (6 << 3 | 7, Code::ContainerUnusual),
        (0, Code::ContainerUnusual),
    ] {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, field, 0xff];
        assert_eq!(judge(&frame), Err(code), "{field:x}");
    }
    // A size that is told is the window: two bytes start at 256, and none is larger than that.
    for (size, code) in [
        (&[0x20, 0xff][..], Code::ContainerDamaged),
        (&[0x60, 0xff, 0xff], Code::ContainerDamaged),
        (&[0xa0, 0, 0, 0, 8], Code::ContainerDamaged),
        (&[0xa0, 1, 0, 0, 8], Code::WindowTooLarge),
        (&[0xe0, 1, 0, 0, 8, 0, 0, 0, 0], Code::WindowTooLarge),
        (&[0xe0, 0, 0, 0, 0, 1, 0, 0, 0], Code::WindowTooLarge),
    ] {
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd], size, &[0xff; 3]].concat();
        assert_eq!(judge(&frame), Err(code), "{size:x?}");
    }
}

#[test]
pub(crate) fn a_damaged_archive_is_refused() {
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

/// So many bytes at a time.
struct Pieces<'i>(&'i [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.1);
        self.0.read(&mut into[..most])
    }
}

/// A decoder that is given more at a time notices what is damaged before it has told what came before.
#[test]
fn what_is_refused_has_the_same_reason_however_its_bytes_come() {
    // A whole block that is no header, and behind it what is no block of deflate and none of zstd.
    let other = Member::file("usr", b"").with(257, b"other").header;
    let gzip_start = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0, 2, 0xff, 0xfd];
    let zstd_start = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3, 0, 16, 0];
    let members = [&gzip_start[..], &other, &[7, 0, 0]].concat();
    let frames = [&zstd_start[..], &other, &[7, 0, 0]].concat();
    let packed = gzip(&archive(&sound()));
    let damaged = (0..packed.len()).step_by(7).map(|place| {
        let mut damaged = packed.clone();
        damaged[place] ^= 0x10;
        damaged
    });
    for artifact in [members, frames, packed.clone()].into_iter().chain(damaged) {
        let whole = list(artifact.as_slice());
        for most in [1, 7, 512] {
            assert_eq!(list(Pieces(&artifact, most)), whole, "{artifact:x?}");
        }
    }
}
