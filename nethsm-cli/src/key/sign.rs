//! `key sign`.
//!
//! Devices hash nothing but for EdDSA: each mode wants a digest in its own form, which is made here.

use base64ct::{Base64, Encoding as _};
use clap::{Args, ValueEnum};
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{KeyType, SignMode, SignRequestData};
use zeroize::Zeroizing;

use super::data::{Data, decoded};
use super::key_id;
use super::verify::{self, Verdict};
use crate::device::{Device, EITHER, OPERATOR};
use crate::failure::{Failure, Status};
use crate::new_file;
use crate::report::Report;

#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The key
    id: String,
    #[command(flatten)]
    how: How,
    /// Verify the signature here before it is written
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    data: Data,
}

/// How something is signed.
#[derive(Args, Debug)]
pub(super) struct How {
    /// How; pss-… and bip340 want --prehashed or the hash of their name
    #[arg(long, value_enum)]
    mode: Mode,
    /// With which hash [default: that of the mode, of the curve, or sha256]
    #[arg(long, value_enum)]
    hash: Option<Hash>,
    /// The input is the digest itself
    #[arg(long)]
    prehashed: bool,
}

impl How {
    pub(super) const fn mode(&self) -> Mode {
        self.mode
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub(crate) enum Mode {
    Pkcs1,
    PssMd5,
    PssSha1,
    PssSha224,
    PssSha256,
    PssSha384,
    PssSha512,
    Eddsa,
    Ecdsa,
    Bip340,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// What stands before the digest in a PKCS#1 signature (RFC 8017, section 9.2).
    const fn prefix(self) -> [u8; 19] {
        let (number, length) = match self {
            Self::Sha224 => (4, 28),
            Self::Sha256 => (1, 32),
            Self::Sha384 => (2, 48),
            Self::Sha512 => (3, 64),
        };
        [
            0x30,
            0x11 + length,
            0x30,
            0x0d,
            0x06,
            0x09,
            0x60,
            0x86,
            0x48,
            0x01,
            0x65,
            0x03,
            0x04,
            0x02,
            number,
            0x05,
            0x00,
            0x04,
            length,
        ]
    }
}

impl Mode {
    pub(crate) const fn sdk(self) -> SignMode {
        match self {
            Self::Pkcs1 => SignMode::Pkcs1,
            Self::PssMd5 => SignMode::PssMd5,
            Self::PssSha1 => SignMode::PssSha1,
            Self::PssSha224 => SignMode::PssSha224,
            Self::PssSha256 => SignMode::PssSha256,
            Self::PssSha384 => SignMode::PssSha384,
            Self::PssSha512 => SignMode::PssSha512,
            Self::Eddsa => SignMode::EdDsa,
            Self::Ecdsa => SignMode::Ecdsa,
            Self::Bip340 => SignMode::Bip340,
        }
    }

    /// The hash that the name of the mode says.
    const fn hash(self) -> Option<Hash> {
        match self {
            Self::PssSha224 => Some(Hash::Sha224),
            Self::PssSha256 | Self::Bip340 => Some(Hash::Sha256),
            Self::PssSha384 => Some(Hash::Sha384),
            Self::PssSha512 => Some(Hash::Sha512),
            Self::Pkcs1 | Self::PssMd5 | Self::PssSha1 | Self::Eddsa | Self::Ecdsa => None,
        }
    }
}

pub(crate) fn sign(device: &mut Device, options: &Sign) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    device.rehearse("keys_key_id_sign_post")?;
    let mode = options.how.mode;
    let key = match options.verify {
        false => None,
        true => Some(verify::public(device, id)?),
    };
    if key
        .as_ref()
        .is_some_and(|key| !verify::known(key.r#type, mode))
    {
        return Err(verify::unknown());
    }
    let message = message(device, id, &options.how, options.data.read()?)?;
    let encoded = Base64::encode_string(&message);
    let answer = device.change(OPERATOR, "keys_key_id_sign_post", |asking| {
        let request = SignRequestData::new(mode.sdk(), encoded.clone());
        default_api::keys_key_id_sign_post(asking, id, request)
    })?;
    let signature = decoded(&answer.value.signature)?;
    if let Some(key) = key
        && verify::judged(&key, mode, &message, &signature) != Verdict::Good
    {
        let text = format!(
            "{}: {id} has made a wrong signature: nothing was written",
            device.label
        );
        return Err(Failure::new(Status::Wrong, text));
    }
    options
        .data
        .report(&signature, new_file::PUBLIC, "signature")
}

/// What the device is given to sign.
pub(super) fn message(
    device: &mut Device,
    id: &str,
    options: &How,
    input: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let wanted = options.mode.hash();
    match (options.hash, wanted) {
        (Some(given), Some(wanted)) if given != wanted => {
            return Err(Failure::usage("that mode has another hash"));
        }
        (Some(_), None) if options.mode == Mode::Eddsa => {
            return Err(Failure::usage("EdDSA hashes by itself: leave --hash out"));
        }
        _ => {}
    }
    match options.mode {
        Mode::Eddsa if options.prehashed => Err(Failure::usage(
            "EdDSA hashes by itself: leave --prehashed out",
        )),
        Mode::Eddsa => Ok(input),
        Mode::Pkcs1 => {
            let hash = options.hash.unwrap_or(Hash::Sha256);
            let digest = match options.prehashed {
                true => exactly(input, hash)?,
                false => Zeroizing::new(hash.digest(&input)),
            };
            Ok(Zeroizing::new([&hash.prefix()[..], &digest].concat()))
        }
        _ if options.prehashed => match options.hash.or(wanted) {
            Some(hash) => exactly(input, hash),
            None => Ok(input),
        },
        Mode::Ecdsa => {
            let hash = match options.hash {
                Some(hash) => hash,
                None => curve_hash(device, id)?,
            };
            Ok(Zeroizing::new(hash.digest(&input)))
        }
        _ => match wanted {
            Some(hash) => Ok(Zeroizing::new(hash.digest(&input))),
            None => Err(Failure::usage("MD5 and SHA-1 are for --prehashed only")),
        },
    }
}

fn exactly(digest: Zeroizing<Vec<u8>>, hash: Hash) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match digest.len() == hash.bytes() {
        true => Ok(digest),
        false => {
            let text = format!("the digest must have {} bytes, raw", hash.bytes());
            Err(Failure::usage(text))
        }
    }
}

/// Devices want a digest of exactly the length of the curve.
fn curve_hash(device: &mut Device, id: &str) -> Result<Hash, Failure> {
    let key = device.read(EITHER, "keys_key_id_get", |asking| {
        default_api::keys_key_id_get(asking, id)
    })?;
    match key.r#type {
        KeyType::EcP256 | KeyType::EcP256K1 | KeyType::BrainpoolP256 => Ok(Hash::Sha256),
        KeyType::EcP384 | KeyType::BrainpoolP384 => Ok(Hash::Sha384),
        KeyType::EcP521 | KeyType::BrainpoolP512 => Ok(Hash::Sha512),
        other => Err(Failure::usage(format!(
            "{id}: is {other}, which has no ECDSA"
        ))),
    }
}
