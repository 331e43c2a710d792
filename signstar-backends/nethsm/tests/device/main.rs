//! The back end with a NetHSM: the simulator, or (the promises of a signer) a device that
//! `NETHSM_TEST_URL` names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "this is a test"
)]

mod answers;
mod client;
mod conformance;
mod several;
mod support;
mod trust;
mod wire;
