//! What the tests of several packages share: the promises that every signer keeps, keys and
//! vectors to check them with, and programs that verify signatures and were not written here.
//!
//! A back end's tests hand each of its keys to [`conformance::check`]. What signs inside the whole
//! assembly, from the stream to the packet, goes through [`assembly::sign`], [`packet::read`] and
//! [`verifier::Verifier`]. Software devices, made by others, are started here too: [`tpm`]; and the
//! simulator of a [`nethsm`], which is ours.
//!
//! Deliberately absent: a signer of its own, and anything that a shipped package may depend on.
//! Whatever is not as it should be is a panic: this is for tests only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

pub mod assembly;
pub mod conformance;
mod der;
pub mod encoding;
pub mod hostile;
pub mod key;
pub mod nethsm;
pub mod openssl;
pub mod packet;
pub mod tls;
pub mod token;
pub mod tpm;
pub mod verifier;
pub mod worker;
