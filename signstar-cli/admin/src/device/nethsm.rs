//! Keys in one NetHSM or several: making them on the first, and what the devices say of them.
//!
//! The devices are those of the configuration, or the one of a device profile that the command line names.
//!
//! Deliberately absent: replacing a key, since other devices may have it and it is lost then; bringing it
//! to the other devices, which a backup of the first does; users, tags and everything else that a
//! tool for the whole device is for.

mod asked;
mod shelf;

use std::time::Duration;

use signstar::config::Key;
use signstar_core::{Digest, KeyKind, PublicKey, RawSignature, Signer, SignerError};
use signstar_nethsm::client::ClientError;
use signstar_nethsm::sdk::apis::default_api::{keys_generate_post, keys_key_id_get};
use signstar_nethsm::sdk::models::{KeyGenerateRequestData, KeyMechanism, KeyType};
use signstar_nethsm::{DEVICES_MAX, public_key};

use super::{BackEnd, Held, Made, Seen};
use crate::cli::Generate;
use crate::failure::{Failure, Status};
use crate::settings::Settings;
use crate::terminal;
use asked::Asked;

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "nethsm",
    open,
    look,
    generate,
    kinds: &KeyKind::NAMED,
    options: &["--admin-user", "--admin-passphrase-file"],
    import: None,
    search: None,
    storage_key: None,
    shelf: Some(shelf::SHELF),
};

fn open(settings: &Settings, key: &Key) -> Result<Held, Failure> {
    let asked = Asked::of(settings, key)?;
    let wanted = asked.settings(Duration::from_secs(key.device_seconds))?;
    let place = wanted.devices.first();
    Ok(Held {
        place: place.map_or(String::new(), |device| asked.place(device)),
        signer: Box::new(Insistent(signstar_nethsm::open(&wanted)?.signer)),
        stored: None,
    })
}

/// A profile may have an Administrator alone, who sees keys as well as an Operator does.
fn look(settings: &Settings, key: &Key) -> Result<Seen, Failure> {
    if settings.profiled.is_none() {
        return Ok(Seen::of(&open(settings, key)?));
    }
    let asked = Asked::of(settings, key)?;
    let credentials = asked.reader()?;
    let devices = asked.devices()?;
    let device = devices.first().ok_or_else(nobody)?;
    let mut client = asked.client(device, &credentials)?;
    let public = asked.public_key(device, &mut client)?;
    Ok(Seen::new(asked.place(device), Some(&public)))
}

/// Asks the next device, where there is one, and says so: nobody keeps records here.
struct Insistent(Box<dyn Signer>);

impl Signer for Insistent {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
    }

    fn waits_for(&self) -> Option<&'static str> {
        self.0.waits_for()
    }

    fn sign(&mut self, digest: &Digest) -> Result<RawSignature, SignerError> {
        for _ in 1..DEVICES_MAX {
            match self.0.sign(digest) {
                Err(SignerError::TryAgain(text)) => log::warn!("{text}"),
                answer => return answer,
            }
        }
        self.0.sign(digest)
    }
}

fn generate(settings: &Settings, options: &Generate) -> Result<Made, Failure> {
    let asked = Asked::of(settings, settings.key(&options.key)?)?;
    let id = &asked.hsm.key;
    let devices = asked.devices()?;
    let device = devices.first().ok_or_else(nobody)?;
    let kind = options.kind.unwrap_or(KeyKind::Ed25519);
    let (mechanism, of_device, length) = of_kind(kind).ok_or_else(|| {
        Failure::new(
            Status::Usage,
            format!("--kind {kind}: a NetHSM makes no such key"),
        )
    })?;
    let made = Made {
        kind,
        device: asked.place(device),
        fingerprint: None,
        created: None,
        secret_key: None,
        protected: true,
        dry_run: options.replacing.dry_run,
    };
    let credentials = asked.administrator(device, &options.nethsm)?;
    let mut client = asked.client(device, &credentials)?;
    match client.call(|device| keys_key_id_get(device, id)) {
        Err(ClientError::Absent(_)) => {}
        Ok(_) => {
            let text = format!(
                "{}: there is a key of that name, and it stays: choose another name",
                made.device
            );
            return Err(Failure::new(Status::CannotCreate, text));
        }
        Err(error) => return Err(failure(&made.device, &error)),
    }
    if made.dry_run {
        return Ok(made);
    }
    if terminal::is_there() {
        eprintln!("{}: it makes a key of the kind {kind}", made.device);
    }
    let mut request = KeyGenerateRequestData::new(vec![mechanism], of_device);
    request.length = length;
    request.id = Some(id.clone());
    let failed = |error: &ClientError| failure(&made.device, error);
    client
        .call(|device| keys_generate_post(device, request))
        .map_err(|error| failed(&error))?;
    let found = client
        .call(|device| keys_key_id_get(device, id))
        .map_err(|error| failed(&error))?;
    let found = public_key(&found.value).map(|key| key.kind());
    match found {
        Ok(found) if found == kind => Ok(made),
        _ => Err(Failure::new(
            Status::Internal,
            format!("{}: the device has made another key", made.device),
        )),
    }
}

/// What the device calls a kind of key.
fn of_kind(kind: KeyKind) -> Option<(KeyMechanism, KeyType, Option<i32>)> {
    let ecdsa = KeyMechanism::EcdsaSignature;
    Some(match kind {
        KeyKind::Ed25519 => (KeyMechanism::EdDsaSignature, KeyType::Curve25519, None),
        KeyKind::P256 => (ecdsa, KeyType::EcP256, None),
        KeyKind::P384 => (ecdsa, KeyType::EcP384, None),
        KeyKind::P521 => (ecdsa, KeyType::EcP521, None),
        KeyKind::Rsa(bits) => {
            let bits = i32::try_from(bits).ok()?;
            (KeyMechanism::RsaSignaturePkcs1, KeyType::Rsa, Some(bits))
        }
        KeyKind::MlDsa65 | KeyKind::MlDsa65Ed25519 => return None,
    })
}

fn nobody() -> Failure {
    Failure::new(Status::Configuration, "the configuration names no device")
}

/// What the device says stands beside it, for an operator is who reads this.
fn failure(device: &str, error: &ClientError) -> Failure {
    let status = match error {
        ClientError::Settings(_) | ClientError::Untrusted(_) => Status::Configuration,
        ClientError::Unreachable(_)
        | ClientError::Lost(_)
        | ClientError::State(_)
        | ClientError::Throttled
        | ClientError::Failed(_, _) => Status::Unavailable,
        ClientError::Unauthenticated | ClientError::Forbidden(_) => Status::Data,
        ClientError::Absent(_)
        | ClientError::Conflict(_)
        | ClientError::Refused(_, _)
        | ClientError::Nonsense(_) => Status::Internal,
    };
    let said = error.message();
    let said = said.map_or(String::new(), |text| format!(" ({text})"));
    Failure::new(status, format!("{device}: {error}{said}"))
}
