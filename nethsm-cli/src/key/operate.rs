//! `key sign`, `key decrypt` and `key encrypt`.
//!
//! Devices hash nothing but for EdDSA: each mode wants a digest in its own form, which is made here.

use std::io::Read as _;
use std::path::PathBuf;

use base64ct::{Base64, Encoding as _};
use clap::{Args, ValueEnum};
use serde_json::json;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    DecryptMode, DecryptRequestData, EncryptMode, EncryptRequestData, KeyType, SignMode,
    SignRequestData,
};
use zeroize::Zeroizing;

use super::key_id;
use crate::device::{Device, OPERATOR};
use crate::failure::Failure;
use crate::new_file;
use crate::report::Report;

/// What a device takes at once, as base64 in 67 MiB.
const MESSAGE_BYTES_MAX: u64 = 50 << 20;
/// A block of AES.
const BLOCK_BYTES: usize = 16;

#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// The key
    id: String,
    /// How; pss-… and bip340 want --prehashed or the hash of their name
    #[arg(long, value_enum)]
    mode: Mode,
    /// With which hash [default: that of the mode, of the curve, or sha256]
    #[arg(long, value_enum)]
    hash: Option<Hash>,
    /// The input is the digest itself
    #[arg(long)]
    prehashed: bool,
    #[command(flatten)]
    data: Data,
}

/// What goes in and where it goes.
#[derive(Args, Debug)]
pub(crate) struct Data {
    /// The file to read; - for standard input
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// In which form
    #[arg(long, value_enum, default_value = "raw")]
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Raw,
    Base64,
    Hex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "kebab-case")]
