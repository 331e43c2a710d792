//! Where device and key are, as the configuration says it, parsed strictly.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A TPM and a key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The device: that of the kernel's resource manager, `/dev/tpmrm0`.
    pub device: PathBuf,
    /// The storage key above the key, which also protects the sessions.
    pub parent: Parent,
    /// Where the key is.
    pub key: KeyPlace,
    /// The registers whose values the key's policy names, if it has one.
    pub registers: Option<Registers>,
}

/// A storage key at a persistent handle, without an auth value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Where it is.
    pub handle: Handle,
    /// What it must be.
    pub name: Name,
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In the TPM.
    Persistent(Handle),
    /// Outside, encrypted by the parent: the contents of the files that `tpm2_create` or
    /// `provision` writes.
    Files {
        /// `TPM2B_PUBLIC`.
        public: Vec<u8>,
        /// `TPM2B_PRIVATE`.
        private: Vec<u8>,
    },
}

/// Why a text is no such setting. The operator must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// No persistent handle.
    #[error("must be a persistent handle from 0x81000000 to 0x81ffffff")]
    Handle,
    /// No Name.
    #[error("must be a Name with SHA-256: 000b and 64 hexadecimal digits")]
    Name,
    /// No list of registers.
    #[error("must be numbers from 0 to 23, ascending, separated by commas")]
    Registers,
    /// No way to a TPM.
    #[error("must be the absolute path of a device in /dev")]
    Device,
}

/// A persistent handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(u32);

impl Handle {
    /// The number.
    pub const fn value(self) -> u32 {
        self.0
    }
}

impl FromStr for Handle {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let digits = text.strip_prefix("0x").ok_or(InvalidSetting::Handle)?;
        if digits.len() != 8 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidSetting::Handle);
        }
        match u32::from_str_radix(digits, 16) {
            Ok(value @ 0x8100_0000..=0x81ff_ffff) => Ok(Self(value)),
            _ => Err(InvalidSetting::Handle),
        }
    }
}

impl std::fmt::Display for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// The Name of an object: the algorithm of a hash, and the hash of its public area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(Vec<u8>);

impl Name {
    /// TPM_ALG_SHA256.
    const SHA256: [u8; 2] = [0x00, 0x0b];

    /// From its bytes.
    ///
    /// # Errors
    /// [`InvalidSetting::Name`] if the hash is not SHA-256.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidSetting> {
        match bytes.len() == 34 && bytes.starts_with(&Self::SHA256) {
            true => Ok(Self(bytes.to_vec())),
            false => Err(InvalidSetting::Name),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let byte = |pair: &[u8]| match pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        Self::from_bytes(&bytes.ok_or(InvalidSetting::Name)?)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Platform configuration registers of the SHA-256 bank, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers(Vec<u32>);

impl Registers {
    /// Their numbers, ascending.
    pub fn numbers(&self) -> &[u32] {
        &self.0
    }
}

impl FromStr for Registers {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let number = |word: &str| match word.trim().parse() {
            Ok(number @ 0..=23_u32) => Ok(number),
            _ => Err(InvalidSetting::Registers),
        };
        let numbers: Vec<u32> = text.split(',').map(number).collect::<Result<_, _>>()?;
        match numbers.is_sorted_by(|one, next| one < next) {
            true => Ok(Self(numbers)),
            false => Err(InvalidSetting::Registers),
        }
    }
}

/// The path of a device, as the system's library gets it.
pub(crate) fn device_text(path: &Path) -> Result<&str, InvalidSetting> {
    let text = path.to_str().ok_or(InvalidSetting::Device)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    match text.starts_with("/dev/") && !text.contains("..") && text.bytes().all(is_plain) {
        true => Ok(text),
        false => Err(InvalidSetting::Device),
    }
}

#[cfg(test)]
mod tests;
