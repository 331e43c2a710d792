//! Addresses as units and firewalls write them: one, or a prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Some addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix {
    first: IpAddr,
    bits: u8,
}

impl Prefix {
    /// All addresses, of version 4 and of version 6.
    pub(super) const ANY: [Self; 2] = [
        Self::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        Self::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    ];

    pub(super) const fn new(first: IpAddr, bits: u8) -> Self {
        Self { first, bits }
    }

    /// One address.
    pub(super) fn only(address: IpAddr) -> Self {
        Self::new(address, width(address))
    }

    /// What `ADDRESS` or `ADDRESS/BITS` says.
    pub(super) fn read(text: &str) -> Option<Self> {
        let Some((address, bits)) = text.split_once('/') else {
            return text.parse().ok().map(Self::only);
        };
        let first: IpAddr = address.parse().ok()?;
        let bits = bits.parse().ok().filter(|bits| *bits <= width(first))?;
        Some(Self::new(first, bits))
    }

    pub(super) fn holds(&self, address: IpAddr) -> bool {
        let cut = |address: IpAddr| -> (bool, u128) {
            let (number, width) = match address {
                IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
                IpAddr::V6(address) => (address.to_bits(), 128),
            };
            let rest = u32::from(width - self.bits.min(width));
            (address.is_ipv4(), number.checked_shr(rest).unwrap_or(0))
        };
        self.first.is_ipv4() == address.is_ipv4() && cut(self.first) == cut(address)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits == width(self.first) {
            true => self.first.fmt(f),
            false => write!(f, "{}/{}", self.first, self.bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_what_begins_alike() {
        let holds = |prefix: &str, address: &str| {
            let prefix = Prefix::read(prefix).unwrap();
            prefix.holds(address.parse().unwrap())
        };
        assert!(holds("192.0.2.0/24", "192.0.2.255"));
        assert!(!holds("192.0.2.0/24", "192.0.3.0"));
        assert!(holds("192.0.2.7", "192.0.2.7"));
        assert!(!holds("192.0.2.7", "192.0.2.6"));
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("::/0", "2001:db8::1"));
        for text in [
            "",
            "192.0.2.0/33",
            "::/129",
            "192.0.2",
            "any",
            "192.0.2.0/-1",
        ] {
            assert_eq!(Prefix::read(text), None, "{text}");
        }
    }
}
