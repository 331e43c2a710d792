//! ISO 9660 images: the volume descriptors (ECMA-119, section 8), and the size that they and the
//! partition table of a hybrid image tell.

use std::io::Read;

use crate::{ArtifactKind, Identity, Refused, Rules, rules};
use crate::{Code, Finding};

const SECTOR_BYTES: usize = 2048;

/// The system area, which belongs to boot loaders.
const SYSTEM_SECTORS: usize = 16;

/// Where the first descriptor stands, in bytes.
const VOLUME_AT: u64 = 32_768;

/// Descriptors end with a terminator; no image needs more of them.
const DESCRIPTORS_MAX: usize = 64;

/// Programs that make images pad them to so many bytes at most: 150 sectors.
const PADDING_BYTES_MAX: u64 = 150 * 2048;

type Sector = [u8; SECTOR_BYTES];

/// Reads an image to its end and says which volume it is.
pub(crate) fn inspect<R: Read>(mut input: R, rules: &[Rules]) -> Result<Identity, Refused> {
    let mut position = 0;
    let mut sector: Sector = [0; SECTOR_BYTES];
    let mut partitioned = 0;
    for number in 0..SYSTEM_SECTORS {
        take(&mut input, &mut sector, &mut position)?;
        if number == 0 {
            partitioned = partitioned_bytes(&sector);
        }
    }
    let mut volume = None;
    let mut terminated = false;
    for _ in 0..DESCRIPTORS_MAX {
        let at = position;
        take(&mut input, &mut sector, &mut position)?;
        let (kind, rest) = sector.split_first().ok_or(Code::ImageDescriptor.at(at))?;
        if !rest.starts_with(b"CD001") {
            return Err(Code::ImageDescriptor.at(at).into());
        }
        match kind {
            1 if volume.is_none() => {
                volume = Some(primary(&sector).ok_or(Code::ImageDescriptor.at(at))?);
            }
            // Boot records and supplementary descriptors (El Torito, Joliet).
            0 | 2 => {}
            255 => {
                terminated = true;
                break;
            }
            _ => return Err(Code::ImageDescriptor.at(at).into()),
        }
    }
    let (name, sectors) = volume
        .filter(|_| terminated)
        .ok_or(Code::ImageDescriptor.at(position))?;
    let end = u64::from(sectors).saturating_mul(2048).max(partitioned);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(Code::Unreadable.at(position).into()),
        };
        let known = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
        position += u64::try_from(count).unwrap_or(u64::MAX);
        let behind = chunk.get(known.min(count)..count).unwrap_or(&[]);
        if behind.iter().any(|&byte| byte != 0) || position > end.saturating_add(PADDING_BYTES_MAX)
        {
            return Err(Code::ImageSize.at(position).into());
        }
    }
    // Only behind a partition that was appended may there be padding that nothing tells of.
    if position < end || (position > end && partitioned == 0) {
        return Err(Code::ImageSize.at(position).into());
    }
    let identity = Identity {
        kind: ArtifactKind::Iso,
        name,
        unpacked_bytes: position,
        ..Identity::default()
    };
    rules::judge(rules, &identity, VOLUME_AT)?;
    Ok(identity)
}

fn take<R: Read>(input: &mut R, sector: &mut Sector, position: &mut u64) -> Result<(), Finding> {
    input
        .read_exact(sector)
        .map_err(|_| Code::ImageSize.at(*position))?;
    *position += 2048;
    Ok(())
}

/// Where the partitions end that a hybrid image tells of, in bytes from its start: by its GPT (UEFI
/// specification, section 5.3.2) or its MBR; 0 without.
fn partitioned_bytes(sector: &Sector) -> u64 {
    const BLOCK_BYTES: u64 = 512;
    if sector.get(510..512) != Some(&[0x55, 0xaa]) {
        return 0;
    }
    let number = |at: usize, length: usize| {
        let bytes = sector.get(at..at + length).unwrap_or(&[]).iter().rev();
        bytes.fold(0_u64, |number, &byte| number << 8 | u64::from(byte))
    };
    let blocks = match sector.get(512..520) == Some(b"EFI PART") {
        // The block of the second header, which is the last.
        true => number(512 + 32, 8).saturating_add(1),
        false => (446..510)
            .step_by(16)
            .filter(|&entry| number(entry + 4, 1) != 0)
            .map(|entry| number(entry + 8, 4) + number(entry + 12, 4))
            .max()
            .unwrap_or(0),
    };
    blocks.saturating_mul(BLOCK_BYTES)
}

/// Volume identifier and size in sectors. Numbers stand there in both byte orders and must agree
/// (ECMA-119, section 8.4).
fn primary(sector: &Sector) -> Option<(String, u32)> {
    let name = std::str::from_utf8(sector.get(40..72)?).ok()?;
    let name = name.trim_end_matches(' ');
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if !name.bytes().all(printable) {
        return None;
    }
    let little = u32::from_le_bytes(sector.get(80..84)?.try_into().ok()?);
    let big = u32::from_be_bytes(sector.get(84..88)?.try_into().ok()?);
    let block = u16::from_le_bytes(sector.get(128..130)?.try_into().ok()?);
    (little == big && block == 2048).then(|| (name.to_owned(), little))
}
