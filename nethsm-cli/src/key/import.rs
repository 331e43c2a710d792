//! `key import`: PEM and DER (PKCS#8, PKCS#1, SEC1), PKCS#12, and bare bytes.

use std::collections::HashMap;
use std::path::PathBuf;

use base64ct::{Base64, Encoding as _};
use clap::Args;
use serde_json::json;
use signstar_nethsm::der::{INTEGER, OCTETS, Reader, SEQUENCE};
use signstar_nethsm::sdk::apis::configuration::Configuration;
use signstar_nethsm::sdk::apis::default_api::{KeysKeyIdPutBody, KeysPostBody};
use signstar_nethsm::sdk::apis::{Error, ResponseContent, default_api};
use signstar_nethsm::sdk::models::{
    CreateResourceId, KeyPrivateData, KeyType, PrivateKey, PrivateKeyPemArguments,
};
use zeroize::Zeroizing;

pub(crate) use super::make::About;
use super::make::done;
use super::mechanism::Kind;
use super::pkcs12;
use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::report::Report;
use crate::secret::{FORMS, Source};
use crate::tls::authorization;

/// Private keys are a few kilobytes, with the certificates in a PKCS#12 file some more.
const FILE_BYTES_MAX: u64 = 1 << 18;

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The private key: PEM or DER (PKCS#8, PKCS#1 or SEC1) without a passphrase, or PKCS#12 with one
    file: PathBuf,
    /// The file holds the bare key of this kind: the secret number of a curve, an Ed25519 seed, or the
    /// bytes of a Generic key
    #[arg(long, value_name = "KIND", value_enum)]
    raw: Option<Kind>,
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the passphrase of a PKCS#12 file comes from: {FORMS}"))]
    file_passphrase_from: Source,
    /// Hang the certificate of a PKCS#12 file on the key
    #[arg(long, conflicts_with = "raw")]
    with_certificate: bool,
    #[command(flatten)]
    about: About,
}

pub(crate) fn import(device: &mut Device, options: &Import) -> Result<Report, Failure> {
    let failed = |error: std::io::Error| Failure::with(&options.file, &error);
    let path = options.file.display();
    if std::fs::metadata(&options.file).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(Failure::failed(format!("{path}: is no private key")));
    }
    let bytes = Zeroizing::new(std::fs::read(&options.file).map_err(failed)?);
    let id = options.about.id()?;
    if options.raw.is_none() && pkcs12::is_pkcs12(&bytes) {
        return packed(device, &bytes, id, options);
    }
    if options.with_certificate {
        let text = format!("{path}: has no certificate: it is no PKCS#12 file");
        return Err(Failure::usage(text));
    }
    match options.raw {
        Some(Kind::Rsa) => Err(Failure::usage("an RSA key comes as PEM or DER")),
        Some(kind) => {
            let mut numbers = KeyPrivateData::new();
            numbers.data = Some(Base64::encode_string(&bytes));
            private(device, kind, numbers, &options.about)
        }
        None => {
            let pem =
                pem(&bytes).ok_or_else(|| Failure::failed(format!("{path}: is no private key")))?;
            encoded(device, &pem, id, &options.about)
        }
    }
}

/// What is in a PKCS#12 file.
fn packed(
    device: &mut Device,
    bytes: &[u8],
    id: Option<String>,
    options: &Import,
) -> Result<Report, Failure> {
    device.rehearse("keys_key_id_put")?;
    let path = options.file.display();
    let passphrase = options
        .file_passphrase_from
        .get(&format!("Passphrase of {path}"))?;
    let opened = pkcs12::open(bytes, &passphrase, pkcs12::WORK_MAX)
        .map_err(|problem| Failure::failed(format!("{path}: {problem}")))?;
    if options.with_certificate && opened.certificate.is_none() {
        let text = format!("{path}: has no certificate of the key that can be read");
        return Err(Failure::failed(text));
    }
    let pem = pem(&opened.key).ok_or_else(|| {
        Failure::failed(format!(
            "{path}: has a private key of a kind that is not known"
        ))
    })?;
    let mut report = encoded(device, &pem, id, &options.about)?;
    let Some(certificate) = opened.certificate.filter(|_| options.with_certificate) else {
        return Ok(report);
    };
    let id = crate::user::field(&report.value, "id");
    device.change(ADMINISTRATOR, "keys_key_id_cert_put", |asking| {
        default_api::keys_key_id_cert_put(asking, &id, certificate.clone())
    })?;
    report.text = format!("added {id}, with its certificate\n").into_bytes();
    if let Some(fields) = report.value.as_object_mut() {
        fields.insert("certificate_bytes".to_owned(), certificate.len().into());
    }
    Ok(report)
}

