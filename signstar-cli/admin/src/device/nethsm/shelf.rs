//! Certificates that NetHSMs keep beside their keys.
//!
//! Each device that is asked gets one: a cluster has it after the first, replicas do not.

use signstar::config::Key;
use signstar_console::kept::{self, KeptError, KeySlot, Other};
use signstar_nethsm::client::ClientError;

use super::asked::Asked;
use super::{failure, nobody};
use crate::cli::Storing;
use crate::device::shelf::{Kept, Loaded, Shelf};
use crate::failure::{Failure, Status};
use crate::settings::Settings;

pub(super) const SHELF: Shelf = Shelf { check, store, load };

/// Asks as somebody who may look, so that an Administrator's passphrase is asked for once.
fn check(
    settings: &Settings,
    key: &Key,
    certificate: Option<&[u8]>,
    options: &Storing,
) -> Result<(), Failure> {
    let asked = Asked::of(settings, key)?;
    let reader = asked.reader()?;
    for device in &asked.devices()? {
        let mut client = asked.client(device, &reader)?;
        let mut slot = KeySlot {
            client: &mut client,
            id: &asked.hsm.key,
        };
        kept::check(&mut slot, certificate, other(options))
            .map_err(|error| unkept(&asked.place(device), error))?;
    }
    Ok(())
}

fn store(
    settings: &Settings,
    key: &Key,
    certificate: &[u8],
    options: &Storing,
) -> Result<Vec<Kept>, Failure> {
    let asked = Asked::of(settings, key)?;
    let devices = asked.devices()?;
    let first = devices.first().ok_or_else(nobody)?;
    let administrator = asked.administrator(first, &options.nethsm)?;
    let mut all = Vec::new();
    for device in &devices {
        let place = asked.place(device);
        let mut client = asked.client(device, &administrator)?;
        let public = asked.public_key(device, &mut client)?;
        let mut slot = KeySlot {
            client: &mut client,
            id: &asked.hsm.key,
        };
        let done = kept::store(&mut slot, certificate, &public, other(options))
            .map_err(|error| unkept(&place, error))?;
        all.push(Kept {
            device: place,
            done: done.name(),
        });
    }
    Ok(all)
}

/// From the first device that can be asked.
fn load(settings: &Settings, key: &Key) -> Result<Loaded, Failure> {
    let asked = Asked::of(settings, key)?;
    let reader = asked.reader()?;
    let mut last = nobody();
    for device in asked.devices()? {
        let place = asked.place(&device);
        let mut client = asked.client(&device, &reader)?;
        let public = match asked.public_key(&device, &mut client) {
            Err(failure) if failure.status == Status::Unavailable => {
                last = failure;
                continue;
            }
            other => other?,
        };
        let mut slot = KeySlot {
            client: &mut client,
            id: &asked.hsm.key,
        };
        let certificate = kept::load(&mut slot, &public).map_err(|error| unkept(&place, error))?;
        return Ok(Loaded {
            device: place,
            key: public,
            certificate,
        });
    }
    Err(last)
}

fn other(options: &Storing) -> Other {
    match options.replace_stored {
        true => Other::Replace,
        false => Other::Keep,
    }
}

fn unkept(place: &str, error: KeptError<ClientError>) -> Failure {
    let text = format!("{place}: {error}");
    match &error {
        KeptError::Device(inner) => failure(place, inner),
        KeptError::Lost(inner, _) => Failure::new(failure(place, inner).status, text),
        KeptError::Absent => {
            Failure::new(Status::Data, format!("{text}: signstar-admin cert store"))
        }
        KeptError::Other(_) => Failure::new(
            Status::CannotCreate,
            format!("{text}: --replace-stored replaces it"),
        ),
        KeptError::Unreadable(_) | KeptError::WrongKey | KeptError::TooLong => {
            Failure::new(Status::Data, text)
        }
    }
}
