//! The way to a card: what `reader.rs` does with pcscd, and tests without it.

use std::time::Duration;

use crate::fault::Fault;

/// A connection to a reader with a card in it.
pub(crate) trait Link: Send + Sync {
    /// Keeps everybody else from the card for as long as the result lives, waiting up to `wait` for
    /// those who are there already. The card may have been reset or replaced before.
    ///
    /// # Errors
    /// [`Fault::Occupied`] after the wait, or what is wrong with the way.
    fn lock(&mut self, wait: Duration) -> Result<Box<dyn Exchange + Send + Sync + '_>, Fault>;

    /// The descriptors on which it talks.
    fn descriptors(&self) -> Vec<u32>;
}

/// A card that nobody else uses.
pub(crate) trait Exchange {
    /// Sends a command APDU once and returns the response APDU.
    ///
    /// # Errors
    /// What is wrong with the way. The card may have executed the command.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault>;
}
