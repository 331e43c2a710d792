//! Hash algorithms and finished digests.
//!
//! Absent: everything below 256 bits, and SHA-3, which no verifier of distribution packages reads.

use std::fmt;

/// A hash algorithm that signatures may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256 (FIPS 180-4), OpenPGP id 8.
    Sha256,
    /// SHA-384 (FIPS 180-4), OpenPGP id 9.
    Sha384,
    /// SHA-512 (FIPS 180-4), OpenPGP id 10.
    Sha512,
}

impl HashAlgorithm {
    /// All of them, weakest first.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Length of a digest in bytes.
    pub const fn digest_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Its name in configuration, records and declarations: `sha256`, `sha384`, `sha512`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Its OpenPGP id (RFC 9580, section 9.5).
    pub const fn openpgp_id(self) -> u8 {
        match self {
            Self::Sha256 => 8,
            Self::Sha384 => 9,
            Self::Sha512 => 10,
        }
    }

    /// Length in bytes of the salt of a version 6 signature (RFC 9580, section 9.5, table 23).
    pub const fn v6_salt_bytes(self) -> usize {
        match self {
            Self::Sha256 => 16,
            Self::Sha384 => 24,
            Self::Sha512 => 32,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is none of `sha256`, `sha384`, `sha512`. Whoever wrote it must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown hash algorithm (known: sha256, sha384, sha512)")]
pub struct UnknownHash;

impl std::str::FromStr for HashAlgorithm {
    type Err = UnknownHash;

    fn from_str(name: &str) -> Result<Self, UnknownHash> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or(UnknownHash)
    }
}

/// A finished digest, of exactly the length of its algorithm.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    algorithm: HashAlgorithm,
    bytes: Vec<u8>,
}

impl Digest {
    /// What the hash itself has made, so that the length is right.
    pub(crate) fn of_hash(algorithm: HashAlgorithm, bytes: Vec<u8>) -> Self {
        Self { algorithm, bytes }
    }

    /// Takes `bytes` as a digest by `algorithm`; `None` if the length does not fit.
    pub fn new(algorithm: HashAlgorithm, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == algorithm.digest_bytes()).then(|| Self {
            algorithm,
            bytes: bytes.to_vec(),
        })
    }

    /// Reads a digest by `algorithm` from lower-case hexadecimal digits, the only spelling; `None` for
    /// everything else.
    pub fn from_hex(algorithm: HashAlgorithm, text: &str) -> Option<Self> {
        let lower_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !text.as_bytes().iter().all(lower_hex) {
            return None;
        }
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair.len() {
                2 => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
                _ => None,
            })
            .collect();
        Self::new(algorithm, &bytes?)
    }

    /// The algorithm that made it.
    pub fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// Its bytes, most significant first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// `sha512:` and lower-case hexadecimal digits, as it stands in audit records.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.algorithm)?;
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_digest_of_another_length() {
        for algorithm in HashAlgorithm::ALL {
            let bytes = algorithm.digest_bytes();
            assert!(Digest::new(algorithm, &vec![0; bytes]).is_some());
            assert!(Digest::new(algorithm, &vec![0; bytes - 1]).is_none());
            assert!(Digest::new(algorithm, &vec![0; bytes + 1]).is_none());
        }
    }

    #[test]
    fn knows_no_hash_below_256_bits() {
        for name in ["md5", "sha1", "sha224", "SHA512", "sha3-512", ""] {
            assert_eq!(name.parse::<HashAlgorithm>(), Err(UnknownHash), "{name}");
        }
    }
}
