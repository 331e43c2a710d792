//! Volume descriptors (ECMA-119, section 8), and what libarchive wants of them before it takes a file
//! for an image: what fails there would be looked at as anything else.

use super::Sector;
use super::record::{self, Record};

/// Where a volume's folders are, and how much there is of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Volume {
    /// Its size.
    pub(super) sectors: u64,
    /// Its root.
    pub(super) root: Record<'static>,
    /// Whether names are UCS-2 (Joliet).
    pub(super) wide: bool,
}

impl Volume {
    /// The one that every image has.
    pub(super) fn primary(sector: &Sector) -> Option<Self> {
        let unused = is_zero(sector, 88..120) && sector.get(6) == Some(&1);
        Self::read(sector).filter(|_| unused)
    }

    /// Another one, with other names: Joliet, or ISO 9660:1999, which has 2 for a version.
    pub(super) fn supplementary(sector: &Sector) -> Option<Self> {
        let escapes = sector.get(88..120)?;
        let wide = [b"%/@", b"%/C", b"%/E"]
            .iter()
            .any(|escape| escapes.starts_with(*escape));
        let known = wide || is_zero(sector, 88..120);
        let volume = Self::read(sector).filter(|_| known)?;
        Some(Self { wide, ..volume })
    }

    /// Numbers stand there in both byte orders and must agree (ECMA-119, section 8.4).
    fn read(sector: &Sector) -> Option<Self> {
        let version = sector.get(6).filter(|version| (1..=2).contains(*version))?;
        let unused = is_zero(sector, 72..80) && is_zero(sector, 882..883);
        let reserved = is_zero(sector, 1395..2048);
        let block = u16::from_le_bytes(*sector.get(128..)?.first_chunk()?);
        let sectors = record::both(sector, 80)?;
        let path_tables = [
            u32::from_le_bytes(*sector.get(140..)?.first_chunk()?),
            u32::from_be_bytes(*sector.get(148..)?.first_chunk()?),
        ];
        let sound = path_tables.iter().all(|at| (18..sectors).contains(at))
            && sectors > 20
            && sector.get(881) == Some(version)
            && block == 2048;
        let (root, _) = sector.get(156..190)?.split_first_chunk::<34>()?;
        let root = Record::read(root)?;
        (sound && unused && reserved && root.is_folder()).then(|| Self {
            sectors: u64::from(sectors),
            root: root.without_name(),
            wide: false,
        })
    }
}

/// The primary volume's identifier.
pub(super) fn name(sector: &Sector) -> Option<String> {
    let name = std::str::from_utf8(sector.get(40..72)?).ok()?;
    let name = name.trim_end_matches(' ');
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    name.bytes().all(printable).then(|| name.to_owned())
}

/// Whether a descriptor of type 0 is a boot record.
pub(super) fn is_boot_record(sector: &Sector) -> bool {
    sector.get(6) == Some(&1)
}

/// Whether a descriptor of type 255 is the last one.
pub(super) fn is_terminator(sector: &Sector) -> bool {
    sector.get(6) == Some(&1) && is_zero(sector, 7..2048)
}

fn is_zero(sector: &Sector, range: std::ops::Range<usize>) -> bool {
    let bytes = sector.get(range).unwrap_or(&[1]);
    bytes.iter().all(|&byte| byte == 0)
}
