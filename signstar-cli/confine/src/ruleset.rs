//! Landlock: no path can be opened, no TCP port reached but those given.
//!
//! The second wall: the filter kills the calls that would need these rights anyway, except for what
//! only Landlock can see. seccomp compares numbers, never what a pointer points to, so the port of
//! a `connect` that a back end needs is held here. That is also why the lowest accepted ABI is 4
//! (Linux 6.7), where TCP ports came: below it that wall does not exist. Of what came later,
//! `ioctl` on devices (5), the scopes of signals and abstract sockets (6) and connecting to named
//! sockets (9) repeat what the filter says, so they are taken from every kernel that has them and
//! not asked of those that do not: 6.8 is still in use.
//!
//! Deliberately absent: path rules, binding, and best effort. The rights of one ABI are enforced in
//! full or the next lower one is tried, down to 4; what is in force is returned.

use std::fs::File;
use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::{ConfineError, status};

/// ABIs that added rights, newest first. 7 and 8 added flags, none that are needed here.
const NEWER: [ABI; 3] = [ABI::V9, ABI::V6, ABI::V5];
const LOWEST: ABI = ABI::V4;

/// What Landlock enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// All rights of this Landlock ABI are taken away: 4, 5, 6 or 9. For the record.
    pub abi: u8,
}

/// Takes away every right over files, and over TCP but connecting to `ports`.
///
/// Open descriptors keep what they can do.
///
/// # Errors
/// [`ConfineError::Landlock`] when the kernel has no Landlock ABI 4, [`ConfineError::Threads`] when
/// another thread would stay free, [`ConfineError::NotInForce`] when a file can still be opened.
pub fn restrict_files_and_network(ports: &[u16]) -> Result<Restriction, ConfineError> {
    let step = "restrict files and network";
    status::require_one_thread()?;
    let (abi, mut ruleset) = newest()?;
    for &port in ports {
        ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    let outcome = ruleset.restrict_self()?;
    if outcome.ruleset != RulesetStatus::FullyEnforced || !outcome.no_new_privs {
        return Err(ConfineError::NotInForce { step });
    }
    match File::open("/") {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Restriction { abi }),
        _ => Err(ConfineError::NotInForce { step }),
    }
}

/// The newest ruleset that the kernel enforces in full.
pub(crate) fn newest() -> Result<(u8, RulesetCreated), RulesetError> {
    for abi in NEWER {
        if let Ok(ruleset) = ruleset(abi) {
            return Ok((number(abi), ruleset));
        }
    }
    Ok((number(LOWEST), ruleset(LOWEST)?))
}

fn ruleset(abi: ABI) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?;
    let scopes = Scope::from_all(abi);
    if !scopes.is_empty() {
        ruleset = ruleset.scope(scopes)?;
    }
    ruleset.create()
}

const fn number(abi: ABI) -> u8 {
    match abi {
        ABI::V9 => 9,
        ABI::V6 => 6,
        ABI::V5 => 5,
        _ => 4,
    }
}
