//! What asking devices takes after lock-down.

use std::os::fd::RawFd;

use signstar_core::{Reach, ReachRule};

/// `SOL_SOCKET` and `SO_ERROR`: the same on every architecture that is built.
const SOL_SOCKET: u32 = 1;
const SO_ERROR: u32 = 4;
/// `MSG_NOSIGNAL`, and no other flag: with `MSG_FASTOPEN` and an address, sendto(2) connects a socket, and
/// Landlock, which holds the ports of connect(2), does not see it (Linux 6.18).
const MSG_NOSIGNAL: u32 = 0x4000;

/// Sockets by what is still to be done with them.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    /// Connected when the key was read.
    pub(crate) used: Vec<RawFd>,
    /// Not used yet.
    pub(crate) unused: Vec<RawFd>,
}

pub(crate) fn of(descriptors: &Descriptors, mut tcp_ports: Vec<u16>) -> Option<Reach> {
    let mut rules = Vec::new();
    let mut rule = |syscall, equals, reason| {
        rules.push(ReachRule {
            syscall,
            equals,
            reason,
        });
    };
    for descriptor in &descriptors.unused {
        let socket = (0, u32::try_from(*descriptor).ok()?);
        rule(
            "connect",
            vec![socket],
            "to a NetHSM, by a socket that exists",
        );
        rule(
            "getsockopt",
            vec![socket, (1, SOL_SOCKET), (2, SO_ERROR)],
            "whether the connection to a NetHSM is made",
        );
    }
    for descriptor in descriptors.used.iter().chain(&descriptors.unused) {
        let socket = (0, u32::try_from(*descriptor).ok()?);
        let nobody = [(4, 0), (5, 0)];
        let sent = [&[socket, (3, MSG_NOSIGNAL)], &nobody[..]].concat();
        rule("sendto", sent, "requests to a NetHSM");
        let received = [&[socket, (3, 0)], &nobody[..]].concat();
        rule("recvfrom", received, "answers of a NetHSM");
    }
    if !descriptors.unused.is_empty() {
        let reason = "ring: what the keys of a TLS connection are made of";
        rule("getrandom", vec![(2, 0)], reason);
    }
    tcp_ports.sort_unstable();
    tcp_ports.dedup();
    Some(Reach { rules, tcp_ports })
}
