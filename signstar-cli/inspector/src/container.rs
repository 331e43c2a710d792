//! The compression around an archive: exactly one frame or member of zstd, gzip or xz, with bounds.
//!
//! Deliberately absent: plain archives, other formats, dictionaries, skippable frames, concatenated
//! frames and anything after the end, because programs differ in what they make of those.

use std::io::{BufRead, Read};

use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::source::Source;
use crate::{Code, Finding};

/// `zstd --ultra -22` asks for this window; nothing that makes packages asks for more.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

/// What may come out of nearly nothing. A package of a few large files of zeros is no attack.
const UNPACKED_BYTES_FREE: u64 = 4 << 30;

/// So many times its packed size an artifact may unpack to beyond that.
const RATIO_MAX: u64 = 1000;

/// The unpacked bytes of an artifact.
pub(crate) struct Container<R: Read> {
    decoder: Decoder<Source<R>>,
    position: u64,
}

enum Decoder<S: BufRead> {
    Zstd(Box<StreamingDecoder<S, FrameDecoder>>),
    Gzip(Box<GzDecoder<S>>),
    Xz(Box<XzReader<S>>),
}

impl<R: Read> Container<R> {
    /// Looks at the first bytes of `input` and gets ready for what they announce.
    pub(crate) fn open(input: R) -> Result<Self, Finding> {
        let mut source = Source::new(input);
        let start = source.peek(10).map_err(|_| Code::Unreadable.at(0))?;
        let decoder = match *start {
            [0x28, 0xb5, 0x2f, 0xfd, descriptor, ..] => {
                // Bits 0 and 1: a dictionary. Bit 3: reserved (RFC 8878, section 3.1.1.1.1).
                if descriptor & 0b1011 != 0 {
                    return Err(Code::ContainerUnusual.at(4));
                }
                Decoder::Zstd(Box::new(zstd(source)?))
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
            Decoder::Zstd(decoder) => decoder.read(into),
            Decoder::Gzip(decoder) => decoder.read(into),
            Decoder::Xz(decoder) => decoder.read(into),
        };
        let packed = self.source().consumed();
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
        let unpacked = self.position;
        let mut source = match self.decoder {
            Decoder::Zstd(decoder) => {
                let (source, frame) = decoder.into_parts();
                let wrong = frame.get_checksum_from_data().is_some()
                    && frame.get_checksum_from_data() != frame.get_calculated_checksum();
                let size = frame.content_size();
                if wrong || (size != 0 && size != unpacked) {
                    return Err(Code::ContainerDamaged.at(source.consumed()));
                }
                source
            }
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

    fn source(&self) -> &Source<R> {
        match &self.decoder {
            Decoder::Zstd(decoder) => decoder.get_ref(),
            Decoder::Gzip(decoder) => decoder.get_ref(),
            Decoder::Xz(decoder) => decoder.inner(),
        }
    }
}

fn zstd<R: Read>(source: Source<R>) -> Result<StreamingDecoder<Source<R>, FrameDecoder>, Finding> {
    use ruzstd::decoding::errors::FrameDecoderError;
    StreamingDecoder::new_with_max_window_size(source, WINDOW_BYTES_MAX).map_err(
        |error| match error {
            FrameDecoderError::WindowSizeTooBig { .. } => Code::WindowTooLarge.at(5),
            _ => Code::ContainerDamaged.at(5),
        },
    )
}