/// A key in numbers, as JSON.
pub(crate) fn private(
    device: &mut Device,
    kind: Kind,
    numbers: KeyPrivateData,
    about: &About,
) -> Result<Report, Failure> {
    let mut key = PrivateKey::new(about.mechanisms(kind)?, kind.into(), numbers);
    key.label = about.label()?;
    key.restrictions = about.restrictions()?;
    let id = match about.id()? {
        Some(id) => {
            device.change(ADMINISTRATOR, "keys_key_id_put", |asking| {
                let body = KeysKeyIdPutBody::ApplicationJson(key.clone());
                default_api::keys_key_id_put(asking, &id, body)
            })?;
            id
        }
        None => {
            let made = device.change(ADMINISTRATOR, "keys_post", |asking| {
                default_api::keys_post(asking, KeysPostBody::ApplicationJson(key.clone()))
            })?;
            made.value.id
        }
    };
    done(&id, KeyType::from(kind).to_string())
}

/// The key as PEM, which devices read: of DER they would not know what it is.
fn pem(bytes: &[u8]) -> Option<Zeroizing<String>> {
    if bytes.starts_with(b"-----BEGIN ") {
        return String::from_utf8(bytes.to_vec()).ok().map(Zeroizing::new);
    }
    // A list whose first element is a version, which says with the second what it is.
    let mut content = Reader::new(bytes).enter(SEQUENCE)?;
    let name = match (content.number()?, content.tag()?) {
        (0 | 1, SEQUENCE) => "PRIVATE KEY",
        // The modulus.
        (0, INTEGER) => "RSA PRIVATE KEY",
        (1, OCTETS) => "EC PRIVATE KEY",
        _ => return None,
    };
    let body = Zeroizing::new(Base64::encode_string(bytes));
    let mut text = Zeroizing::new(format!("-----BEGIN {name}-----\n"));
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {name}-----\n"));
    Some(text)
}

fn encoded(
    device: &mut Device,
    pem: &str,
    id: Option<String>,
    about: &About,
) -> Result<Report, Failure> {
    let mut arguments = PrivateKeyPemArguments::new();
    // The device finds out what the key is: what it is for must be said, or it can sign.
    let mechanisms = match about.mechanisms.is_empty() {
        false => about.mechanisms.clone(),
        true => about.mechanisms(kind_of(pem).ok_or_else(|| {
            Failure::usage("what the key is for must be said with --mechanism")
        })?)?,
    };
    arguments.mechanisms = Some(mechanisms);
    arguments.restrictions = about.restrictions()?;
    arguments.label = about.label()?;
    let arguments = serde_json::to_string(&arguments).map_err(Failure::failed)?;
    let operation = if id.is_some() {
        "keys_key_id_put"
    } else {
        "keys_post"
    };
    let made = device.change(ADMINISTRATOR, operation, |asking| {
        send(asking, id.as_deref(), &arguments, pem)
    })?;
    let id = id.unwrap_or(made.value.id);
    Ok(Report::done(format!("added {id}"), json!({ "id": id })))
}

/// The algorithm that a PEM file names, as far as it decides what the key is for.
fn kind_of(pem: &str) -> Option<Kind> {
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = Zeroizing::new(Base64::decode_vec(&body).ok()?);
    let has = |oid: &[u8]| der.windows(oid.len()).any(|window| window == oid);
    let begins = |name: &str| pem.starts_with(&format!("-----BEGIN {name}-----"));
    // rsaEncryption, id-Ed25519, id-ecPublicKey.
    if begins("RSA PRIVATE KEY") || has(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]) {
        Some(Kind::Rsa)
    } else if has(&[0x06, 0x03, 0x2b, 0x65, 0x70]) {
        Some(Kind::Curve25519)
    } else if begins("EC PRIVATE KEY") || has(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]) {
        Some(Kind::EcP256)
    } else {
        None
    }
}

/// Without the SDK, which forgets the boundary of the parts.
fn send(
    asking: &Configuration,
    id: Option<&str>,
    arguments: &str,
    pem: &str,
) -> Result<ResponseContent<CreateResourceId>, Error<()>> {
    // Neither JSON nor PEM can have this in it.
    let boundary = "~~nethsm-cli~~";
    let part = |name: &str, kind: &str, text: &str| {
        Zeroizing::new(format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\
             content-type: {kind}\r\n\r\n{text}\r\n"
        ))
    };
    let mut body = Zeroizing::new(Vec::with_capacity(pem.len() + arguments.len() + 1024));
    body.extend_from_slice(part("arguments", "application/json", arguments).as_bytes());
    body.extend_from_slice(part("key_file", "application/x-pem-file", pem).as_bytes());
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let base = &asking.base_path;
    let request = match id {
        Some(id) => asking.client.put(format!("{base}/keys/{id}")),
        None => asking.client.post(format!("{base}/keys")),
    };
    let mut request = request.content_type(format!("multipart/form-data; boundary={boundary}"));
    if let Some(authorization) = authorization(asking) {
        request = request.header("authorization", authorization.as_str());
    }
    let answer = request.send(body.as_slice())?;
    let status = answer.status().as_u16();
    let content = answer.into_body().read_to_vec()?;
    let made = match id {
        // Answered without a text.
        Some(id) => CreateResourceId::new(id.to_owned()),
        None => serde_json::from_slice(&content)?,
    };
    Ok(ResponseContent {
        status,
        content,
        entity: made,
        headers: HashMap::new(),
    })
}
