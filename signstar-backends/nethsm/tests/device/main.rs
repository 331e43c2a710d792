//! The back end with a NetHSM: the simulator, or a device that `NETHSM_TEST_URL` names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "this is a test"
)]

mod conformance;
