//! A strict reader of the tar that makepkg and repo-add write: POSIX ustar, with extended headers
//! only for paths that are too long or not ASCII.
//!
//! What it accepts every reader of tar reads the same way. docs/inspection.md is the specification
//! of the subset. Deliberately absent: GNU and old formats, sparse files, devices, global headers,
//! numbers in anything but octal, and everything that lets one header change the size of another.

use std::collections::BTreeMap;
use std::io::Read;

use crate::container::Container;
use crate::{Code, Finding};

mod extension;
mod header;
mod path;

pub(crate) use header::Kind;
use header::{BLOCK_BYTES, Block, Header};
use path::check_path;

/// More files than the largest package of a distribution has, by far.
const ENTRIES_MAX: usize = 1_000_000;

/// What all paths of an archive may take, those of their folders and the targets of links among them. A
/// million paths have this room at over 100 bytes each; a few thousand deep ones could take gigabytes.
const NAMES_BYTES_MAX: usize = 128 << 20;

/// An archive may end with so many bytes of zeros: tar pads to 10 KiB, some programs to more.
const END_BYTES_MAX: u64 = 1 << 20;

/// One file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it is: relative, without a slash at its end.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// Permissions.
    pub(crate) mode: u32,
    /// Its owner and group, by number.
    pub(crate) owner: (u64, u64),
    /// Seconds since 1970.
    pub(crate) modified: u64,
    /// Bytes of content.
    pub(crate) size: u64,
    /// Where a link leads, otherwise empty.
    pub(crate) target: String,
    /// Where its header is in the archive.
    pub(crate) position: u64,
}

/// What is known of a path that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// As a part of other paths only.
    Passed,
    /// As an entry.
    Listed(Kind),
}

/// An archive that is read entry by entry.
pub(crate) struct Archive<R: Read> {
    container: Container<R>,
    /// Bytes of content of the current entry that were not read yet.
    left: u64,
    /// Zeros behind that content.
    padding: usize,
    seen: BTreeMap<String, Seen>,
    entries: usize,
    /// What the paths in `seen` take, and the targets of links.
    names_bytes: usize,
}

impl<R: Read> Archive<R> {
    pub(crate) fn open(input: R) -> Result<Self, Finding> {
        Ok(Self {
            container: Container::open(input)?,
            left: 0,
            padding: 0,
            seen: BTreeMap::new(),
            entries: 0,
            names_bytes: 0,
        })
    }

    /// How many entries there were so far.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// How many bytes of the archive were read.
    pub(crate) fn position(&self) -> u64 {
        self.container.position()
    }

