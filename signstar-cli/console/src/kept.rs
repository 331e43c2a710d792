//! The OpenPGP certificate that a NetHSM keeps with a key.
//!
//! A device has one place for a certificate with each key, up to 1 MiB of whatever it is given: its type is
//! `application/octet-stream`, and the device does not look inside. A second one is refused (409) until the
//! first is removed. So what is there is looked at before, and one that is not of this key's owner stays
//! unless somebody says so.
//!
//! Between removing and writing nothing is there; where writing fails then, what was there comes back.

use signstar_certificate::{DescribeError, binary, holds};
use signstar_core::{Certificate, PublicKey};
use signstar_nethsm::client::{Client, ClientError};
use signstar_nethsm::sdk::apis::default_api::{
    keys_key_id_cert_delete, keys_key_id_cert_get, keys_key_id_cert_put,
};

/// What a device takes, in bytes.
pub const BYTES_MAX: usize = 1 << 20;

/// The place for a certificate with one key of one device.
pub trait Slot {
    /// Why the device has not done it.
    type Error;

    /// What is there.
    ///
    /// # Errors
    /// It cannot be asked for.
    fn get(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Writes into the empty place.
    ///
    /// # Errors
    /// The device does not take it.
    fn put(&mut self, certificate: &[u8]) -> Result<(), Self::Error>;

    /// Empties the place.
    ///
    /// # Errors
    /// The device does not do it.
    fn clear(&mut self) -> Result<(), Self::Error>;
}

/// The place with a key of a device that can be asked.
#[derive(Debug)]
pub struct KeySlot<'a> {
    /// For an Administrator, or to read for an Operator.
    pub client: &'a mut Client,
    /// The key's name on the device.
    pub id: &'a str,
}

impl Slot for KeySlot<'_> {
    type Error = ClientError;

    fn get(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let id = self.id;
        match self.client.call(|at| keys_key_id_cert_get(at, id)) {
            Ok(answer) => Ok(Some(answer.value)),
            Err(ClientError::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put(&mut self, certificate: &[u8]) -> Result<(), ClientError> {
        let (id, bytes) = (self.id, certificate.to_vec());
        self.client
            .call(|at| keys_key_id_cert_put(at, id, bytes))
            .map(drop)
    }

    fn clear(&mut self) -> Result<(), ClientError> {
        let id = self.id;
        match self.client.call(|at| keys_key_id_cert_delete(at, id)) {
            // Somebody was quicker.
            Ok(_) | Err(ClientError::Absent(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What to do with another's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// Leave it, and fail.
    Keep,
    /// Put the new one in its place.
    Replace,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Nothing was there.
    Added,
    /// It was there already.
    Unchanged,
    /// An earlier state of the same certificate was there.
    Renewed,
    /// Another's was there.
    Replaced,
}

impl Stored {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Unchanged => "unchanged",
            Self::Renewed => "renewed",
            Self::Replaced => "replaced",
        }
    }
}

/// Why a certificate was not stored or loaded.
#[derive(Debug, PartialEq, Eq)]
pub enum KeptError<E> {
    /// The device has refused.
    Device(E),
    /// The device has refused the new one, and then the old one, which is lost there: it is here.
    Lost(E, Vec<u8>),
    /// There is none.
    Absent,
    /// There is something else, as the text says. It stays.
    Other(String),
    /// What is to be stored is no certificate.
    Unreadable(DescribeError),
    /// It is not for the key on the device.
    WrongKey,
    /// It has more bytes than a device takes.
    TooLong,
}

impl<E: std::fmt::Display> std::fmt::Display for KeptError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device(error) => error.fmt(f),
            Self::Lost(error, _) => write!(
                f,
                "{error}; the certificate that was there is gone from the device: store one again"
            ),
            Self::Absent => f.write_str("the device keeps no certificate with the key"),
            Self::Other(what) => write!(f, "the device keeps {what} with the key"),
            Self::Unreadable(error) => error.fmt(f),
            Self::WrongKey => f.write_str("the certificate is not for the key on the device"),
            Self::TooLong => f.write_str("the certificate is longer than 1 MiB"),
        }
    }
}

/// Stores `certificate`, binary or armored, which must be for `key`.
///
/// # Errors
/// See [`KeptError`]; but for [`KeptError::Lost`] the device keeps what it had.
pub fn store<S: Slot>(
    slot: &mut S,
    certificate: &[u8],
    key: &PublicKey,
    other: Other,
) -> Result<Stored, KeptError<S::Error>> {
    let new = binary(certificate).map_err(KeptError::Unreadable)?;
    if new.len() > BYTES_MAX {
        return Err(KeptError::TooLong);
    }
    if !holds(&new, key).map_err(KeptError::Unreadable)? {
        return Err(KeptError::WrongKey);
    }
    let Some(old) = slot.get().map_err(KeptError::Device)? else {
        slot.put(&new).map_err(KeptError::Device)?;
        return Ok(Stored::Added);
    };
    let stored = match (old == new, is_same(&old, &new), other) {
        (true, ..) => return Ok(Stored::Unchanged),
        (false, true, _) => Stored::Renewed,
        (false, false, Other::Replace) => Stored::Replaced,
        (false, false, Other::Keep) => return Err(KeptError::Other(describe(&old))),
    };
    slot.clear().map_err(KeptError::Device)?;
    match (slot.put(&new), stored) {
        (Ok(()), stored) => Ok(stored),
        (Err(error), _) => match slot.put(&old) {
            Ok(()) => Err(KeptError::Device(error)),
            Err(_) => Err(KeptError::Lost(error, old)),
        },
    }
}

/// Fails where [`store`] would for what is there: for the certificate `new`, or for one that nobody has seen.
///
/// # Errors
/// [`KeptError::Other`] or [`KeptError::Device`].
pub fn check<S: Slot>(
    slot: &mut S,
    new: Option<&[u8]>,
    other: Other,
) -> Result<(), KeptError<S::Error>> {
    match (slot.get().map_err(KeptError::Device)?, other) {
        (Some(old), _) if new.is_some_and(|new| is_same(&old, new)) => Ok(()),
        (Some(old), Other::Keep) => Err(KeptError::Other(describe(&old))),
        (Some(_), Other::Replace) | (None, _) => Ok(()),
    }
}

/// The certificate that is kept with `key`.
///
/// # Errors
/// [`KeptError::Absent`], [`KeptError::Other`], [`KeptError::WrongKey`] or [`KeptError::Device`].
pub fn load<S: Slot>(slot: &mut S, key: &PublicKey) -> Result<Vec<u8>, KeptError<S::Error>> {
    let found = slot.get().map_err(KeptError::Device)?;
    let found = found.ok_or(KeptError::Absent)?;
    match holds(&found, key) {
        Ok(true) => Ok(found),
        Ok(false) => Err(KeptError::WrongKey),
        Err(_) => Err(KeptError::Other(describe(&found))),
    }
}

fn is_same(old: &[u8], new: &[u8]) -> bool {
    let fingerprint = |bytes| Certificate::parse(bytes).map(|known| known.fingerprint());
    matches!((fingerprint(old), fingerprint(new)), (Ok(old), Ok(new)) if old == new)
}

fn describe(bytes: &[u8]) -> String {
    match Certificate::parse(bytes) {
        Ok(known) => format!("the certificate {}", known.fingerprint()),
        Err(_) => format!("{} bytes that are no OpenPGP certificate", bytes.len()),
    }
}
