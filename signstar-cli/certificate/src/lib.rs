//! OpenPGP certificates for keys that live in a Signstar back end, and secret key files for the
//! back end that has its key in a file.
//!
//! A device holds numbers. What makes them an OpenPGP key is the time of creation, which is part
//! of the fingerprint, and signatures that bind it to a name. There are two shapes:
//!
//! - The device's key is the certificate's primary key, and signs for itself: [`create`].
//! - The primary key is kept offline ([`new_primary`], [`offline_primary`]) and does nothing but
//!   certify; it binds the device's key as a subkey that signs data: [`Edit::subkey`].
//!
//! Either way an [`Edit`] is how a certificate changes: another expiry, another subkey, the end of
//! one. [`describe`] shows what a certificate says; [`keyring`] and [`web_key_directory`] put it into
//! the forms in which others look for it. [`verify`] looks at a signature as they do.
//!
//! For operators' tools. The login shell is built without this crate: nothing in it can certify.
//!
//! # What is deliberately absent
//! Files, clocks and devices (all handed in), encryption keys, and certifications of other people's
//! keys.

mod create;
mod describe;
mod edit;
mod key;
mod keyring;
mod merge;
mod primary;
mod secret_key_file;
mod statement;
mod verify;
mod wkd;

pub use create::{
    CertificateRequest, CreateError, NewCertificate, Usage, armored_signature, create,
};
pub use describe::{DescribeError, Description, KeyDescription, armor, describe, holds};
pub use edit::{Change, Edit, EditError, Reason};
pub use key::{fingerprint, is_possible};
pub use keyring::{Keyring, keyring};
pub use merge::{binary, merge_revocation, subkey_revocation};
pub use primary::{NewPrimary, OfflinePrimary, PrimaryError, new_primary, offline_primary};
pub use secret_key_file::{SecretKeyFileError, StoredKey, secret_key_file, stored_keys};
pub use verify::{VerifyError, verify};
pub use wkd::{Published, web_key_directory};

#[cfg(test)]
mod tests;
