//! A world for the release binary: what an installed machine looks like to the login shell, in
//! namespaces of its own, so that nothing of this machine is changed and nothing is left behind.
//!
//! Every test makes its own [`World`]; they run side by side. Inside, the loopback interface,
//! process numbers, `/etc`, `/usr/bin`, `/run`, `/tmp`, `/home` are the world's own.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::time::{Duration, Instant};

pub(crate) mod artifacts;
pub(crate) mod built;
pub(crate) mod configuration;
pub(crate) mod cutting;
pub(crate) mod judge;
pub(crate) mod keys;
pub(crate) mod namespaces;
pub(crate) mod process;
pub(crate) mod shell;
pub(crate) mod sshd;
pub(crate) mod traces;
pub(crate) mod verifiers;
pub(crate) mod world;

pub(crate) use configuration::Configuration;
pub(crate) use judge::Judge;
pub(crate) use keys::SigningKey;
pub(crate) use process::{Outcome, Running};
pub(crate) use shell::Shell;
pub(crate) use sshd::Sshd;
pub(crate) use world::World;

/// Whatever a test waits for must happen within this time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
