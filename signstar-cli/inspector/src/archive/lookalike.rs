//! Archives that begin as compressed data do.
//!
//! libarchive, and with it pacman, looks for compression again in what it has unpacked, and again in
//! that. It goes by the first bytes, and in an archive those are a name: where they are the magic
//! number of a format, it reads another archive than everybody else, which may lie in the content of
//! a file.

/// What compressed data begins with, of the formats that libarchive knows. Most of these bytes a name
/// cannot have; this list does not rely on that. LZMA alone has no magic number: it takes a byte of
/// zero before one that is none, which no name has.
const MAGIC: [&[u8]; 12] = [
    b"\x1f\x8b",
    b"\x1f\x9d",
    b"\x1f\xa0",
    b"\xfd7zXZ",
    b"LRZI\0",
    b"LZIP\x01",
    b"GRZipII\0",
    b"\x89LZO",
    b"\xed\xab\xee\xdb",
    b"\x04\x22\x4d\x18",
    b"\x02\x21\x4c\x18",
    b"\x28\xb5\x2f\xfd",
];

/// Whether an archive that starts with `block` could be taken for compressed data.
pub(super) fn looks_compressed(block: &[u8]) -> bool {
    let behind = |count: usize| block.get(count..).unwrap_or(&[]);
    // `BZh`, a digit, and the first block: these are the only ones that a plain name can have.
    let bzip2 = block.starts_with(b"BZh") && behind(4).starts_with(b"1AY&SY");
    // A skippable frame of zstd or lz4, whatever its first byte.
    let skippable = behind(1).starts_with(b"\x2a\x4d\x18");
    bzip2 || skippable || MAGIC.iter().any(|magic| block.starts_with(magic))
}
