//! The module is kryoptic's; this makes it a library that can be loaded.

pub use kryoptic_lib::*;
