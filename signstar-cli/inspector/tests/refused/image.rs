//! Images of ISO 9660, byte by byte.

use std::io::{self, Read};

use signstar_inspector::{ArtifactKind, Code, Identity};

use crate::seen;
use crate::support::{Member, archive, look};

pub(crate) const SECTOR: usize = 2048;

/// How many sectors the smallest sound image here has.
const SECTORS: usize = 24;

/// A descriptor with its type and the identifier of the standard.
fn descriptor(kind: u8) -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    sector[0] = kind;
    sector[1..7].copy_from_slice(b"CD001\x01");
    sector
}

/// A number in both byte orders.
pub(crate) fn both(number: u32) -> [u8; 8] {
    [number.to_le_bytes(), number.to_be_bytes()]
        .concat()
        .try_into()
        .unwrap()
}

/// A record of a folder, or of a file where `bytes` is none; with extensions behind it.
pub(crate) fn record(name: &[u8], location: u32, bytes: Option<u32>, uses: &[u8]) -> Vec<u8> {
    let mut record = vec![0; 33];
    record[2..10].copy_from_slice(&both(location));
    record[10..18].copy_from_slice(&both(bytes.unwrap_or(1)));
    record[25] = if bytes.is_some() { 2 } else { 0 };
    record[28..32].copy_from_slice(&[1, 0, 0, 1]);
    record[32] = name.len() as u8;
    record.extend_from_slice(name);
    record.resize(record.len().next_multiple_of(2), 0);
    record.extend_from_slice(uses);
    record.resize(record.len().next_multiple_of(2), 0);
    record[0] = record.len() as u8;
    record
}

/// A descriptor of a volume of so many sectors, whose root is the last but one of them.
pub(crate) fn volume(kind: u8, sectors: u32) -> [u8; SECTOR] {
    let mut sector = descriptor(kind);
    sector[80..88].copy_from_slice(&both(sectors));
    sector[128..132].copy_from_slice(&[0, 8, 8, 0]);
    sector[140..144].copy_from_slice(&18_u32.to_le_bytes());
    sector[148..152].copy_from_slice(&18_u32.to_be_bytes());
    sector[156..190].copy_from_slice(&record(&[0], sectors - 2, Some(2048), &[]));
    sector[881] = 1;
    sector
}

/// The primary one.
pub(crate) fn primary(sectors: u32) -> [u8; SECTOR] {
    let mut sector = volume(1, sectors);
    sector[40..72].fill(b' ');
    sector[40..47].copy_from_slice(b"TRIAL_1");
    sector
}

/// System area, these descriptors, content up to a size, and a root without anything in it.
pub(crate) fn image(descriptors: &[[u8; SECTOR]], sectors: usize) -> Vec<u8> {
    let mut bytes = vec![0; 16 * SECTOR];
    bytes.extend(descriptors.iter().flatten());
    bytes.resize(sectors * SECTOR, b'c');
    let root = sectors - 2;
    put_folder(&mut bytes, root, root, &[]);
    bytes
}

/// Writes a folder of one sector, with the one that it is in, and these records.
pub(crate) fn put_folder(image: &mut [u8], at: usize, above: usize, records: &[Vec<u8>]) {
    let own = [(0, at), (1, above)];
    let own = own.map(|(name, at)| record(&[name], at as u32, Some(2048), &[]));
    let mut bytes = [own.concat(), records.concat()].concat();
    assert!(bytes.len() <= SECTOR);
    bytes.resize(SECTOR, 0);
    image[at * SECTOR..(at + 1) * SECTOR].copy_from_slice(&bytes);
}

fn sound() -> Vec<u8> {
    let size = SECTORS as u32;
    let descriptors = [
        primary(size),
        descriptor(0),
        volume(2, size),
        descriptor(255),
    ];
    image(&descriptors, SECTORS)
}

pub(crate) fn judge(image: &[u8]) -> Result<Identity, Code> {
    look(ArtifactKind::Iso, &[], image).map_err(|found| seen(found.code))
}

