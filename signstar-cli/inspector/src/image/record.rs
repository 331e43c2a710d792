//! Records of folders (ECMA-119, section 9.1).

/// A record of more than one part.
const MULTI_EXTENT: u8 = 0x80;

const FOLDER: u8 = 0x02;

/// What is before the name.
const HEAD_BYTES: usize = 33;

/// What a folder, or a descriptor, says of one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'s> {
    /// Its first sector.
    pub(super) location: u32,
    pub(super) bytes: u32,
    flags: u8,
    /// As it stands there; `\0` and `\x01` for a folder itself and the one above.
    pub(super) name: &'s [u8],
    /// What extensions have to say (SUSP).
    pub(super) uses: &'s [u8],
}

impl<'s> Record<'s> {
    /// Reads what is exactly one record; `None` where it is malformed, or a folder that is not in one
    /// piece, whose place other readers could find elsewhere.
    pub(super) fn read(bytes: &'s [u8]) -> Option<Self> {
        let name_bytes = usize::from(*bytes.get(32)?);
        let length = usize::from(*bytes.first()?);
        let (name, uses) = bytes.get(HEAD_BYTES..)?.split_at_checked(name_bytes)?;
        // After a name of even length there is a byte of padding.
        let uses = match name_bytes % 2 {
            0 => uses.get(1..)?,
            _ => uses,
        };
        let record = Self {
            location: u32::from_le_bytes(*bytes.get(2..)?.first_chunk()?),
            bytes: u32::from_le_bytes(*bytes.get(10..)?.first_chunk()?),
            flags: *bytes.get(25)?,
            name,
            uses,
        };
        // Sectors of attributes before the content, and interleaving.
        let plain = [1, 26, 27].iter().all(|&at| bytes.get(at) == Some(&0))
            && record.flags & MULTI_EXTENT == 0
            && both(bytes, 2).is_some()
            && both(bytes, 10).is_some()
            && record.bytes > 0
            && record.bytes.is_multiple_of(2048);
        let sound = length == bytes.len() && name_bytes > 0;
        (sound && (plain || !record.is_folder())).then_some(record)
    }

    pub(super) fn is_folder(&self) -> bool {
        self.flags & FOLDER != 0
    }

    /// The same of which only the place is kept.
    pub(super) fn without_name(&self) -> Record<'static> {
        Record {
            location: self.location,
            bytes: self.bytes,
            flags: self.flags,
            name: &[],
            uses: &[],
        }
    }
}

/// A number in both byte orders, which must agree.
pub(super) fn both(bytes: &[u8], at: usize) -> Option<u32> {
    let little = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
    let big = u32::from_be_bytes(*bytes.get(at + 4..)?.first_chunk()?);
    (little == big).then_some(little)
}
