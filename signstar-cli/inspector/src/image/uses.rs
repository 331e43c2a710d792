//! What Rock Ridge says of an entry: extensions behind its record (SUSP, IEEE P1281; RRIP, P1282).
//!
//! Only what decides where an entry is found: its name, whether it is a folder, and where more of this
//! stands. Everything else is passed over.

use super::names::Alternate;
use super::record::both;

const FILE_TYPE: u32 = 0o170_000;
const TYPE_FOLDER: u32 = 0o040_000;

/// What was found behind one record so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pub(super) name: Alternate,
    /// Whether its permissions say that it is a folder.
    pub(super) folder: Option<bool>,
    /// Whether a folder that lies elsewhere is shown here.
    pub(super) relocated: bool,
    /// How often there was more elsewhere.
    pub(super) areas: usize,
}

/// Where more of it stands: one sector, and a part of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) sector: u32,
    pub(super) offset: usize,
    pub(super) bytes: usize,
}

impl Area {
    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.offset..self.offset.saturating_add(self.bytes)
    }
}

/// An entry whose extensions go on further than any program has them do.
const AREAS_MAX: usize = 64;

impl Uses {
    /// Reads `bytes`, and tells where they go on; `None` where readers would differ about them. `named`
    /// is false of what stands for a folder itself and the one above, which have no names.
    pub(super) fn read(&mut self, bytes: &[u8], named: bool) -> Option<Option<Area>> {
        let mut area = None;
        let mut rest = bytes;
        while let [a, b, length, version, ..] = *rest {
            if (a, b) == (0, 0) {
                break;
            }
            let signature = [a, b];
            let sound = a.is_ascii_uppercase() && b.is_ascii_alphanumeric() && version == 1;
            let (field, behind) = rest
                .split_at_checked(usize::from(length))
                .filter(|_| sound)?;
            let content = field.get(4..)?;
            rest = behind;
            match &signature {
                b"NM" => self.name(content, named)?,
                b"PX" => {
                    let mode = both(content, 0)?;
                    self.folder = Some(mode & FILE_TYPE == TYPE_FOLDER);
                }
                b"CL" => self.relocated = true,
                b"CE" => {
                    let size = |at| usize::try_from(both(content, at)?).ok();
                    let found = Area {
                        sector: both(content, 0)?,
                        offset: size(8)?,
                        bytes: size(16)?,
                    };
                    self.areas += 1;
                    if area.replace(found).is_some() || self.areas > AREAS_MAX {
                        return None;
                    }
                }
                // Says how much to leave out before all this, in all records: nothing.
                b"SP" if *content != [0xbe, 0xef, 0] => return None,
                _ => {}
            }
        }
        let used = rest.iter().any(|&byte| byte != 0);
        (!used).then_some(area)
    }

    fn name(&mut self, content: &[u8], named: bool) -> Option<()> {
        let (flags, piece) = content.split_first()?;
        match (named, flags) {
            (true, 0 | 1) => self.name.add(piece, *flags == 1),
            (false, 2 | 4) if piece.is_empty() => Some(()),
            _ => None,
        }
    }
}