/// Notes a partition in the first sector.
fn partition(image: &mut [u8], entry: usize, first: u32, blocks: u32) {
    let at = 446 + entry * 16;
    image[at + 4] = 0x17;
    image[at + 8..at + 12].copy_from_slice(&first.to_le_bytes());
    image[at + 12..at + 16].copy_from_slice(&blocks.to_le_bytes());
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
}

#[test]
pub(crate) fn a_sound_image_is_taken_and_named() {
    let identity = judge(&sound()).unwrap();
    assert_eq!(identity.name, "TRIAL_1");
    assert_eq!(identity.unpacked_bytes, (SECTORS * SECTOR) as u64);
    assert_eq!(identity.entries, 0);
}

#[test]
pub(crate) fn descriptors_of_another_kind_are_refused() {
    let size = SECTORS as u32;
    let changed = |change: fn(&mut [u8; SECTOR])| {
        let mut first = primary(size);
        change(&mut first);
        image(&[first, descriptor(255)], SECTORS)
    };
    let cases = [
        image(&[descriptor(255)], SECTORS),
        image(&[primary(size)], SECTORS),
        image(&[primary(size), primary(size), descriptor(255)], SECTORS),
        image(&[primary(size), descriptor(3), descriptor(255)], SECTORS),
        image(&[volume(2, size), descriptor(255), primary(size)], SECTORS),
        image(
            &[[volume(2, 100); 64].as_slice(), &[primary(100)]].concat(),
            100,
        ),
        image(&[primary(size), descriptor(2), descriptor(255)], SECTORS),
        changed(|sector| sector[1] = b'N'),
        changed(|sector| sector[44] = 0x07),
        changed(|sector| sector[44] = 0xe9),
        changed(|sector| sector[80] ^= 1),
        changed(|sector| sector[84] ^= 1),
        changed(|sector| sector[129] = 4),
        // What libarchive wants of an image: as anything else, it could read it otherwise.
        changed(|sector| sector[6] = 2),
        changed(|sector| sector[72] = 1),
        changed(|sector| sector[88] = 1),
        changed(|sector| sector[140] = 17),
        changed(|sector| sector[151] = 17),
        changed(|sector| sector[140] = 24),
        changed(|sector| sector[156] = 36),
        changed(|sector| sector[158] ^= 1),
        changed(|sector| sector[156 + 25] = 0),
        changed(|sector| sector[881] = 2),
        changed(|sector| sector[882] = 1),
        changed(|sector| sector[2047] = 1),
        image(&[primary(20), descriptor(255)], 20),
        image(&[primary(size), ended(6, 0)], SECTORS),
        image(&[primary(size), ended(2047, 1)], SECTORS),
        image(&[primary(size), with_version(0), descriptor(255)], SECTORS),
    ];
    for (number, bytes) in cases.iter().enumerate() {
        assert_eq!(judge(bytes), Err(Code::ImageDescriptor), "case {number}");
    }
    // The last one that fits: 62 others, the primary one, the terminator.
    let most = [
        [volume(2, 100); 62].as_slice(),
        &[primary(100), descriptor(255)],
    ]
    .concat();
    judge(&image(&most, 100)).unwrap();
}

/// A terminator with another byte.
fn ended(at: usize, byte: u8) -> [u8; SECTOR] {
    let mut sector = descriptor(255);
    sector[at] = byte;
    sector
}

/// A boot record of another version.
fn with_version(version: u8) -> [u8; SECTOR] {
    let mut sector = descriptor(0);
    sector[6] = version;
    sector
}

#[test]
pub(crate) fn an_image_that_begins_as_something_else_is_refused() {
    let zstd = b"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00\x99\xe9\xd8\x51\x50\x2a\x4d\x18";
    let tar = archive(&[Member::file(".PKGINFO", b"pkgname = evil\n")]);
    for begin in [zstd.as_slice(), &tar, b"#mtree\n", b"7z\xbc\xaf\x27\x1c"] {
        let mut bytes = sound();
        bytes[..begin.len()].copy_from_slice(begin);
        assert_eq!(judge(&bytes), Err(Code::ImageSystemArea));
    }
    let mut loader = sound();
    loader[..8].copy_from_slice(b"\x45\x52\x08\0\0\0\x90\x90");
    judge(&loader).unwrap();
}

