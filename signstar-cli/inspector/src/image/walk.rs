//! All folders of an image, as it passes: programs that make images write them before what is in files,
//! and each before those in it.
//!
//! Deliberately absent: path tables, which nobody reads who reads folders, and anything that would need
//! to go back.

use std::collections::BTreeMap;

use super::descriptor::Volume;
use super::names::{Place, is_like_package, plain, readings};
use super::record::Record;
use super::uses::{Area, Uses};
use super::{SECTOR, Sector};
use crate::Code;

/// More than any image has, of folders and of names that go on elsewhere, at a time.
const WAITING_MAX: usize = 500_000;

/// Folders that were told of and are still to come.
pub(super) struct Walk {
    /// The sector that comes next.
    next: u64,
    /// Behind the last one.
    end: u64,
    waiting: BTreeMap<u64, Folder>,
    continued: BTreeMap<u64, Vec<(Area, Entry)>>,
    continued_count: usize,
    current: Option<Current>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Folder {
    bytes: u32,
    wide: bool,
    place: Place,
}

struct Current {
    folder: Folder,
    start: u64,
    end: u64,
    /// Records of it, up to the second.
    seen: usize,
}

/// What is known of an entry so far.
struct Entry {
    uses: Uses,
    place: Place,
    is_folder: bool,
    named: bool,
}

impl Walk {
    /// Nothing yet of a volume of so many sectors, of which `next` comes next.
    pub(super) fn new(next: u64, sectors: u64) -> Self {
        Self {
            next,
            end: sectors,
            waiting: BTreeMap::new(),
            continued: BTreeMap::new(),
            continued_count: 0,
            current: None,
        }
    }

    /// Waits for the root of `volume`.
    pub(super) fn begin(&mut self, volume: &Volume) -> Result<(), Code> {
        self.expect(&volume.root, volume.wide, Place::TOP, self.next)
    }

    /// Whether all folders have passed.
    pub(super) fn is_done(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty() && self.continued.is_empty()
    }

    /// Looks at the sector that comes next.
    pub(super) fn pass(&mut self, sector: &Sector) -> Result<(), Code> {
        let number = self.next;
        self.next += 1;
        if let Some(folder) = self.waiting.remove(&number) {
            if self.current.is_some() {
                return Err(Code::ImageFolder);
            }
            self.current = Some(Current {
                folder,
                start: number,
                end: folder.end(number),
                seen: 0,
            });
        }
        if let Some(continued) = self.continued.remove(&number) {
            if self.current.is_some() {
                return Err(Code::ImageFolder);
            }
            for (area, entry) in continued {
                self.go_on(entry, area, sector)?;
            }
        }
        let Some(mut current) = self.current.take() else {
            return Ok(());
        };
        self.records(&mut current, sector)?;
        if current.end > self.next {
            self.current = Some(current);
        } else if current.seen < 2 {
            return Err(Code::ImageFolder);
        }
        Ok(())
    }

    /// Reads the records of a sector. None leads over its end; where one has no length, the rest of the
    /// sector is empty.
    fn records(&mut self, current: &mut Current, sector: &Sector) -> Result<(), Code> {
        let mut rest = sector.as_slice();
        while let Some(&length) = rest.first().filter(|&&length| length > 0) {
            let split = rest.split_at_checked(usize::from(length));
            let (bytes, behind) = split.ok_or(Code::ImageFolder)?;
            let record = Record::read(bytes).ok_or(Code::ImageFolder)?;
            self.record(current, &record)?;
            rest = behind;
        }
        Ok(())
    }

