//! Taking a body apart, front to back.

use super::MessageError;

/// What is left of a body.
pub struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    pub(super) const fn new(body: &'b [u8]) -> Self {
        Self(body)
    }

    /// One octet.
    ///
    /// # Errors
    /// [`MessageError::Body`] if there is less.
    pub fn byte(&mut self) -> Result<u8, MessageError> {
        let (&first, rest) = self.0.split_first().ok_or(MessageError::Body)?;
        self.0 = rest;
        Ok(first)
    }

    /// A number of 16 bits.
    ///
    /// # Errors
    /// [`MessageError::Body`] if there is less.
    pub fn number(&mut self) -> Result<u16, MessageError> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    /// A number of 16 bits and so many octets.
    ///
    /// # Errors
    /// [`MessageError::Body`] if there is less.
    pub fn counted(&mut self) -> Result<&'b [u8], MessageError> {
        let length = usize::from(self.number()?);
        let (taken, rest) = self.0.split_at_checked(length).ok_or(MessageError::Body)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'b [u8] {
        std::mem::take(&mut self.0)
    }

    /// `message`, if nothing is left.
    ///
    /// # Errors
    /// [`MessageError::Body`].
    pub fn end<T>(&self, message: T) -> Result<T, MessageError> {
        match self.0 {
            [] => Ok(message),
            _ => Err(MessageError::Body),
        }
    }
}
