//! `key cert …` and `key csr`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use signstar_nethsm::sdk::apis::default_api;

use super::name::Name;
use super::{Named, key_id};
use crate::device::{ADMINISTRATOR, Device, EITHER};
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::report::Report;
use crate::tls::Out;

/// What a device takes, in bytes.
const BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum CertVerb {
    /// Write it (Administrator, Operator)
    Get(Get),
    /// Hang a file on a key: a certificate in any form (Administrator)
    Set(Set),
    /// Take it from the key (Administrator)
    Remove(Named),
}

#[derive(Args, Debug)]
pub(crate) struct Get {
    /// The key
    id: String,
    #[command(flatten)]
    out: Out,
}

#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The key
    id: String,
    /// The certificate
    file: PathBuf,
    /// Replace the one that is there
    #[arg(long)]
    replace: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Csr {
    /// The key
    id: String,
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    out: Out,
}

pub(crate) fn cert(device: &mut Device, verb: &CertVerb) -> Result<Report, Failure> {
    match verb {
        CertVerb::Get(options) => {
            let id = key_id(&options.id)?;
            let bytes = device.read(EITHER, "keys_key_id_cert_get", |asking| {
                default_api::keys_key_id_cert_get(asking, id)
            })?;
            Report::bytes(bytes, options.out.out.as_deref(), new_file::PUBLIC)
        }
        CertVerb::Set(options) => set(device, options),
        CertVerb::Remove(Named { id }) => {
            let id = key_id(id)?;
            delete(device, id)?;
            Ok(Report::done(
                format!("{id} has no certificate"),
                json!({ "id": id }),
            ))
        }
    }
}

fn delete(device: &mut Device, id: &str) -> Result<(), Failure> {
    device.change(ADMINISTRATOR, "keys_key_id_cert_delete", |asking| {
        default_api::keys_key_id_cert_delete(asking, id)
    })?;
    Ok(())
}

fn set(device: &mut Device, options: &Set) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    let failed = |error: std::io::Error| Failure::with(&options.file, &error);
    if std::fs::metadata(&options.file).map_err(failed)?.len() > BYTES_MAX {
        let text = format!("{}: is longer than 1 MiB", options.file.display());
        return Err(Failure::usage(text));
    }
    let bytes = std::fs::read(&options.file).map_err(failed)?;
    if options.replace {
        match delete(device, id) {
            Err(failure) if failure.status == Status::Absent => {}
            other => other?,
        }
    }
    device.change(ADMINISTRATOR, "keys_key_id_cert_put", |asking| {
        default_api::keys_key_id_cert_put(asking, id, bytes.clone())
    })?;
    Ok(Report::done(
        format!("{id} has that certificate"),
        json!({ "id": id, "bytes": bytes.len() }),
    ))
}

pub(crate) fn csr(device: &mut Device, options: &Csr) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    let name = options.name.to_request();
    let pem = device.read(EITHER, "keys_key_id_csr_pem_post", |asking| {
        default_api::keys_key_id_csr_pem_post(asking, id, name.clone())
    })?;
    Report::bytes(
        pem.into_bytes(),
        options.out.out.as_deref(),
        new_file::PUBLIC,
    )
}