enum Mode {
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
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    const fn bytes(self) -> usize {
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
    const fn sdk(self) -> SignMode {
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
    let message = message(device, id, options)?;
    let message = Base64::encode_string(&message);
    let answer = device.change(OPERATOR, "keys_key_id_sign_post", |asking| {
        let request = SignRequestData::new(options.mode.sdk(), message.clone());
        default_api::keys_key_id_sign_post(asking, id, request)
    })?;
    let signature = decoded(&answer.value.signature)?;
    options
        .data
        .report(&signature, new_file::PUBLIC, "signature")
}

/// What the device is given to sign.
fn message(device: &mut Device, id: &str, options: &Sign) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let input = options.data.read()?;
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
    let key = device.read(OPERATOR, "keys_key_id_get", |asking| {
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

#[derive(Args, Debug)]
pub(crate) struct Decrypt {
    /// The key
    id: String,
    /// How
    #[arg(long, value_enum)]
    mode: Decryption,
    /// The initial vector for aes-cbc, 32 hexadecimal digits [default: the first block of the input]
    #[arg(long, value_name = "HEX")]
    iv: Option<String>,
    #[command(flatten)]
    data: Data,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decryption {
    Raw,
    Pkcs1,
    OaepMd5,
    OaepSha1,
    OaepSha224,
    OaepSha256,
    OaepSha384,
    OaepSha512,
    AesCbc,
}

impl Decryption {
    const fn sdk(self) -> DecryptMode {
        match self {
            Self::Raw => DecryptMode::Raw,
            Self::Pkcs1 => DecryptMode::Pkcs1,
            Self::OaepMd5 => DecryptMode::OaepMd5,
            Self::OaepSha1 => DecryptMode::OaepSha1,
            Self::OaepSha224 => DecryptMode::OaepSha224,
            Self::OaepSha256 => DecryptMode::OaepSha256,
            Self::OaepSha384 => DecryptMode::OaepSha384,
            Self::OaepSha512 => DecryptMode::OaepSha512,
            Self::AesCbc => DecryptMode::AesCbc,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Encrypt {
    /// The key
    id: String,
    /// The initial vector, 32 hexadecimal digits [default: the device makes one]
    #[arg(long, value_name = "HEX")]
    iv: Option<String>,
    #[command(flatten)]
    data: Data,
}

/// An initial vector as devices take it.
fn iv(text: &str) -> Result<String, Failure> {
    let wrong = || Failure::usage("an initial vector has 32 hexadecimal digits");
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|char| char.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits
        .filter(|digits| digits.len() == 2 * BLOCK_BYTES)
        .ok_or_else(wrong)?;
    let (pairs, _) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    Ok(Base64::encode_string(&bytes))
}

pub(crate) fn decrypt(device: &mut Device, options: &Decrypt) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    let input = options.data.read()?;
    let (iv, encrypted) = match (options.mode, &options.iv) {
        (Decryption::AesCbc, Some(text)) => (Some(iv(text)?), input.as_slice()),
        (Decryption::AesCbc, None) => {
            let parts = input.split_at_checked(BLOCK_BYTES);
            let (first, rest) =
                parts.ok_or_else(|| Failure::usage("the input is shorter than a block"))?;
            (Some(Base64::encode_string(first)), rest)
        }
        (_, Some(_)) => return Err(Failure::usage("--iv is for aes-cbc")),
        (_, None) => (None, input.as_slice()),
    };
    let encrypted = Base64::encode_string(encrypted);
    let answer = device.read(OPERATOR, "keys_key_id_decrypt_post", |asking| {
        let mut request = DecryptRequestData::new(options.mode.sdk(), encrypted.clone());
        request.iv.clone_from(&iv);
        default_api::keys_key_id_decrypt_post(asking, id, request)
    })?;
    let text = Zeroizing::new(answer.decrypted);
    options
        .data
        .report(&decoded(&text)?, new_file::SECRET, "decrypted")
}

pub(crate) fn encrypt(device: &mut Device, options: &Encrypt) -> Result<Report, Failure> {
    let id = key_id(&options.id)?;
    let input = options.data.read()?;
    if input.len() % BLOCK_BYTES != 0 {
        return Err(Failure::usage(
            "nothing is padded: the input must be blocks of 16 bytes",
        ));
    }
    let given = options.iv.as_deref().map(iv).transpose()?;
    let message = Zeroizing::new(Base64::encode_string(&input));
    let answer = device.read(OPERATOR, "keys_key_id_encrypt_post", |asking| {
        let mut request = EncryptRequestData::new(EncryptMode::AesCbc, message.to_string());
        request.iv.clone_from(&given);
        default_api::keys_key_id_encrypt_post(asking, id, request)
    })?;
    let mut encrypted = decoded(&answer.iv)?;
    if given.is_some() {
        encrypted.clear();
    }
    encrypted.extend_from_slice(&decoded(&answer.encrypted)?);
    options
        .data
        .report(&encrypted, new_file::PUBLIC, "encrypted")
}

fn decoded(text: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    Base64::decode_vec(text)
        .map(Zeroizing::new)
        .map_err(|_| Failure::failed("the device has sent no base64"))
}

impl Data {
    fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut bytes = Zeroizing::new(Vec::new());
        let read = match self.input.as_os_str() == "-" {
            true => std::io::stdin()
                .lock()
                .take(MESSAGE_BYTES_MAX + 1)
                .read_to_end(&mut bytes),
            false => std::fs::File::open(&self.input)
                .and_then(|file| file.take(MESSAGE_BYTES_MAX + 1).read_to_end(&mut bytes)),
        };
        let count = read.map_err(|error| Failure::with(&self.input, &error))?;
        match u64::try_from(count) {
            Ok(count) if count <= MESSAGE_BYTES_MAX => Ok(bytes),
            _ => Err(Failure::usage("the input is longer than 50 MiB")),
        }
    }

    fn report(&self, bytes: &[u8], mode: u32, name: &str) -> Result<Report, Failure> {
        let written = match self.form {
            Form::Raw => bytes.to_vec(),
            Form::Base64 => format!("{}\n", Base64::encode_string(bytes)).into_bytes(),
            Form::Hex => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{digits}\n").into_bytes()
            }
        };
        let mut report = Report::bytes(written, self.out.as_deref(), mode)?;
        if self.out.is_none() {
            report.value = json!({ name: Base64::encode_string(bytes) });
        }
        Ok(report)
    }
}
