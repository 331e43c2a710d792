//! The release binary with a key on a card: a real sshd, a real pcscd, a virtual card.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "this is a test"
)]

#[path = "../support/lib.rs"]
#[allow(unused_imports, reason = "each test program uses a part of it")]
mod support;

#[path = "../faults/scene.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod scene;
#[path = "../faults/traced.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod traced;

mod counter;
mod faults;
mod load;
mod machine;
mod signing;
mod trace;
