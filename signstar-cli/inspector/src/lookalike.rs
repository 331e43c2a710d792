//! Archives that begin as compressed data do, and images that begin as anything else.
//!
//! libarchive, and with it pacman, looks for compression again in what it has unpacked, and again in
//! that. It goes by the first bytes, and in an archive those are a name: where they are the magic
//! number of a format, it reads another archive than everybody else, which may lie in the content of
//! a file. In an image it is the system area that belongs to nobody: every format of libarchive is
//! looked for there, and what other programs could take for one.

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
pub(crate) fn looks_compressed(block: &[u8]) -> bool {
    let behind = |count: usize| block.get(count..).unwrap_or(&[]);
    // `BZh`, a digit, and the first block: these are the only ones that a plain name can have.
    let bzip2 = block.starts_with(b"BZh") && behind(4).starts_with(b"1AY&SY");
    // A skippable frame of zstd or lz4, whatever its first byte.
    let skippable = behind(1).starts_with(b"\x2a\x4d\x18");
    bzip2 || skippable || MAGIC.iter().any(|magic| block.starts_with(magic))
}

/// What files of other formats begin with: archives, and programs, in which archives are looked for
/// further behind.
const FORMATS: [&[u8]; 17] = [
    b"!<arch>",
    b"0707",
    b"\xc7\x71",
    b"\x71\xc7",
    b"MZ",
    b"\x7fELF",
    b"7z",
    b"xar!",
    b"WARC/",
    b"MSCF",
    b"Rar!",
    b"RE~^",
    b"PK",
    b"BZh",
    b"LZIP",
    b"LRZI",
    b"GRZipII",
];

const BLOCK_BYTES: usize = 512;

/// Whether a file that starts with `area`, the system area of an image, could be taken for anything but
/// an image. Boot loaders start with instructions, and those of the usual ones with none of this.
pub(crate) fn looks_otherwise(area: &[u8]) -> bool {
    let at = |place: usize| area.get(place..).unwrap_or(&[]);
    let ustar = |block: &[u8]| block.get(257..262) == Some(b"ustar");
    let (first, _) = area.split_at_checked(BLOCK_BYTES).unwrap_or((area, &[]));
    // `-lh5-` and its like.
    let lha = at(2).starts_with(b"-l") && at(6).starts_with(b"-");
    looks_compressed(area)
        || FORMATS.iter().any(|magic| area.starts_with(magic))
        || lha
        || is_lzma(area)
        || area.chunks(BLOCK_BYTES).any(ustar)
        || has_sum_of_tar(first)
        || begins_as_text(area)
}

/// LZMA of old has properties, at most 224, and the size of its dictionary, a power of two or close to
/// 64 MiB.
fn is_lzma(area: &[u8]) -> bool {
    let Some(&[properties, a, b, c, d]) = area.first_chunk() else {
        return false;
    };
    let dictionary = u32::from_le_bytes([a, b, c, d]);
    let odd = (0x0300_0000..=0x03f0_0000).contains(&dictionary) && dictionary & 0xf_ffff == 0;
    let even = dictionary.is_power_of_two() && (1 << 12..=1 << 26).contains(&dictionary);
    properties <= 224 && (odd || even)
}

/// Tar of old has no magic number, only a sum of its header: octal, or binary as GNU writes it.
fn has_sum_of_tar(block: &[u8]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    let field = block.get(SUM).unwrap_or(&[]);
    let said = match field.split_first() {
        Some((0x80.., rest)) => rest
            .iter()
            .fold(0, |sum: u64, &byte| sum << 8 | u64::from(byte)),
        _ => field
            .iter()
            .skip_while(|byte| matches!(byte, b' ' | b'\t'))
            .map_while(|byte| char::from(*byte).to_digit(8))
            .fold(0, |sum, digit| sum << 3 | u64::from(digit)),
    };
    let summed = |value: fn(u8) -> i64| -> i64 {
        let bytes = block.iter().enumerate();
        bytes
            .map(|(place, &byte)| value(if SUM.contains(&place) { b' ' } else { byte }))
            .sum()
    };
    let sums = [
        summed(i64::from),
        summed(|byte| i64::from(i8::from_le_bytes([byte]))),
    ];
    sums.iter().any(|&sum| u64::try_from(sum) == Ok(said))
}

/// mtree and uuencoded files are text, and anything may stand before them: in text a line ends before
/// there is a byte of zero.
fn begins_as_text(area: &[u8]) -> bool {
    let ends = |byte: &&u8| matches!(byte, b'\0' | b'\n' | b'\r');
    area.iter().find(ends).is_none_or(|&byte| byte != 0)
}

#[cfg(test)]
mod tests;
