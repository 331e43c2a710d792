//! `tls …`: how the device proves who it is.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use signstar_nethsm::sdk::apis::configuration::Configuration;
use signstar_nethsm::sdk::apis::{Error, ResponseContent, default_api};
use signstar_nethsm::sdk::models::{TlsKeyGenerateRequestData, TlsKeyType};
use zeroize::Zeroizing;

use crate::device::{ADMINISTRATOR, Device};
use crate::failure::Failure;
use crate::key::name::Name;
use crate::new_file;
use crate::report::Report;

/// Chains are a few kilobytes.
const PEM_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum TlsVerb {
    /// The public key, PEM (Administrator)
    Public(Out),
    /// A request for a certificate, PEM (Administrator)
    Csr(Csr),
    /// Make a new key, with a certificate signed by itself, which is used at once (Administrator)
    ///
    /// Trust it with `device trust` afterwards.
    Generate(Generate),
    /// The certificate
    #[command(subcommand)]
    Cert(PemVerb),
    /// The authority of a cluster, by which its devices know each other
    #[command(subcommand)]
    ClusterCa(PemVerb),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PemVerb {
    /// Show it, PEM (Administrator)
    Get(Out),
    /// Replace it by a PEM file, which is used at once (Administrator)
    Set(Set),
}

#[derive(Args, Debug)]
pub(crate) struct Out {
    /// Write it to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Set {
    /// PEM: the certificate, then those that have signed it
    file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Csr {
    #[command(flatten)]
    name: Name,
    #[command(flatten)]
    out: Out,
}

#[derive(Args, Debug)]
pub(crate) struct Generate {
    /// Its kind
    #[arg(value_enum)]
    kind: Kind,
    /// The length of an RSA key, in bits
    #[arg(long)]
    length: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    #[value(name = "RSA", alias = "rsa")]
    Rsa,
    #[value(name = "Curve25519", alias = "curve25519")]
    Curve25519,
    #[value(name = "EC_P256", alias = "p256")]
    EcP256,
    #[value(name = "EC_P384", alias = "p384")]
    EcP384,
    #[value(name = "EC_P521", alias = "p521")]
    EcP521,
    #[value(name = "BrainpoolP256")]
    BrainpoolP256,
    #[value(name = "BrainpoolP384")]
    BrainpoolP384,
    #[value(name = "BrainpoolP512")]
    BrainpoolP512,
}

impl From<Kind> for TlsKeyType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Rsa => Self::Rsa,
            Kind::Curve25519 => Self::Curve25519,
            Kind::EcP256 => Self::EcP256,
            Kind::EcP384 => Self::EcP384,
            Kind::EcP521 => Self::EcP521,
            Kind::BrainpoolP256 => Self::BrainpoolP256,
            Kind::BrainpoolP384 => Self::BrainpoolP384,
            Kind::BrainpoolP512 => Self::BrainpoolP512,
        }
    }
}

pub(crate) fn tls(device: &mut Device, verb: &TlsVerb) -> Result<Report, Failure> {
    let operation;
    let (pem, out) = match verb {
        TlsVerb::Public(out) => {
            operation = "config_tls_public_pem_get";
            (
                device.read(
                    ADMINISTRATOR,
                    operation,
                    default_api::config_tls_public_pem_get,
                )?,
                out,
            )
        }
        TlsVerb::Csr(options) => {
            operation = "config_tls_csr_pem_post";
            let name = options.name.to_request();
            let pem = device.read(ADMINISTRATOR, operation, |asking| {
                default_api::config_tls_csr_pem_post(asking, name.clone())
            })?;
            (pem, &options.out)
        }
        TlsVerb::Generate(options) => return generate(device, options),
        TlsVerb::Cert(PemVerb::Get(out)) => {
            operation = "config_tls_cert_pem_get";
            (
                device.read(
                    ADMINISTRATOR,
                    operation,
                    default_api::config_tls_cert_pem_get,
                )?,
                out,
            )
        }
        TlsVerb::ClusterCa(PemVerb::Get(out)) => {
            operation = "config_tls_cluster_ca_pem_get";
            let ask = default_api::config_tls_cluster_ca_pem_get;
            (device.read(ADMINISTRATOR, operation, ask)?, out)
        }
        TlsVerb::Cert(PemVerb::Set(options)) => {
            let pem = read(&options.file)?;
            device.confirm("shows another certificate from now on", "yes")?;
            device.change(ADMINISTRATOR, "config_tls_cert_pem_put", |asking| {
                put(asking, "/config/tls/cert.pem", &pem)
            })?;
            let text = format!(
                "has another TLS certificate: nethsm-cli device trust {}",
                device.label
            );
            return Ok(Report::done(text, json!({ "changed": true })));
        }
        TlsVerb::ClusterCa(PemVerb::Set(options)) => {
            let pem = read(&options.file)?;
            device.change(ADMINISTRATOR, "config_tls_cluster_ca_pem_put", |asking| {
                put(asking, "/config/tls/cluster-ca.pem", &pem)
            })?;
            let text = "has that authority for its cluster";
            return Ok(Report::done(text, json!({ "changed": true })));
        }
    };
    Report::bytes(pem.into_bytes(), out.out.as_deref(), new_file::PUBLIC)
}

fn generate(device: &mut Device, options: &Generate) -> Result<Report, Failure> {
    if (options.kind == Kind::Rsa) != options.length.is_some() {
        return Err(Failure::usage("RSA keys, and only they, have a --length"));
    }
    device.confirm("forgets its TLS key and makes another one", "yes")?;
    device.change(ADMINISTRATOR, "config_tls_generate_post", |asking| {
        let mut request = TlsKeyGenerateRequestData::new(options.kind.into());
        request.length = options.length;
        default_api::config_tls_generate_post(asking, request)
    })?;
    let text = format!(
        "has another TLS key: nethsm-cli device trust {}",
        device.label
    );
    Ok(Report::done(text, json!({ "changed": true })))
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::with(path, &error);
    let length = std::fs::metadata(path).map_err(failed)?.len();
    let pem = match length <= PEM_BYTES_MAX {
        true => std::fs::read_to_string(path).unwrap_or_default(),
        false => String::new(),
    };
    match pem.contains("-----BEGIN ") {
        true => Ok(pem),
        false => Err(Failure::failed(format!("{}: is no PEM", path.display()))),
    }
}

/// Without the SDK, whose function for this asks for JSON, which devices do not give here: they
/// refuse it with status 406.
fn put(asking: &Configuration, path: &str, pem: &str) -> Result<ResponseContent<()>, Error<()>> {
    let mut request = asking
        .client
        .put(format!("{}{path}", asking.base_path))
        .content_type("application/x-pem-file");
    if let Some(authorization) = authorization(asking) {
        request = request.header("authorization", authorization.as_str());
    }
    let answer = request.send(pem)?;
    Ok(ResponseContent {
        status: answer.status().as_u16(),
        content: Vec::new(),
        entity: (),
        headers: std::collections::HashMap::new(),
    })
}

/// What says who asks.
pub(crate) fn authorization(asking: &Configuration) -> Option<Zeroizing<String>> {
    let (user, passphrase) = asking.basic_auth.as_ref()?;
    let passphrase = passphrase.as_deref().unwrap_or_default();
    let pair = Zeroizing::new(format!("{user}:{passphrase}"));
    let encoded = Zeroizing::new(Base64::encode_string(pair.as_bytes()));
    Some(Zeroizing::new(format!("Basic {}", encoded.as_str())))
}
