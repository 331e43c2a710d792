//! Keys in a TPM 2.0, `[key.NAME.tpm]`.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use signstar_core::{Failure, Opened, Refusal, SigningKey};
use signstar_tpm::{Handle, KeyPlace, Name, Parent, Registers, Settings};
use zeroize::Zeroizing;

use super::{BackEnd, Device};
use crate::config::Table;
use crate::trusted_file::{self, Kind};

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "tpm",
    environment: &signstar_tpm::ENVIRONMENT,
    read,
};

/// Where the kernel's resource manager is.
const DEVICE: &str = "/dev/tpmrm0";
/// An auth value has at most 32 bytes, and may have a line end after it.
const AUTH_BYTES_MAX: u64 = 64;
/// A key in files is some hundred bytes (TPM 2.0 Library, part 2, `TPM2B_PUBLIC`, `TPM2B_PRIVATE`).
const KEY_BYTES_MAX: u64 = 4096;

/// What `[key.NAME.tpm]` says.
pub struct Tpm {
    /// The device.
    pub device: PathBuf,
    /// The storage key.
    pub parent: Parent,
    /// Where the key is.
    pub place: Place,
    /// The registers of its policy, if it has one.
    pub registers: Option<Registers>,
    /// The file with its auth value, if it has one.
    pub auth: Option<PathBuf>,
}

/// Where a key is.
pub enum Place {
    /// In the TPM.
    Persistent(Handle),
    /// In files that only this TPM can load.
    Files {
        /// The public half.
        public: PathBuf,
        /// The other one, encrypted.
        private: PathBuf,
    },
}

fn read(mut table: Table<'_, '_>) -> Option<Box<dyn Device>> {
    let device = table.optional_path("device");
    let parent = table.text("parent");
    let parent = parsed::<Handle>(&table, "parent", parent);
    let name = table.text("parent-name");
    let name = parsed::<Name>(&table, "parent-name", name);
    let handle = table.optional_text("handle");
    let [public, private] = ["public", "private"].map(|key| table.optional_path(key));
    let place = match (handle, public, private) {
        (Some(handle), None, None) => parsed(&table, "handle", Some(handle)).map(Place::Persistent),
        (None, Some(public), Some(private)) => Some(Place::Files { public, private }),
        _ => {
            table.problem("needs either `handle`, or `public` and `private`");
            None
        }
    };
    let pcrs = table.optional_text("pcrs");
    let registers = parsed::<Registers>(&table, "pcrs", pcrs);
    let auth = table.optional_path("auth");
    table.finish();
    Some(Box::new(Tpm {
        device: device.unwrap_or_else(|| DEVICE.into()),
        parent: Parent {
            handle: parent?,
            name: name?,
        },
        place: place?,
        registers,
        auth,
    }))
}

fn parsed<T: FromStr>(table: &Table<'_, '_>, key: &str, text: Option<String>) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    match text?.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            table.problem_with(key, error);
            None
        }
    }
}

impl Tpm {
    /// Opens the TPM and finds the key, whatever key it is.
    ///
    /// # Errors
    /// A file cannot be read, or the TPM does not have the key.
    pub fn open_any(&self) -> Result<Opened, Failure> {
        let bytes = |path: &Path, kind, bytes_max| {
            trusted_file::read(path, kind, bytes_max)
                .map_err(|error| Failure::new(Refusal::Credential, error))
        };
        let auth = match &self.auth {
            // A line end at the end is the editor's, not the auth value's.
            Some(path) => Some(without_line_end(bytes(path, Kind::Secret, AUTH_BYTES_MAX)?)),
            None => None,
        };
        let key = match &self.place {
            Place::Persistent(handle) => KeyPlace::Persistent(*handle),
            Place::Files { public, private } => KeyPlace::Files {
                public: bytes(public, Kind::Public, KEY_BYTES_MAX)?.to_vec(),
                private: bytes(private, Kind::Secret, KEY_BYTES_MAX)?.to_vec(),
            },
        };
        let settings = Settings {
            device: self.device.clone(),
            parent: self.parent.clone(),
            key,
            registers: self.registers.clone(),
        };
        Ok(signstar_tpm::open(&settings, auth)?)
    }
}

impl Device for Tpm {
    fn open(&self, _: &SigningKey, _: Duration) -> Result<Opened, Failure> {
        self.open_any()
    }

    fn secrets(&self) -> Vec<&Path> {
        let private = match &self.place {
            Place::Persistent(_) => None,
            Place::Files { private, .. } => Some(private),
        };
        let files = [self.auth.as_ref(), private];
        files.into_iter().flatten().map(PathBuf::as_path).collect()
    }
}

fn without_line_end(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes
}
