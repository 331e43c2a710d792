//! OpenPGP certificates for keys that live in a Signstar back end, and secret key files for the
//! back end that has its key in a file.
//!
//! A device holds numbers. What makes them an OpenPGP key is the time of creation, which is part
//! of the fingerprint, and a signature by the key itself that binds it to a name: [`create`] has
//! that signature made by the device. [`secret_key_file`] and [`stored_key`] write and read the
//! time where there is a file to keep it in; [`describe`] shows what a certificate says.
//!
//! For operators' tools. The login shell is built without this crate: nothing in it can certify.
//!
//! # What is deliberately absent
//! Files, clocks and devices (all handed in), subkeys, encryption keys, and certifications of other
//! people's keys.

mod create;
mod describe;
mod key;
mod secret_key_file;

pub use create::{CertificateRequest, CreateError, NewCertificate, create};
pub use describe::{DescribeError, Description, KeyDescription, armor, describe};
pub use secret_key_file::{SecretKeyFileError, StoredKey, secret_key_file, stored_key};

#[cfg(test)]
mod tests;