    /// The next entry, or none after the end of the archive was found to be one. What the entry
    /// before contained is skipped.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Finding> {
        self.skip_content()?;
        let position = self.position();
        let Some(mut header) = self.header()? else {
            return Ok(None);
        };
        let mut extension = extension::Extension::default();
        if header.kind == Kind::Extension {
            let at = self.position();
            let text = self.small_content(&header)?;
            extension = extension::parse(&text).ok_or(Code::ExtensionForm.at(at))?;
            header = self.header()?.ok_or(Code::ExtensionForm.at(at))?;
            if header.kind == Kind::Extension {
                return Err(Code::ExtensionForm.at(at));
            }
        }
        let entry = self.entry(header, extension, position)?;
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            return Err(Code::TooManyEntries.at(position));
        }
        self.note(&entry)?;
        self.left = entry.size;
        self.padding = padding_of(entry.size);
        Ok(Some(entry))
    }

    /// Reads some of the current entry's content; none at its end.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Finding> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(into.len());
        let Some(into) = into.get_mut(..most).filter(|into| !into.is_empty()) else {
            return Ok(0);
        };
        let count = self.container.read(into)?;
        if count == 0 {
            return Err(Code::ArchiveCut.at(self.position()));
        }
        self.left = self
            .left
            .saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }

    /// Makes sure that nothing follows. Only after [`Archive::next`] has said that there is no more.
    pub(crate) fn finish(self) -> Result<(), Finding> {
        self.container.finish()
    }

    /// A header, or none where zeros begin that go on to the end.
    fn header(&mut self) -> Result<Option<Header>, Finding> {
        let position = self.position();
        let mut block: Block = [0; BLOCK_BYTES];
        self.container.read_exact(&mut block)?;
        if block == [0; BLOCK_BYTES] {
            self.only_zeros()?;
            return Ok(None);
        }
        if position == 0 && crate::lookalike::looks_compressed(&block) {
            return Err(Code::HeaderForm.at(position));
        }
        Header::parse(&block)
            .map(Some)
            .map_err(|code| code.at(position))
    }

    /// Behind the first block of zeros there is at least a second one, and nothing else.
    fn only_zeros(&mut self) -> Result<(), Finding> {
        let start = self.position();
        let mut block: Block = [0; BLOCK_BYTES];
        self.container.read_exact(&mut block)?;
        loop {
            if block != [0; BLOCK_BYTES] {
                return Err(Code::PaddingUsed.at(self.position()));
            }
            if self.position() - start > END_BYTES_MAX {
                return Err(Code::TooMuch.at(self.position()));
            }
            match self.container.read(&mut block)? {
                0 => return Ok(()),
                BLOCK_BYTES => {}
                some => {
                    let rest = block.get_mut(some..).unwrap_or(&mut []);
                    self.container.read_exact(rest)?;
                }
            }
        }
    }

    fn entry(
        &self,
        header: Header,
        extension: extension::Extension,
        position: u64,
    ) -> Result<Entry, Finding> {
        let named = |path: String| {
            let plain = match header.kind {
                Kind::Folder => path.strip_suffix('/').unwrap_or(&path),
                _ => &path,
            };
            check_path(plain).map(|()| plain.to_owned())
        };
        let strange = Code::EntryName.at(position);
        let path = extension
            .path
            .or(header.path)
            .and_then(named)
            .ok_or(strange)?;
        // Where the header itself has no target, libarchive does not ask the extended one for it.
        let no_target = header.target.as_deref() == Some("");
        let target = extension.target.or(header.target).ok_or(strange)?;
        // A size belongs to files, a target to links, and neither to anything else.
        let is_link = matches!(header.kind, Kind::HardLink | Kind::SymbolicLink);
        let sized = header.kind != Kind::File && header.size > 0;
        if is_link == target.is_empty() || is_link == no_target || sized {
            return Err(Code::HeaderForm.at(position));
        }
        if header.kind == Kind::SymbolicLink && !path::is_text(&target) {
            return Err(Code::EntryName.at(position));
        }
        if header.kind == Kind::HardLink
            && self.seen.get(&target) != Some(&Seen::Listed(Kind::File))
        {
            return Err(Code::LinkTarget.at(position));
        }
        Ok(Entry {
            path,
            kind: header.kind,
            mode: header.mode,
            owner: header.owner,
            modified: header.modified,
            size: header.size,
            target,
            position,
        })
    }

    /// Notes the entry's path and the folders that it lies in, which nothing else may be.
    fn note(&mut self, entry: &Entry) -> Result<(), Finding> {
        for (end, _) in entry.path.match_indices('/') {
            let folder = entry.path.get(..end).unwrap_or("");
            match self.seen.get(folder) {
                None => {
                    self.take_room(folder, entry)?;
                    self.seen.insert(folder.to_owned(), Seen::Passed);
                }
                Some(Seen::Passed | Seen::Listed(Kind::Folder)) => {}
                Some(Seen::Listed(_)) => return Err(Code::EntryBelowOther.at(entry.position)),
            }
        }
        self.take_room(&entry.path, entry)?;
        self.take_room(&entry.target, entry)?;
        match self
            .seen
            .insert(entry.path.clone(), Seen::Listed(entry.kind))
        {
            None => Ok(()),
            Some(Seen::Passed) if entry.kind == Kind::Folder => Ok(()),
            Some(Seen::Passed) => Err(Code::EntryBelowOther.at(entry.position)),
            Some(Seen::Listed(_)) => Err(Code::EntryTwice.at(entry.position)),
        }
    }

    /// Counts what is kept of `entry`.
    fn take_room(&mut self, name: &str, entry: &Entry) -> Result<(), Finding> {
        self.names_bytes = self.names_bytes.saturating_add(name.len());
        match self.names_bytes > NAMES_BYTES_MAX {
            true => Err(Code::TooManyEntries.at(entry.position)),
            false => Ok(()),
        }
    }

    /// The whole content of an extended header.
    fn small_content(&mut self, header: &Header) -> Result<Vec<u8>, Finding> {
        let position = self.position();
        let size = usize::try_from(header.size).unwrap_or(usize::MAX);
        if !(1..=extension::BYTES_MAX).contains(&size) {
            return Err(Code::ExtensionForm.at(position));
        }
        let mut content = vec![0; size];
        self.container.read_exact(&mut content)?;
        self.left = 0;
        self.padding = padding_of(header.size);
        self.skip_content()?;
        Ok(content)
    }

    fn skip_content(&mut self) -> Result<(), Finding> {
        let mut chunk = [0; 8192];
        while self.read(&mut chunk)? > 0 {}
        let mut padding: Block = [0; BLOCK_BYTES];
        let used = padding.get_mut(..self.padding).unwrap_or(&mut []);
        self.container.read_exact(used)?;
        self.padding = 0;
        match padding == [0; BLOCK_BYTES] {
            true => Ok(()),
            false => Err(Code::PaddingUsed.at(self.position())),
        }
    }
}

/// How many bytes follow a content of `size` up to the next block.
fn padding_of(size: u64) -> usize {
    let block = 512_u64;
    usize::try_from((block - size % block) % block).unwrap_or(0)
}
