//! Certificates that devices keep beside their keys, where they have room for one.

use serde::Serialize;
use signstar::config::Key;
use signstar_core::PublicKey;

use super::asked;
use crate::cli::Storing;
use crate::failure::{Failure, Status};
use crate::settings::Settings;

/// What can be done with certificates that devices keep beside their keys.
pub(super) struct Shelf {
    /// Fails where `store` would for what a device keeps already.
    pub(super) check: CheckStore,
    pub(super) store: StoreCertificate,
    pub(super) load: fn(&Settings, &Key) -> Result<Loaded, Failure>,
}

type CheckStore = fn(&Settings, &Key, Option<&[u8]>, &Storing) -> Result<(), Failure>;
type StoreCertificate = fn(&Settings, &Key, &[u8], &Storing) -> Result<Vec<Kept>, Failure>;

/// A device that keeps a certificate now.
#[derive(Serialize)]
pub(crate) struct Kept {
    /// What to call it, for people.
    pub(crate) device: String,
    /// In one word.
    pub(crate) done: &'static str,
}

/// A certificate that a device keeps.
pub(crate) struct Loaded {
    /// What to call the device, for people.
    pub(crate) device: String,
    /// The device's key, which the certificate has.
    pub(crate) key: PublicKey,
    pub(crate) certificate: Vec<u8>,
}

/// Fails where [`store`] would for what the devices of the key `name` keep already: for `certificate`, or for
/// one that is to be made.
pub(crate) fn check_store(
    settings: &Settings,
    name: &str,
    certificate: Option<&[u8]>,
    options: &Storing,
) -> Result<(), Failure> {
    let key = settings.key(name)?;
    (shelf(settings, name, key)?.check)(settings, key, certificate, options)
}

/// Has the devices of the key `name` keep its certificate.
pub(crate) fn store(
    settings: &Settings,
    name: &str,
    certificate: &[u8],
    options: &Storing,
) -> Result<Vec<Kept>, Failure> {
    let key = settings.key(name)?;
    (shelf(settings, name, key)?.store)(settings, key, certificate, options)
}

/// The certificate that a device of the key `name` keeps.
pub(crate) fn load(settings: &Settings, name: &str) -> Result<Loaded, Failure> {
    let key = settings.key(name)?;
    (shelf(settings, name, key)?.load)(settings, key)
}

fn shelf(settings: &Settings, name: &str, key: &Key) -> Result<&'static Shelf, Failure> {
    let back_end = asked(settings, name, key)?;
    back_end.shelf.as_ref().ok_or_else(|| {
        let text = format!(
            "[key.{name}] is held by the back end `{}`: only NetHSMs keep certificates",
            back_end.name
        );
        Failure::new(Status::Usage, text)
    })
}
