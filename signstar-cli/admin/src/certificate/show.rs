//! `cert show`.

use std::time::SystemTime;

use serde::Serialize;
use signstar::config::Key;
use signstar::enclave;
use signstar_certificate::{Description, KeyDescription, armor, describe};
use signstar_core::{Certificate, SigningKey};
use zeroize::Zeroizing;

use super::read;
use crate::cli::Show;
use crate::device::{self, Loaded};
use crate::failure::{Failure, Status};
use crate::report::Report;
use crate::settings::Settings;

#[derive(Serialize)]
struct Shown {
    key: String,
    fingerprint: String,
    version: u8,
    user_ids: Vec<String>,
    revoked: bool,
    keys: Vec<ShownKey>,
    /// Fingerprint of the key that signs, if it may now.
    signing_key: Option<String>,
    /// Why no key of it may sign now.
    problem: Option<String>,
    /// What to call the device that keeps it, if it was read from there.
    device: Option<String>,
}

#[derive(Serialize)]
struct ShownKey {
    fingerprint: String,
    algorithm: String,
    bits: Option<usize>,
    created: String,
    expires: Option<String>,
    signs: bool,
    revoked: bool,
}

#[derive(Serialize)]
struct Armored {
    key: String,
    certificate: String,
}

/// Shows a certificate.
pub(crate) fn show(settings: &Settings, options: &Show) -> Result<Report, Failure> {
    let key = settings.key(&options.key)?;
    let loaded = match options.from_device {
        true => Some(device::load(settings, &options.key)?),
        false => None,
    };
    let (bytes, place) = match &loaded {
        Some(loaded) => (
            Zeroizing::new(loaded.certificate.clone()),
            loaded.device.clone(),
        ),
        None => (
            read(&key.certificate)?,
            key.certificate.display().to_string(),
        ),
    };
    let data = |error| Failure::new(Status::Data, format!("{place}: {error}"));
    if options.armor {
        let armored = armor(&bytes).map_err(data)?;
        let certificate = String::from_utf8_lossy(&armored).into_owned();
        let key = options.key.clone();
        return Report::new(certificate.clone(), &Armored { key, certificate });
    }
    let said = describe(&bytes, SystemTime::now()).map_err(data)?;
    let signing = match &loaded {
        Some(loaded) => signing_key(key, loaded),
        None => enclave::open_certificate(key).map_err(|failure| failure.detail),
    };
    let shown = Shown {
        key: options.key.clone(),
        signing_key: signing.as_ref().ok().map(|key| key.fingerprint()),
        problem: signing.err(),
        device: loaded.map(|loaded| loaded.device),
        ..Shown::from(said)
    };
    let finding = shown.problem.as_ref().map(|_| Status::Data);
    Ok(Report::new(shown.text(), &shown)?.ending_with(finding))
}

/// The key that would sign, if the configuration had the certificate that a device keeps.
fn signing_key(key: &Key, loaded: &Loaded) -> Result<SigningKey, String> {
    let signing = Certificate::parse(&loaded.certificate)
        .and_then(|parsed| parsed.signing_key(key.signing_key.as_deref(), SystemTime::now()))
        .map_err(|error| error.to_string())?;
    match *signing.public_key() == loaded.key {
        true => Ok(signing),
        false => Err("another key than the device's signs with it".to_owned()),
    }
}

impl From<Description> for Shown {
    fn from(said: Description) -> Self {
        Self {
            key: String::new(),
            fingerprint: said.fingerprint,
            version: said.version,
            user_ids: said.user_ids,
            revoked: said.revoked,
            keys: said.keys.into_iter().map(ShownKey::from).collect(),
            signing_key: None,
            problem: None,
            device: None,
        }
    }
}

impl From<KeyDescription> for ShownKey {
    fn from(said: KeyDescription) -> Self {
        let date = |time| humantime::format_rfc3339_seconds(time).to_string();
        Self {
            fingerprint: said.fingerprint,
            algorithm: said.algorithm,
            bits: said.bits,
            created: date(said.created),
            expires: said.expires.map(date),
            signs: said.signs,
            revoked: said.revoked,
        }
    }
}

impl Shown {
    fn text(&self) -> String {
        let mut lines = vec![format!(
            "certificate {} (version {})",
            self.fingerprint, self.version
        )];
        lines.extend(
            self.user_ids
                .iter()
                .map(|user_id| format!("  user ID    {user_id}")),
        );
        for key in &self.keys {
            let bits = key
                .bits
                .map(|bits| format!(", {bits} bits"))
                .unwrap_or_default();
            lines.push(format!("  key        {}", key.fingerprint));
            lines.push(format!("    algorithm  {}{bits}", key.algorithm));
            lines.push(format!("    created    {}", key.created));
            lines.push(format!(
                "    expires    {}",
                key.expires.as_deref().unwrap_or("never")
            ));
            lines.push(format!(
                "    signs      {}",
                if key.signs { "yes" } else { "no" }
            ));
            if key.revoked {
                lines.push("    revoked    yes".to_owned());
            }
        }
        let revoked = if self.revoked { "yes" } else { "no" };
        lines.push(format!("  revoked    {revoked}"));
        lines.push(match (&self.signing_key, &self.problem) {
            (Some(key), _) => format!("  valid now  yes: {key} signs"),
            (None, problem) => {
                format!(
                    "  valid now  no: {}",
                    problem.as_deref().unwrap_or_default()
                )
            }
        });
        lines.extend(
            self.device
                .iter()
                .map(|place| format!("  kept by    {place}")),
        );
        lines.push(String::new());
        lines.join("\n")
    }
}
