//! The files of `packaging/`, each read by the program that it is for: nobody here judges them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

mod accounts;
mod debian;
mod documented;
mod examples;
mod fences;
mod logrotate;
mod pacman;
mod place;
mod polkit;
mod staged;
mod swap;
mod udev;
mod units;
