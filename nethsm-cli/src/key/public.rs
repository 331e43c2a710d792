//! `key public`: the public key, as others read it.

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use signstar_core::Certificate;
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{KeyPublicData, KeyType};

use super::key_id;
use crate::device::{Device, EITHER};
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::report::Report;
use crate::tls::Out;

#[derive(Args, Debug)]
pub(crate) struct Public {
    /// The key
    id: String,
    /// In which form
    #[arg(long, value_enum, default_value = "pem")]
    format: Format,
    #[command(flatten)]
    out: Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// SubjectPublicKeyInfo, PEM
    Pem,
    /// SubjectPublicKeyInfo, DER
    Der,
    /// JSON Web Key (RFC 7517)
    Jwk,
    /// A line for authorized_keys(5)
    Ssh,
    /// The OpenPGP certificate that hangs on the key: without it there is no time of creation
    Openpgp,
}

pub(crate) fn public(device: &mut Device, options: &Public) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    let out = options.out.out.as_deref();
    if options.format == Format::Openpgp {
        let bytes = device.read(EITHER, "keys_key_id_cert_get", |asking| {
            default_api::keys_key_id_cert_get(asking, id)
        });
        let none = || {
            Failure::new(
                Status::Absent,
                format!("{id}: has no OpenPGP certificate: nethsm-cli openpgp create --store"),
            )
        };
        return match bytes {
            Ok(bytes) if Certificate::parse(&bytes).is_ok() => {
                Report::bytes(bytes, out, new_file::PUBLIC)
            }
            Ok(_) => Err(none()),
            Err(failure) if failure.status == Status::Absent => Err(none()),
            Err(failure) => Err(failure),
        };
    }
    if matches!(options.format, Format::Pem | Format::Der) {
        let pem = device.read(EITHER, "keys_key_id_public_pem_get", |asking| {
            default_api::keys_key_id_public_pem_get(asking, id)
        })?;
        let bytes = match options.format {
            Format::Der => {
                let body: String = pem
                    .lines()
                    .filter(|line| !line.starts_with("-----"))
                    .collect();
                Base64::decode_vec(&body)
                    .map_err(|_| Failure::failed("the device has sent no PEM"))?
            }
            _ => pem.into_bytes(),
        };
        return Report::bytes(bytes, out, new_file::PUBLIC);
    }
    let key = device.read(EITHER, "keys_key_id_get", |asking| {
        default_api::keys_key_id_get(asking, id)
    })?;
    let none = || Failure::usage(format!("{id}: keys of its kind have no such form"));
    let parts = key
        .public
        .as_deref()
        .and_then(|public| Parts::of(key.r#type, public));
    let parts = parts.ok_or_else(none)?;
    let text = match options.format {
        Format::Jwk => format!("{:#}\n", parts.jwk(id).ok_or_else(none)?),
        _ => format!("{} {id}\n", parts.ssh().ok_or_else(none)?),
    };
    Report::bytes(text.into_bytes(), out, new_file::PUBLIC)
}

/// The numbers of a public key.
enum Parts {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    Ed25519(Vec<u8>),
    /// A curve's names (RFC 7518, RFC 5656), and the point, uncompressed.
    Curve {
        jwk: &'static str,
        ssh: Option<&'static str>,
        point: Vec<u8>,
    },
}

impl Parts {
    fn of(kind: KeyType, public: &KeyPublicData) -> Option<Self> {
        let bytes = |text: &Option<String>| Base64::decode_vec(text.as_deref()?).ok();
        let (jwk, ssh) = match kind {
            KeyType::Rsa => {
                let (modulus, exponent) =
                    (bytes(&public.modulus)?, bytes(&public.public_exponent)?);
                return Some(Self::Rsa { modulus, exponent });
            }
            KeyType::Curve25519 => return bytes(&public.data).map(Self::Ed25519),
            KeyType::EcP256 => ("P-256", Some("nistp256")),
            KeyType::EcP384 => ("P-384", Some("nistp384")),
            KeyType::EcP521 => ("P-521", Some("nistp521")),
            KeyType::EcP256K1 => ("secp256k1", None),
            _ => return None,
        };
        let point = bytes(&public.data)?;
        Some(Self::Curve { jwk, ssh, point })
    }

    fn jwk(&self, id: &str) -> Option<Value> {
        let text = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        Some(match self {
            Self::Rsa { modulus, exponent } => json!({
                "kid": id, "kty": "RSA", "n": text(positive(modulus)), "e": text(positive(exponent)),
            }),
            Self::Ed25519(point) => {
                json!({ "kid": id, "kty": "OKP", "crv": "Ed25519", "x": text(point) })
            }
            Self::Curve { jwk, point, .. } => {
                let (form, coordinates) = point.split_first()?;
                if *form != 4 || coordinates.len() % 2 != 0 {
                    return None;
                }
                let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
                json!({ "kid": id, "kty": "EC", "crv": jwk, "x": text(x), "y": text(y) })
            }
        })
    }

    fn ssh(&self) -> Option<String> {
        let mut blob = Vec::new();
        let name = match self {
            Self::Rsa { modulus, exponent } => {
                put(&mut blob, b"ssh-rsa")?;
                put(&mut blob, &number(exponent))?;
                put(&mut blob, &number(modulus))?;
                "ssh-rsa".to_owned()
            }
            Self::Ed25519(point) => {
                put(&mut blob, b"ssh-ed25519")?;
                put(&mut blob, point)?;
                "ssh-ed25519".to_owned()
            }
            Self::Curve { ssh, point, .. } => {
                let curve = (*ssh)?;
                let name = format!("ecdsa-sha2-{curve}");
                put(&mut blob, name.as_bytes())?;
                put(&mut blob, curve.as_bytes())?;
                put(&mut blob, point)?;
                name
            }
        };
        Some(format!("{name} {}", Base64::encode_string(&blob)))
    }
}

/// Without zeros before it.
fn positive(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// An `mpint` (RFC 4251, section 5).
fn number(bytes: &[u8]) -> Vec<u8> {
    let bytes = positive(bytes);
    let sign = bytes
        .first()
        .is_some_and(|first| *first >= 0x80)
        .then_some(0);
    sign.into_iter().chain(bytes.iter().copied()).collect()
}

/// A `string` (RFC 4251, section 5).
fn put(blob: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    blob.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
    blob.extend_from_slice(bytes);
    Some(())
}
