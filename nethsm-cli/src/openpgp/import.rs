//! `openpgp import`: a secret key from an OpenPGP file comes onto the device.
//!
//! The file stays: whoever wants the device to be the only one with the key has to destroy it.

use std::path::PathBuf;

use base64ct::{Base64, Encoding as _};
use clap::Args;
use signstar_core::{Certificate, Curve, SecretKey, SecretKeyError, SecretMaterial};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::KeyPrivateData;
use zeroize::Zeroizing;

use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::key::import::{About, private};
use crate::key::mechanism::Kind;
use crate::report::Report;
use crate::secret::{FORMS, Source};

/// A certificate with many signatures is some hundred kilobytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The secret key, binary or armored
    file: PathBuf,
    /// Which key in it, the primary one or a subkey [default: the primary key of --certificate]
    #[arg(long, required_unless_present = "certificate")]
    fingerprint: Option<String>,
    #[arg(long, value_name = "SOURCE", help = format!("Where the passphrase of the file comes from, if it has one: {FORMS}"))]
    file_passphrase_from: Option<Source>,
    /// Hang this certificate on the key
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    about: About,
}

fn read(path: &PathBuf) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::with(path, &error);
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(Failure::failed(format!("{}: is too large", path.display())));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(failed)
}

pub(crate) fn import(device: &mut Device, options: &Import) -> Result<Report, Failure> {
    let path = options.file.display();
    let file = read(&options.file)?;
    let certificate = options.certificate.as_ref().map(|path| {
        let bytes = read(path)?;
        let certificate = Certificate::parse(&bytes)
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
        Ok::<_, Failure>((bytes.to_vec(), certificate.fingerprint()))
    });
    let certificate = certificate.transpose()?;
    device.rehearse("keys_key_id_put")?;
    let passphrase = options.file_passphrase_from.as_ref().map(|source| {
        let passphrase = source.get(&format!("Passphrase of {path}"))?;
        Ok::<_, Failure>(Zeroizing::new(passphrase.as_bytes().to_vec()))
    });
    let passphrase = passphrase.transpose()?;
    let primary = certificate.as_ref().map(|(_, primary)| primary);
    let wanted = options.fingerprint.as_ref().or(primary);
    let wanted = wanted.map_or(String::new(), |wanted| wanted.replace(' ', ""));
    let wanted = wanted.to_ascii_uppercase();
    let passphrase = passphrase.as_ref().map(|bytes| bytes.as_slice());
    let key = SecretKey::parse(&file, &wanted, passphrase).map_err(|error| match error {
        SecretKeyError::PassphraseMissing => {
            Failure::usage(format!("{path}: give --file-passphrase-from"))
        }
        error => Failure::failed(format!("{path}: {error}")),
    })?;
    let (kind, numbers) = numbers(&key);
    let report = private(device, kind, numbers, &options.about)?;
    if let Some((certificate, _)) = certificate {
        let id = crate::user::field(&report.value, "id");
        device.change(ADMINISTRATOR, "keys_key_id_cert_put", |asking| {
            default_api::keys_key_id_cert_put(asking, &id, certificate.clone())
        })?;
    }
    Ok(report)
}

/// The key as devices take it.
fn numbers(key: &SecretKey) -> (Kind, KeyPrivateData) {
    let mut numbers = KeyPrivateData::new();
    let kind = match key.material() {
        SecretMaterial::Ed25519(seed) => {
            numbers.data = Some(Base64::encode_string(seed.as_slice()));
            Kind::Curve25519
        }
        SecretMaterial::Ecdsa { curve, scalar } => {
            numbers.data = Some(Base64::encode_string(scalar));
            match curve {
                Curve::P256 => Kind::EcP256,
                Curve::P384 => Kind::EcP384,
                Curve::P521 => Kind::EcP521,
            }
        }
        SecretMaterial::Rsa { e, p, q, .. } => {
            numbers.prime_p = Some(Base64::encode_string(p));
            numbers.prime_q = Some(Base64::encode_string(q));
            numbers.public_exponent = Some(Base64::encode_string(e));
            Kind::Rsa
        }
    };
    (kind, numbers)
}
