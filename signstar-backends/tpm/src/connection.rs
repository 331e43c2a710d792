//! The device: opened by the system's library, which reads and writes one descriptor from then on.

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use signstar_core::{Reach, ReachRule, SignerError};
use tss_esapi::tcti_ldr::DeviceConfig;
use tss_esapi::{Context, TctiNameConf};

use crate::error::failure;
use crate::settings::device_text;

/// `FUTEX_WAKE | FUTEX_PRIVATE_FLAG`.
const WAKE_PRIVATE: u32 = 0x81;

/// The library asks the TPM for a random number when it opens a device, to see how it answers, and
/// waits a second for that. A TPM that signs for others takes longer; so it is asked again.
const LIBRARY_PATIENCE: Duration = Duration::from_millis(900);

/// How often a device is opened at most.
const ATTEMPTS_MAX: u32 = 20;

/// An open device. It is never closed: close(2) is not among the calls of a signer.
pub(crate) struct Connection {
    pub(crate) context: ManuallyDrop<Context>,
    pub(crate) descriptor: u32,
}

/// Opens `path`.
pub(crate) fn open(path: &Path) -> Result<Connection, SignerError> {
    device(path)?;
    let before = descriptors(path)?;
    let context = ManuallyDrop::new(context(path)?);
    let after = descriptors(path)?;
    let mut new = after.difference(&before);
    match (new.next(), new.next()) {
        (Some(&descriptor), None) => Ok(Connection {
            context,
            descriptor,
        }),
        _ => Err(SignerError::Unavailable(
            "the TPM library has not opened the device as one descriptor".to_owned(),
        )),
    }
}

/// The library, with a way to `path` and to nothing else.
pub(crate) fn context(path: &Path) -> Result<Context, SignerError> {
    let text = device(path)?;
    let opening = |error| failure("opening the device", error);
    let config = DeviceConfig::from_str(text).map_err(opening)?;
    let mut attempts = 1;
    loop {
        let start = Instant::now();
        match Context::new(TctiNameConf::Device(config.clone())) {
            Ok(context) => return Ok(context),
            // The TPM is at work for somebody else.
            Err(_) if start.elapsed() >= LIBRARY_PATIENCE && attempts < ATTEMPTS_MAX => {
                attempts += 1;
            }
            Err(error) => return Err(opening(error)),
        }
    }
}

/// A path that may be one.
fn device(path: &Path) -> Result<&str, SignerError> {
    device_text(path).map_err(|error| SignerError::Failed(format!("the device's path {error}")))
}

/// The descriptors of this process that are `path`.
fn descriptors(path: &Path) -> Result<BTreeSet<u32>, SignerError> {
    let unseen = |_| SignerError::Unavailable("cannot see the own descriptors in /proc".to_owned());
    let wanted: PathBuf = path.canonicalize().map_err(|_| {
        SignerError::Unavailable(format!("{}: there is no such device", path.display()))
    })?;
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/proc/self/fd").map_err(unseen)? {
        let entry = entry.map_err(unseen)?;
        let is_device = std::fs::read_link(entry.path()).is_ok_and(|target| target == wanted);
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok());
        found.extend(number.filter(|_| is_device));
    }
    Ok(found)
}

/// What an open device needs after lock-down. Waiting for an answer is `poll`, which every
/// signature may. The library takes the random numbers of a session from OpenSSL.
pub(crate) fn reach(descriptor: u32) -> Reach {
    let rule = |syscall, equals, reason| ReachRule {
        syscall,
        equals,
        reason,
    };
    let mut rules = vec![
        rule("write", vec![(0, descriptor)], "commands to the TPM"),
        rule("read", vec![(0, descriptor)], "answers of the TPM"),
        rule(
            "getpid",
            vec![],
            "OpenSSL: is this still the process that was seeded?",
        ),
        rule(
            "getrandom",
            vec![(2, 0)],
            "OpenSSL: what a session's salt is made of",
        ),
        rule(
            "futex",
            vec![(1, WAKE_PRIVATE)],
            "OpenSSL, when it clears up at exit: nobody waits",
        ),
    ];
    // Elsewhere the C library has another call for it, which every signature may.
    if cfg!(target_arch = "x86_64") {
        let reason = "OpenSSL: the age of the seed, where the host has no clock in user space";
        rules.push(rule("time", vec![], reason));
    }
    Reach {
        rules,
        tcp_ports: Vec::new(),
    }
}
