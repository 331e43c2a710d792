//! Where a device is.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use super::ClientError;

/// HTTPS.
const PORT: u16 = 443;
/// Names are no longer (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// A device's address: `192.0.2.1`, `[2001:db8::1]:8443`, `hsm.example.org`, or one of these as
/// `https://…/api/v1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

/// A text is no address of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be HOST or HOST:PORT, an IPv6 address in brackets; 443 where there is no port")]
pub struct InvalidAddress;

impl Address {
    /// Its IP address, if it was given as one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Its host: an IP address without brackets, or a name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where to connect to. Asks the system's resolver, unless it is an IP address.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if the name is not known.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, ClientError> {
        if let Some(ip) = self.ip() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        match (self.host.as_str(), self.port).to_socket_addrs() {
            Ok(found) => Ok(found.collect()),
            Err(_) => Err(ClientError::Unreachable("its name is not known")),
        }
    }
}

/// `HOST:PORT`, with brackets around an IPv6 address.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.strip_prefix("https://").unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        let text = text.strip_suffix("/api/v1").unwrap_or(text);
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(InvalidAddress)?;
                host.parse::<std::net::Ipv6Addr>()
                    .map_err(|_| InvalidAddress)?;
                match port {
                    "" => (host, None),
                    port => (host, Some(port.strip_prefix(':').ok_or(InvalidAddress)?)),
                }
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None => PORT,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| InvalidAddress)?
            }
            Some(_) => return Err(InvalidAddress),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
        let fits = (1..=HOST_BYTES_MAX).contains(&host.len()) && host.bytes().all(plain);
        match fits && port != 0 {
            true => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            false => Err(InvalidAddress),
        }
    }
}
