//! The compression around an archive: exactly one frame or member of zstd, gzip or xz, with bounds.
//!
//! Deliberately absent: plain archives, other formats, dictionaries, skippable frames, concatenated
//! frames and anything after the end, because programs differ in what they make of those.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use zrip_decode::streaming::FrameDecoder;

use crate::source::Source;
use crate::{Code, Finding};

mod frame;

use frame::Frame;

/// `zstd --ultra -22` asks for this window; nothing that makes packages asks for more.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

/// What may come out of nearly nothing. A package of a few large files of zeros is no attack.
const UNPACKED_BYTES_FREE: u64 = 4 << 30;

/// So many times its packed size an artifact may unpack to beyond that.
const RATIO_MAX: u64 = 1000;

/// The unpacked bytes of an artifact.
pub(crate) struct Container<R: Read> {
    decoder: Decoder<R>,
    position: u64,
}

enum Decoder<R: Read> {
    Zstd(Box<FrameDecoder<Frame<R>>>, Rc<Cell<u64>>),
    Gzip(Box<GzDecoder<Source<R>>>),
    Xz(Box<XzReader<Source<R>>>),
}

impl<R: Read> Container<R> {
    /// Looks at the first bytes of `input` and gets ready for what they announce.
    pub(crate) fn open(input: R) -> Result<Self, Finding> {
        let mut source = Source::new(input);
        let start = source.peek(6).map_err(|_| Code::Unreadable.at(0))?;
        let decoder = match *start {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let frame = Frame::open(source, WINDOW_BYTES_MAX)?;
                let taken = frame.taken();
                Decoder::Zstd(Box::new(FrameDecoder::new(frame)), taken)
            }
            // Nothing but a name may stand in the header (RFC 1952, section 2.3.1): gzip writes it.
            [0x1f, 0x8b, 8, flags, ..] if flags & !0x08 == 0 => {
                Decoder::Gzip(Box::new(GzDecoder::new(source)))
            }
            [0x1f, 0x8b, ..] => return Err(Code::ContainerUnusual.at(2)),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
                let kib = u32::try_from(WINDOW_BYTES_MAX >> 10).unwrap_or(u32::MAX);
                Decoder::Xz(Box::new(XzReader::new_mem_limit(source, false, kib)))
            }
            _ => return Err(Code::ContainerUnknown.at(0)),
        };
        Ok(Self {
            decoder,
            position: 0,
        })
    }

    /// How many unpacked bytes were read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Reads some unpacked bytes; none at the end of the frame.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Finding> {
        let read = match &mut self.decoder {
            Decoder::Zstd(decoder, _) => decoder.read(into),
            Decoder::Gzip(decoder) => decoder.read(into),
            Decoder::Xz(decoder) => decoder.read(into),
        };
        let packed = self.consumed();
        let count = read.map_err(|error| match error.kind() {
            std::io::ErrorKind::OutOfMemory => Code::WindowTooLarge.at(packed),
            _ => Code::ContainerDamaged.at(packed),
        })?;
        self.position += u64::try_from(count).unwrap_or(u64::MAX);
        let allowed = UNPACKED_BYTES_FREE.saturating_add(packed.saturating_mul(RATIO_MAX));
        match self.position > allowed {
            true => Err(Code::TooMuch.at(packed)),
            false => Ok(count),
        }
    }

    /// Fills `into`.
    pub(crate) fn read_exact(&mut self, into: &mut [u8]) -> Result<(), Finding> {
        let mut rest = into;
        while !rest.is_empty() {
            let count = self.read(rest)?;
            if count == 0 {
                return Err(Code::ArchiveCut.at(self.position));
            }
            rest = rest.get_mut(count..).unwrap_or(&mut []);
        }
        Ok(())
    }

    /// Makes sure that the frame has ended, is whole, and is all there is.
    pub(crate) fn finish(mut self) -> Result<(), Finding> {
        if self.read(&mut [0])? > 0 {
            return Err(Code::PaddingUsed.at(self.position));
        }
        let mut source = match self.decoder {
            Decoder::Zstd(decoder, _) => decoder.into_inner().into_source(),
            Decoder::Gzip(decoder) => decoder.into_inner(),
            Decoder::Xz(decoder) => decoder.into_inner(),
        };
        let end = source.consumed();
        match source.peek(1) {
            Ok([]) => Ok(()),
            Ok(_) => Err(Code::TrailingBytes.at(end)),
            Err(_) => Err(Code::Unreadable.at(end)),
        }
    }

    /// How many bytes of the artifact were taken.
    fn consumed(&self) -> u64 {
        match &self.decoder {
            Decoder::Zstd(_, taken) => taken.get(),
            Decoder::Gzip(decoder) => decoder.get_ref().consumed(),
            Decoder::Xz(decoder) => decoder.inner().consumed(),
        }
    }
}
