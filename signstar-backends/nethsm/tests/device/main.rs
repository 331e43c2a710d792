//! The back end with a NetHSM: the simulator, or a device that `NETHSM_TEST_URL` names. What hurts a device,
//! needs several or looks inside has the simulator always.

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