#[test]
pub(crate) fn an_image_of_another_size_than_it_says_is_refused() {
    let sound = sound();
    for part in 0..64 {
        let cut = sound.len() * part / 64;
        let code = judge(&sound[..cut]).unwrap_err();
        assert!(
            [Code::ImageSize, Code::ImageDescriptor].contains(&code),
            "{cut}: {code:?}"
        );
    }
    assert_eq!(judge(&sound[..sound.len() - 1]), Err(Code::ImageSize));
    for more in [&[0][..], &[0; SECTOR], b"x"] {
        assert_eq!(judge(&[&sound, more].concat()), Err(Code::ImageSize));
    }
}

#[test]
pub(crate) fn a_hybrid_image_ends_with_its_last_partition_and_zeros() {
    let blocks = (SECTORS * 4) as u32;
    let mut hybrid = sound();
    partition(&mut hybrid, 0, 0, blocks);
    partition(&mut hybrid, 1, blocks, 8);
    hybrid.extend([b'p'; 8 * 512]);
    judge(&hybrid).unwrap();
    let with = |more: usize| [hybrid.as_slice(), &vec![0; more]].concat();
    judge(&with(150 * SECTOR)).unwrap();
    assert_eq!(judge(&with(150 * SECTOR + 1)), Err(Code::ImageSize));
    let mut hidden = with(4096);
    let last = hidden.len() - 1;
    hidden[last] = 1;
    assert_eq!(judge(&hidden), Err(Code::ImageSize));
    assert_eq!(judge(&hybrid[..hybrid.len() - 1]), Err(Code::ImageSize));
    // Without the mark nothing there is a partition table.
    hybrid[510] = 0;
    assert_eq!(judge(&hybrid), Err(Code::ImageSize));
}

#[test]
pub(crate) fn a_guid_partition_table_tells_the_last_block() {
    let mut hybrid = sound();
    partition(&mut hybrid, 0, 1, 1);
    hybrid[512..520].copy_from_slice(b"EFI PART");
    let last = (SECTORS * 4 + 7) as u64;
    hybrid[512 + 32..512 + 40].copy_from_slice(&last.to_le_bytes());
    hybrid.extend([b'g'; 8 * 512]);
    judge(&hybrid).unwrap();
    assert_eq!(judge(&hybrid[..hybrid.len() - 512]), Err(Code::ImageSize));
    hybrid[512 + 32..512 + 40].fill(0xff);
    assert_eq!(judge(&hybrid), Err(Code::ImageSize));
}

#[test]
pub(crate) fn rules_allow_volumes_by_name() {
    let check = |pattern: &str| {
        let volume = format!("volume={pattern}");
        let rules = [volume.as_str()];
        let found = look(ArtifactKind::Iso, &rules, sound().as_slice());
        found.map(drop).map_err(|found| seen(found.code))
    };
    assert_eq!(check("TRIAL_*"), Ok(()));
    assert_eq!(check("ARCH_*"), Err(Code::RuleVolume));
    assert_eq!(check("trial_1"), Err(Code::RuleVolume));
}

/// Gives its bytes and then an error instead of an end.
struct Broken<'b>(&'b [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 if !into.is_empty() => Err(io::Error::other("broken")),
            count => Ok(count),
        }
    }
}

#[test]
pub(crate) fn input_that_cannot_be_read_is_refused() {
    for kind in ArtifactKind::ALL {
        let found = look(kind, &[], Broken(b""));
        let code = found.unwrap_err().code;
        let expected = [Code::Unreadable, Code::ImageSize];
        assert!(expected.contains(&code), "{code:?}");
    }
    let found = look(ArtifactKind::Iso, &[], Broken(&sound()));
    assert_eq!(seen(found.unwrap_err().code), Code::Unreadable);
}
