//! Exactly one frame of zstd (RFC 8878, section 3.1.1), as the decoder gets it: it never sees what
//! follows, and nothing whose size is out of bounds.
//!
//! Deliberately absent: skippable frames, dictionaries, and frames of versions before 1.0.

use std::cell::Cell;
use std::io::{Error, ErrorKind, Read, Result};
use std::rc::Rc;

use crate::source::Source;
use crate::{Code, Finding};

/// Magic number, descriptor, window or one byte of size, and the longest size.
const HEADER_BYTES_MAX: usize = 14;

/// No block is larger, nor than the window (section 3.1.1.2.4).
const BLOCK_BYTES_MAX: u64 = 128 << 10;

/// The bytes of one frame.
pub(crate) struct Frame<R> {
    source: Source<R>,
    /// Bytes to hand on before the next part begins.
    left: u64,
    next: Part,
    has_checksum: bool,
    block_bytes_max: u64,
    /// How many bytes were taken from the source: the decoder does not let anybody ask it.
    taken: Rc<Cell<u64>>,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Part {
    Block,
    Checksum,
    End,
}

impl<R: Read> Frame<R> {
    /// Looks at the header.
    pub(crate) fn open(
        mut source: Source<R>,
        window_bytes_max: u64,
    ) -> std::result::Result<Self, Finding> {
        let damaged = Code::ContainerDamaged.at(5);
        let header = source.peek(HEADER_BYTES_MAX);
        let header = header.map_err(|_| Code::Unreadable.at(0))?;
        let [_, _, _, _, descriptor, fields @ ..] = header else {
            return Err(damaged);
        };
        // Bits 0 and 1: a dictionary. Bit 3: reserved.
        if descriptor & 0b1011 != 0 {
            return Err(Code::ContainerUnusual.at(4));
        }
        let is_single = descriptor & 0b10_0000 != 0;
        let window_field = usize::from(!is_single);
        let size_field = match (descriptor >> 6, is_single) {
            (0, false) => 0,
            (0, true) => 1,
            (1, _) => 2,
            (2, _) => 4,
            _ => 8,
        };
        let size = fields.get(window_field..window_field + size_field);
        let window = if is_single {
            let offset = if size_field == 2 { 256 } else { 0 };
            little_endian(size.ok_or(damaged)?).saturating_add(offset)
        } else {
            let field = fields.first().ok_or(damaged)?;
            let base = 1_u64 << (10 + (field >> 3));
            let window = base + base / 8 * u64::from(field & 7);
            // No block unpacks to more than the window. Decoders differ in whether they look, and no
            // encoder takes so small a window where it does not know the size.
            if window < BLOCK_BYTES_MAX {
                return Err(Code::ContainerUnusual.at(5));
            }
            window
        };
        if window > window_bytes_max {
            return Err(Code::WindowTooLarge.at(5));
        }
        let length = 5 + window_field + size_field;
        let has_checksum = descriptor & 0b100 != 0;
        Ok(Self {
            source,
            left: u64::try_from(length).unwrap_or(u64::MAX),
            next: Part::Block,
            has_checksum,
            block_bytes_max: window.min(BLOCK_BYTES_MAX),
            taken: Rc::default(),
        })
    }

    /// How many bytes of the source were taken, also while a decoder has this.
    pub(crate) fn taken(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.taken)
    }

    pub(crate) fn into_source(self) -> Source<R> {
        self.source
    }

    /// Looks at what comes next. Nothing is left to hand on only at the end.
    fn advance(&mut self) -> Result<()> {
        match self.next {
            Part::End => {}
            Part::Checksum => {
                self.left = 4;
                self.next = Part::End;
            }
            Part::Block => {
                let header = self.source.peek(3)?;
                if header.len() < 3 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                let header = little_endian(header);
                let size = header >> 3;
                let content = match header >> 1 & 3 {
                    0 | 2 => size,
                    1 => 1,
                    _ => return Err(Error::from(ErrorKind::InvalidData)),
                };
                if size > self.block_bytes_max {
                    return Err(ErrorKind::InvalidData.into());
                }
                self.left = 3 + content;
                self.next = match (header & 1 == 1, self.has_checksum) {
                    (false, _) => Part::Block,
                    (true, true) => Part::Checksum,
                    (true, false) => Part::End,
                };
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Frame<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.left == 0 {
            self.advance()?;
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = most.min(into.len());
        let count = self.source.read(into.get_mut(..most).unwrap_or(&mut []))?;
        self.left = self
            .left
            .saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        self.taken.set(self.source.consumed());
        Ok(count)
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |number, &byte| number << 8 | u64::from(byte))
}
