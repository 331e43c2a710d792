//! The artifact's bytes as they come: buffered, counted, and never more than looked at.

use std::io::{BufRead, Read, Result};

const BUFFER_BYTES: usize = 64 * 1024;

/// A reader that counts what was taken from it.
pub(crate) struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    taken: usize,
    consumed: u64,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            taken: 0,
            consumed: 0,
        }
    }

    /// How many bytes were taken.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The next `length` bytes without taking them; fewer only at the end. At most one buffer.
    pub(crate) fn peek(&mut self, length: usize) -> Result<&[u8]> {
        while self.waiting().len() < length && self.fill()? > 0 {}
        let waiting = self.waiting();
        Ok(waiting.get(..length).unwrap_or(waiting))
    }

    fn waiting(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or(&[])
    }

    /// Fills the buffer behind what is waiting, however little comes at a time: what a decoder notices
    /// first depends on how much it is given, and a refusal must not. Tells how much came.
    fn fill(&mut self) -> Result<usize> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let before = self.buffer.len();
        self.buffer.resize(BUFFER_BYTES.max(before), 0);
        let mut filled = before;
        let outcome = loop {
            let room = self.buffer.get_mut(filled..).unwrap_or(&mut []);
            if room.is_empty() {
                break Ok(());
            }
            match self.inner.read(room) {
                Ok(0) => break Ok(()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.buffer.truncate(filled);
        outcome.map(|()| filled - before)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.waiting().is_empty() {
            self.fill()?;
        }
        Ok(self.waiting())
    }

    fn consume(&mut self, amount: usize) {
        let amount = amount.min(self.waiting().len());
        self.taken += amount;
        self.consumed = self
            .consumed
            .saturating_add(u64::try_from(amount).unwrap_or(u64::MAX));
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let waiting = self.fill_buf()?;
        let length = waiting.len().min(into.len());
        if let (Some(from), Some(into)) = (waiting.get(..length), into.get_mut(..length)) {
            into.copy_from_slice(from);
        }
        self.consume(length);
        Ok(length)
    }
}
