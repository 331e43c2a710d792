//! The compiled filters of both architectures, interpreted: they say what the rules say.
//!
//! The aarch64 filter cannot be run on the machines these tests run on. Interpreting the program
//! that the kernel would interpret, over every system call number and every argument that a
//! condition could confuse, is the next best thing, and it is done for x86_64 as well.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

mod calls;
mod machine;
mod rules;
mod tables;
mod worker;