    fn record(&mut self, current: &mut Current, record: &Record<'_>) -> Result<(), Code> {
        let Folder { wide, place, .. } = current.folder;
        let is_folder = record.is_folder();
        let named = !matches!(record.name, [0 | 1]);
        // The folder itself comes first, then the one above, and they nowhere else.
        let expected = match (current.seen, record.name) {
            (0, [0]) => {
                let same = (u64::from(record.location), record.bytes);
                is_folder && same == (current.start, current.folder.bytes)
            }
            (1, [1]) => is_folder,
            (2, _) => named,
            _ => false,
        };
        if !expected {
            return Err(Code::ImageFolder);
        }
        current.seen = (current.seen + 1).min(2);
        // What is said of the folder above is not looked at by anybody, and empty in one that was moved.
        if record.name == [1] {
            return Ok(());
        }
        let mut uses = Uses::default();
        let area = uses.read(record.uses, named).ok_or(Code::ImageFolder)?;
        let mut like = uses.name.is_like_package() || area.is_some();
        if named {
            let name = plain(record.name, wide).ok_or(Code::ImageFolder)?;
            if readings(&name).any(|name| place.is_pacmans(name, is_folder)) {
                return Err(Code::ImagePackage);
            }
            like |= is_like_package(&name);
        }
        let entry = Entry {
            uses,
            place,
            is_folder,
            named,
        };
        match area {
            Some(area) => self.wait_for(area, entry)?,
            None => entry.judge()?,
        }
        match named && is_folder {
            true => self.expect(record, wide, place.below(like), current.end),
            false => Ok(()),
        }
    }

    /// Reads on about an entry, of which yet more may stand in the same sector.
    fn go_on(&mut self, entry: Entry, area: Area, sector: &Sector) -> Result<(), Code> {
        let (mut entry, mut area) = (entry, area);
        let this = area.sector;
        self.continued_count -= 1;
        while area.sector == this {
            let bytes = sector.get(area.range()).ok_or(Code::ImageFolder)?;
            let more = entry.uses.read(bytes, entry.named);
            match more.ok_or(Code::ImageFolder)? {
                Some(another) => area = another,
                None => return entry.judge(),
            }
        }
        self.wait_for(area, entry)
    }

    /// Notes where more of an entry stands, which must be still to come.
    fn wait_for(&mut self, area: Area, entry: Entry) -> Result<(), Code> {
        let at = u64::from(area.sector);
        self.continued_count += 1;
        if at < self.next || at >= self.end || self.continued_count > WAITING_MAX {
            return Err(Code::ImageFolder);
        }
        self.continued.entry(at).or_default().push((area, entry));
        Ok(())
    }

    /// Notes a folder, of which nothing may lie before the sector `from`. Two ways may lead to one, if
    /// they agree about it.
    fn expect(
        &mut self,
        record: &Record<'_>,
        wide: bool,
        place: Place,
        from: u64,
    ) -> Result<(), Code> {
        let start = u64::from(record.location);
        let folder = Folder {
            bytes: record.bytes,
            wide,
            place,
        };
        let full = self.waiting.len() >= WAITING_MAX;
        if start < from || folder.end(start) > self.end || full {
            return Err(Code::ImageFolder);
        }
        match self.waiting.get_mut(&start) {
            None => {
                self.waiting.insert(start, folder);
                Ok(())
            }
            Some(known) if (known.bytes, known.wide) == (folder.bytes, folder.wide) => {
                known.place = known.place.and(place);
                Ok(())
            }
            Some(_) => Err(Code::ImageFolder),
        }
    }
}

impl Folder {
    /// Behind its last sector.
    fn end(self, start: u64) -> u64 {
        start + u64::from(self.bytes).div_ceil(SECTOR)
    }
}

impl Entry {
    /// Whether all that is known of it now may be so.
    fn judge(&self) -> Result<(), Code> {
        let Uses {
            name,
            folder,
            relocated,
            ..
        } = &self.uses;
        // A folder that is shown elsewhere than where it lies has no place for itself.
        let hidden = *relocated && (self.place.matters() || !self.named);
        let differs = !relocated && folder.is_some_and(|folder| folder != self.is_folder);
        if hidden || differs || !name.is_whole() {
            return Err(Code::ImageFolder);
        }
        match self.place.is_pacmans(name.beginning(), self.is_folder) {
            true => Err(Code::ImagePackage),
            false => Ok(()),
        }
    }
}
