//! The streaming hash: bounded, counting, and able to leave its state and come back to it.
//!
//! Absent: reading. Bytes are handed in by whoever owns the file descriptor.

use sha2::digest::Digest as _;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Sha256, Sha384, Sha512};

use crate::digest::{Digest, HashAlgorithm};

/// No stream is longer, in bytes: SHA-256 counts its bits in 64 bits, and a trailer must still fit.
const BYTES_MAX: u64 = 1 << 60;

/// What a [`Hasher`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HasherError {
    /// The stream is longer than its bound. The sender must send less, or the operator must
    /// allow more; sending the same again does not help.
    #[error("input exceeds {bytes_max} bytes")]
    TooLarge {
        /// The bound that was passed.
        bytes_max: u64,
    },
}

/// Why an exported state cannot be resumed. A retry does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashStateError {
    /// Not as long as a state of the algorithm.
    #[error("hash state has the wrong length")]
    Length,
    /// The position is not within a block, or bytes behind it are not zero.
    #[error("hash state has an invalid position or padding")]
    Malformed,
    /// The state has seen more bytes than the bound allows.
    #[error("hash state has counted more bytes than allowed")]
    TooLarge,
}

/// A resumable state in the layout of the `sha2` crate 0.11: chaining words little-endian, number
/// of full blocks little-endian, position (one byte), pending bytes padded with zeros.
/// 104 bytes for SHA-256 and 208 for SHA-384 and SHA-512.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashState {
    /// The algorithm that it belongs to.
    pub algorithm: HashAlgorithm,
    /// The state itself.
    pub bytes: Vec<u8>,
}

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

/// A running hash that counts what it is given and stops at a bound.
#[derive(Clone)]
pub struct Hasher {
    state: State,
    bytes: u64,
    bytes_max: u64,
}

impl Hasher {
    /// An empty hash that accepts up to `bytes_max` bytes, and never more than 2⁶⁰.
    pub fn new(algorithm: HashAlgorithm, bytes_max: u64) -> Self {
        let state = match algorithm {
            HashAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            HashAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            HashAlgorithm::Sha512 => State::Sha512(Sha512::new()),
        };
        Self {
            state,
            bytes: 0,
            bytes_max: bytes_max.min(BYTES_MAX),
        }
    }

    /// The algorithm it runs.
    pub fn algorithm(&self) -> HashAlgorithm {
        match self.state {
            State::Sha256(_) => HashAlgorithm::Sha256,
            State::Sha384(_) => HashAlgorithm::Sha384,
            State::Sha512(_) => HashAlgorithm::Sha512,
        }
    }

    /// How many bytes it has taken.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes `input`.
    ///
    /// # Errors
    /// [`HasherError::TooLarge`] if the stream would pass its bound; nothing of `input` is taken.
    pub fn update(&mut self, input: &[u8]) -> Result<(), HasherError> {
        let too_large = HasherError::TooLarge {
            bytes_max: self.bytes_max,
        };
        let length = u64::try_from(input.len()).map_err(|_| too_large)?;
        let bytes = self.bytes.checked_add(length).ok_or(too_large)?;
        if bytes > self.bytes_max {
            return Err(too_large);
        }
        self.bytes = bytes;
        self.feed(input);
        Ok(())
    }

    /// The digest of what was taken.
    pub fn finish(self) -> Digest {
        self.finish_with(&[])
    }

    /// The digest of what was taken followed by `trailer`, which the bound does not count.
    pub fn finish_with(mut self, trailer: &[u8]) -> Digest {
        self.feed(trailer);
        let algorithm = self.algorithm();
        let bytes = match self.state {
            State::Sha256(state) => state.finalize().to_vec(),
            State::Sha384(state) => state.finalize().to_vec(),
            State::Sha512(state) => state.finalize().to_vec(),
        };
        Digest::of_hash(algorithm, bytes)
    }

    /// The state as bytes, for [`Hasher::resume`] here or elsewhere.
    pub fn export(&self) -> HashState {
        let bytes = match &self.state {
            State::Sha256(state) => state.serialize().to_vec(),
            State::Sha384(state) => state.serialize().to_vec(),
            State::Sha512(state) => state.serialize().to_vec(),
        };
        HashState {
            algorithm: self.algorithm(),
            bytes,
        }
    }

    /// Goes on from `state`, whose bytes count towards `bytes_max`.
    ///
    /// # Errors
    /// A state of another length, with an impossible position, with bytes behind the position, or
    /// past the bound is refused.
    pub fn resume(state: &HashState, bytes_max: u64) -> Result<Self, HashStateError> {
        let (algorithm, bytes) = (state.algorithm, state.bytes.as_slice());
        let bytes_max = bytes_max.min(BYTES_MAX);
        let counted = Layout::of(algorithm).counted_bytes(bytes)?;
        if counted > bytes_max {
            return Err(HashStateError::TooLarge);
        }
        let state = match algorithm {
            HashAlgorithm::Sha256 => State::Sha256(deserialize(bytes)?),
            HashAlgorithm::Sha384 => State::Sha384(deserialize(bytes)?),
            HashAlgorithm::Sha512 => State::Sha512(deserialize(bytes)?),
        };
        Ok(Self {
            state,
            bytes: counted,
            bytes_max,
        })
    }

    fn feed(&mut self, input: &[u8]) {
        match &mut self.state {
            State::Sha256(state) => state.update(input),
            State::Sha384(state) => state.update(input),
            State::Sha512(state) => state.update(input),
        }
    }
}

fn deserialize<H: SerializableState>(bytes: &[u8]) -> Result<H, HashStateError> {
    let state = SerializedState::<H>::try_from(bytes).map_err(|_| HashStateError::Length)?;
    H::deserialize(&state).map_err(|_| HashStateError::Malformed)
}

/// Where things stand in an exported state; all lengths in bytes.
struct Layout {
    words: usize,
    block_count: usize,
    block: usize,
}

impl Layout {
    const fn of(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self {
                words: 32,
                block_count: 8,
                block: 64,
            },
            HashAlgorithm::Sha384 | HashAlgorithm::Sha512 => Self {
                words: 64,
                block_count: 16,
                block: 128,
            },
        }
    }

    /// How many bytes a state says that it has taken, after checking that it is well-formed.
    fn counted_bytes(&self, state: &[u8]) -> Result<u64, HashStateError> {
        let (_, rest) = state
            .split_at_checked(self.words)
            .ok_or(HashStateError::Length)?;
        let (blocks, rest) = rest
            .split_at_checked(self.block_count)
            .ok_or(HashStateError::Length)?;
        let (&position, pending) = rest.split_first().ok_or(HashStateError::Length)?;
        let position = usize::from(position);
        if pending.len() != self.block - 1 {
            return Err(HashStateError::Length);
        }
        let tail = pending.get(position..).ok_or(HashStateError::Malformed)?;
        if tail.iter().any(|&byte| byte != 0) {
            return Err(HashStateError::Malformed);
        }
        let blocks = blocks.iter().rev().try_fold(0_u64, |sum, &byte| {
            sum.checked_mul(256)?.checked_add(u64::from(byte))
        });
        let block = u64::try_from(self.block).ok();
        let position = u64::try_from(position).ok();
        blocks
            .zip(block)
            .and_then(|(blocks, block)| blocks.checked_mul(block))
            .zip(position)
            .and_then(|(bytes, position)| bytes.checked_add(position))
            .ok_or(HashStateError::TooLarge)
    }
}

#[cfg(test)]
mod tests;
