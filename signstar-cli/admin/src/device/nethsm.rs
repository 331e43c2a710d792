//! Keys in one NetHSM or several: making them on the first, and what the devices say of them.
//!
//! Deliberately absent: replacing a key, since other devices may have it and it is lost then; bringing it
//! to the other devices, which a backup of the first does; users, tags and everything else that a
//! tool for the whole device is for.

use std::time::Duration;

use signstar::back_ends::nethsm::{NetHsm, Place};
use signstar::config::Key;
use signstar_core::{Digest, PublicKey, RawSignature, Signer, SignerError};
use signstar_nethsm::client::{self, Client, ClientError, Credentials};
use signstar_nethsm::sdk::apis::default_api::{keys_generate_post, keys_key_id_get};
use signstar_nethsm::sdk::models::{KeyGenerateRequestData, KeyMechanism, KeyType};
use signstar_nethsm::{DEVICES_MAX, public_key};
use signstar_software::Kind;
use zeroize::Zeroizing;

use super::{BackEnd, Held, Made, Seen, settings_of};
use crate::cli::Generate;
use crate::failure::{Failure, Status};
use crate::secret_file;
use crate::settings::Settings;
use crate::terminal;

pub(super) const BACK_END: BackEnd = BackEnd {
    name: "nethsm",
    open,
    look: |key| Ok(Seen::of(&open(key)?)),
    generate,
    options: &["--admin-user", "--admin-passphrase-file"],
    import: None,
    search: None,
    storage_key: None,
};

/// RSA of 4096 bits takes a device some time.
const PATIENCE: Duration = Duration::from_secs(300);
/// Keys are some KiB.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

fn open(key: &Key) -> Result<Held, Failure> {
    let hsm: &NetHsm = settings_of(key)?;
    let wait = Duration::from_secs(key.device_seconds);
    Ok(Held {
        signer: Box::new(Insistent(hsm.open_any(wait)?.signer)),
        stored: None,
        place: hsm
            .devices
            .first()
            .map_or(String::new(), |place| named(hsm, place)),
    })
}

fn named(hsm: &NetHsm, place: &Place) -> String {
    format!(
        "NetHSM {} at {}, key {}",
        place.label, place.address, hsm.key
    )
}

/// Asks the next device, where there is one, and says so: nobody keeps records here.
struct Insistent(Box<dyn Signer>);

impl Signer for Insistent {
    fn public_key(&self) -> &PublicKey {
        self.0.public_key()
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
    let hsm: &NetHsm = settings_of(settings.key(&options.key)?)?;
    let place = hsm
        .devices
        .first()
        .ok_or_else(|| Failure::new(Status::Configuration, "the configuration names no device"))?;
    let kind = options.kind.map_or("ed25519", Kind::name);
    let (mechanism, of_device, length) = of_kind(kind).ok_or_else(|| {
        Failure::new(
            Status::Usage,
            format!("--kind {kind}: a NetHSM makes no such key"),
        )
    })?;
    let made = Made {
        kind,
        device: named(hsm, place),
        fingerprint: None,
        created: None,
        secret_key: None,
        protected: true,
        dry_run: options.replacing.dry_run,
    };
    let mut client = administrator(place, options)?;
    match client.call(|device| keys_key_id_get(device, &hsm.key)) {
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
    request.id = Some(hsm.key.clone());
    let failed = |error: &ClientError| failure(&made.device, error);
    client
        .call(|device| keys_generate_post(device, request))
        .map_err(|error| failed(&error))?;
    let found = client
        .call(|device| keys_key_id_get(device, &hsm.key))
        .map_err(|error| failed(&error))?;
    let found = public_key(&found.value).map(|key| key.name());
    match found {
        Ok(found) if found == kind => Ok(made),
        _ => Err(Failure::new(
            Status::Internal,
            format!("{}: the device has made another key", made.device),
        )),
    }
}

/// What the device calls a kind of key.
fn of_kind(kind: &str) -> Option<(KeyMechanism, KeyType, Option<i32>)> {
    let ecdsa = KeyMechanism::EcdsaSignature;
    Some(match kind {
        "ed25519" => (KeyMechanism::EdDsaSignature, KeyType::Curve25519, None),
        "p256" => (ecdsa, KeyType::EcP256, None),
        "p384" => (ecdsa, KeyType::EcP384, None),
        "p521" => (ecdsa, KeyType::EcP521, None),
        _ => {
            let bits = kind.strip_prefix("rsa")?.parse().ok()?;
            (KeyMechanism::RsaSignaturePkcs1, KeyType::Rsa, Some(bits))
        }
    })
}

/// A client for an Administrator of the device.
fn administrator(place: &Place, options: &Generate) -> Result<Client, Failure> {
    let user = options.nethsm.admin_user.as_deref().unwrap_or("admin");
    let passphrase = match &options.nethsm.admin_passphrase_file {
        Some(path) => secret_file::read(path)?,
        None if terminal::is_there() => {
            terminal::passphrase(&format!("{user} on the NetHSM {}", place.label))?
        }
        None => {
            let text = "nobody is there to ask for the Administrator's passphrase: give \
                        --admin-passphrase-file";
            return Err(Failure::new(Status::Usage, text));
        }
    };
    let text = String::from_utf8(passphrase.to_vec())
        .map_err(|_| Failure::new(Status::Data, "the passphrase is not UTF-8"))?;
    let of_device = |error: ClientError| failure(&place.label, &error);
    let credentials = Credentials::new(user, Zeroizing::new(text)).map_err(of_device)?;
    Client::new(&client::Settings {
        address: place.address.clone(),
        name: place.name.clone(),
        trust: place.trust.read()?,
        credentials: Some(credentials),
        connect_wait: Duration::from_secs(10),
        wait: PATIENCE,
        answer_bytes_max: ANSWER_BYTES_MAX,
    })
    .map_err(of_device)
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
