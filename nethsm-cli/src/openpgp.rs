//! `openpgp …`: certificates for keys of the device, and signatures by them.
//!
//! They are made by the same code as those of the signing service, which asks the device for signatures of
//! digests and believes none that it has not verified.

mod import;
mod request;
mod sign;

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use serde_json::json;
use signstar_certificate::{CertificateRequest, Usage, create};
use signstar_console::kept::{self, KeptError, Other};
use signstar_core::{KeyVersion, Opened};
use signstar_nethsm::client::Credentials;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::{Order, Settings};

use crate::device::{ADMINISTRATOR, Device, OPERATOR};
use crate::failure::{Failure, Status};
use crate::key::key_id;
use crate::new_file;
use crate::report::Report;

#[derive(Debug, Subcommand)]
pub(crate) enum OpenpgpVerb {
    /// Have a key certify and sign for itself, and write its certificate (Operator)
    ///
    /// The device notes no time of creation, which is a part of the fingerprint: keep the certificate, or
    /// hang it on the key with --store.
    Create(Create),
    /// Write a detached signature of a file (Operator)
    Sign(sign::Sign),
    /// Sign a file that was hashed elsewhere, from the state of the hash (Operator)
    ///
    /// The state says nothing that could be checked about the file: sign only states of those who may have
    /// anything signed.
    SignState(sign::SignState),
    /// Put a secret key onto the device that an OpenPGP file has (Administrator)
    Import(import::Import),
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The key
    id: String,
    /// Whose key it is, customarily 'NAME <ADDRESS>'
    #[arg(long, value_name = "TEXT")]
    user_id: String,
    /// When the key was created, as 2026-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    created: Option<String>,
    /// When it expires, as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Make a certificate of version 6 (RFC 9580), which GnuPG and pacman do not read
    #[arg(long)]
    v6: bool,
    /// The file for the certificate
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// The file for a signature that revokes it, mode 0600: for a safe
    #[arg(long, value_name = "FILE")]
    revocation: PathBuf,
    /// Hang the certificate on the key too (Administrator)
    #[arg(long)]
    store: bool,
    /// Replace what hangs on the key already
    #[arg(long, requires = "store")]
    replace: bool,
}

pub(crate) fn openpgp(device: &mut Device, verb: &OpenpgpVerb) -> Result<Report, Failure> {
    match verb {
        OpenpgpVerb::Create(options) => certify(device, options),
        OpenpgpVerb::Import(options) => import::import(device, options),
        OpenpgpVerb::Sign(options) => sign::sign(device, options),
        OpenpgpVerb::SignState(options) => sign::sign_state(device, options),
    }
}

/// The key, ready to sign.
fn open(device: &mut Device, id: &str) -> Result<Opened, Failure> {
    let user = device.user(OPERATOR)?;
    let passphrase = device.passphrase(&user)?;
    let credentials = Credentials::new(&user, passphrase)
        .map_err(|error| Failure::usage(format!("{}: {error}", device.label)))?;
    let settings = Settings {
        key: id.to_owned(),
        devices: vec![device.profile.device(&device.label)?],
        credentials,
        order: Order::Listed,
        connect_wait: device.manner.connect_wait,
        wait: device.manner.wait,
    };
    signstar_nethsm::open(&settings).map_err(|error| Failure::failed(format!("{id}: {error}")))
}

/// The place for a certificate with a key.
struct OnDevice<'a> {
    device: &'a mut Device,
    id: &'a str,
}

impl kept::Slot for OnDevice<'_> {
    type Error = Failure;

    fn get(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let id = self.id;
        let found = self
            .device
            .read(ADMINISTRATOR, "keys_key_id_cert_get", |asking| {
                default_api::keys_key_id_cert_get(asking, id)
            });
        match found {
            Ok(certificate) => Ok(Some(certificate)),
            Err(failure) if failure.status == Status::Absent => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn put(&mut self, certificate: &[u8]) -> Result<(), Failure> {
        let id = self.id;
        self.device
            .change(ADMINISTRATOR, "keys_key_id_cert_put", |asking| {
                default_api::keys_key_id_cert_put(asking, id, certificate.to_vec())
            })?;
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Failure> {
        let id = self.id;
        self.device
            .change(ADMINISTRATOR, "keys_key_id_cert_delete", |asking| {
                default_api::keys_key_id_cert_delete(asking, id)
            })?;
        Ok(())
    }
}

fn unkept(id: &str, error: KeptError<Failure>) -> Failure {
    let text = match &error {
        KeptError::Other(_) => format!("{id}: {error}: --replace replaces it"),
        _ => format!("{id}: {error}"),
    };
    match error {
        KeptError::Device(failure) => failure,
        KeptError::Lost(Failure { status, .. }, _) => Failure::new(status, text),
        KeptError::Absent => Failure::new(Status::Absent, text),
        KeptError::Other(_) => Failure::new(Status::Conflict, text),
        KeptError::Unreadable(_) | KeptError::WrongKey | KeptError::TooLong => {
            Failure::failed(text)
        }
    }
}

fn time(text: &str) -> Result<SystemTime, Failure> {
    humantime::parse_rfc3339(text)
        .map_err(|_| Failure::usage("a time is written 2026-01-31T12:00:00Z"))
}

fn certify(device: &mut Device, options: &Create) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    let now = time(&crate::provision::now())?;
    let request = CertificateRequest {
        user_id: &options.user_id,
        created: options.created.as_deref().map_or(Ok(now), time)?,
        now,
        expires: options.expires.as_deref().map(time).transpose()?,
        version: if options.v6 {
            KeyVersion::V6
        } else {
            KeyVersion::V4
        },
        usage: Usage::CertifyAndSign,
    };
    request.check().map_err(Failure::usage)?;
    device.rehearse("keys_key_id_sign_post")?;
    let other = match options.replace {
        true => Other::Replace,
        false => Other::Keep,
    };
    if options.store {
        kept::check(&mut OnDevice { device, id }, None, other)
            .map_err(|error| unkept(id, error))?;
    }
    let mut opened = open(device, id)?;
    let made = create(opened.signer.as_mut(), &request)
        .map_err(|error| Failure::failed(format!("{id}: {error}")))?;
    // In this order: no certificate without a way to revoke it.
    new_file::write(&options.revocation, &made.revocation, new_file::SECRET)?;
    new_file::write(&options.out, &made.certificate, new_file::PUBLIC)?;
    if options.store {
        let mut slot = OnDevice { device, id };
        kept::store(
            &mut slot,
            &made.certificate,
            opened.signer.public_key(),
            other,
        )
        .map_err(|error| unkept(id, error))?;
    }
    let (out, revocation) = (options.out.display(), options.revocation.display());
    Ok(Report::done(
        format!("{id} is {}: wrote {out} and {revocation}", made.fingerprint),
        json!({
            "id": id, "fingerprint": made.fingerprint, "certificate": out.to_string(),
            "revocation": revocation.to_string(), "stored": options.store,
        }),
    ))
}
