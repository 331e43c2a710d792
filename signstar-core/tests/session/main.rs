//! Sessions from the stream to the signature, with good devices and bad ones, sinks that fail, and
//! certificates of every kind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "this is a test"
)]

mod answers;
mod attempts;
mod bounds;
mod certificate_files;
mod certificates;
mod composite;
mod example;
mod input;
mod keys;
mod packet;
mod profile;
mod short_numbers;
mod sinks;
mod stage;
mod states;
mod times;
