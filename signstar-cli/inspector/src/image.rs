//! ISO 9660 images: the volume descriptors (ECMA-119, section 8), the size that they and the partition
//! table of a hybrid image tell, and that nobody could take the image for a package or a database.
//!
//! pacman opens packages and databases with every format that libarchive knows, images among them.

use std::io::Read;

use crate::source::Source;
use crate::{ArtifactKind, Identity, Refused, Rules, lookalike, rules};
use crate::{Code, Finding};

mod descriptor;
mod names;
mod record;
mod uses;
mod walk;

use descriptor::Volume;
use walk::Walk;

const SECTOR_BYTES: usize = 2048;

/// The same for positions.
const SECTOR: u64 = 2048;

/// The system area, which belongs to boot loaders.
const SYSTEM_SECTORS: usize = 16;

/// Where the first descriptor stands, in bytes.
const VOLUME_AT: u64 = 32_768;

/// Descriptors end with a terminator; no image needs more of them.
const DESCRIPTORS_MAX: usize = 64;

/// Programs that make images pad them to so many bytes at most: 150 sectors.
const PADDING_BYTES_MAX: u64 = 150 * SECTOR;

type Sector = [u8; SECTOR_BYTES];

/// Reads an image to its end and says which volume it is.
pub(crate) fn inspect<R: Read>(input: R, rules: &[Rules]) -> Result<Identity, Refused> {
    let mut input = Source::new(input);
    let mut position = 0;
    let mut sector: Sector = [0; SECTOR_BYTES];
    let mut area = Vec::new();
    for _ in 0..SYSTEM_SECTORS {
        take(&mut input, &mut sector, &mut position)?;
        area.extend_from_slice(&sector);
    }
    if lookalike::looks_otherwise(&area) {
        return Err(Code::ImageSystemArea.at(0).into());
    }
    let partitioned = partitioned_bytes(&area);
    let mut volume: Option<(String, Volume)> = None;
    let mut others = Vec::new();
    let mut terminated = false;
    for _ in 0..DESCRIPTORS_MAX {
        let at = position;
        let form = Code::ImageDescriptor.at(at);
        take(&mut input, &mut sector, &mut position)?;
        if sector.get(1..6) != Some(b"CD001") {
            return Err(form.into());
        }
        match sector.first() {
            Some(1) if volume.is_none() => {
                let name = descriptor::name(&sector).ok_or(form)?;
                volume = Some((name, Volume::primary(&sector).ok_or(form)?));
            }
            // Boot records (El Torito) and supplementary descriptors (Joliet).
            Some(0) if descriptor::is_boot_record(&sector) => {}
            Some(2) => others.push(Volume::supplementary(&sector).ok_or(form)?),
            Some(255) if descriptor::is_terminator(&sector) => {
                terminated = true;
                break;
            }
            _ => return Err(form.into()),
        }
    }
    let (name, volume) = volume
        .filter(|_| terminated)
        .ok_or(Code::ImageDescriptor.at(position))?;
    let mut walk = Walk::new(position / SECTOR, volume.sectors);
    for volume in std::iter::once(&volume).chain(&others) {
        walk.begin(volume).map_err(|code| code.at(position))?;
    }
    while !walk.is_done() {
        let at = position;
        take(&mut input, &mut sector, &mut position)?;
        walk.pass(&sector).map_err(|code| code.at(at))?;
    }
    let end = volume.sectors.saturating_mul(SECTOR).max(partitioned);
    let position = read_to_end(&mut input, position, end, partitioned > 0)?;
    let identity = Identity {
        kind: ArtifactKind::Iso,
        name,
        unpacked_bytes: position,
        ..Identity::default()
    };
    rules::judge(rules, &identity, VOLUME_AT)?;
    Ok(identity)
}

/// Reads what is left behind `position`, which must reach `end`, and says how long the whole is. Only
/// behind a partition that was `appended` may there be padding that nothing tells of.
fn read_to_end<R: Read>(
    input: &mut Source<R>,
    mut position: u64,
    end: u64,
    appended: bool,
) -> Result<u64, Finding> {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(Code::Unreadable.at(position)),
        };
        let known = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
        position += u64::try_from(count).unwrap_or(u64::MAX);
        let behind = chunk.get(known.min(count)..count).unwrap_or(&[]);
        if behind.iter().any(|&byte| byte != 0) || position > end.saturating_add(PADDING_BYTES_MAX)
        {
            return Err(Code::ImageSize.at(position));
        }
    }
    if position < end || (position > end && !appended) {
        return Err(Code::ImageSize.at(position));
    }
    Ok(position)
}

fn take<R: Read>(input: &mut R, sector: &mut Sector, position: &mut u64) -> Result<(), Finding> {
    input
        .read_exact(sector)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Code::ImageSize.at(*position),
            _ => Code::Unreadable.at(*position),
        })?;
    *position += SECTOR;
    Ok(())
}

/// Where the partitions end that a hybrid image tells of, in bytes from its start: by its GPT (UEFI
/// specification, section 5.3.2) or its MBR; 0 without.
fn partitioned_bytes(area: &[u8]) -> u64 {
    const BLOCK_BYTES: u64 = 512;
    if area.get(510..512) != Some(&[0x55, 0xaa]) {
        return 0;
    }
    let number = |at: usize, length: usize| {
        let bytes = area.get(at..at + length).unwrap_or(&[]).iter().rev();
        bytes.fold(0_u64, |number, &byte| number << 8 | u64::from(byte))
    };
    let blocks = match area.get(512..520) == Some(b"EFI PART") {
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
