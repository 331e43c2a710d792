//! `key decrypt` and `key encrypt`.

use base64ct::{Base64, Encoding as _};
use clap::{Args, ValueEnum};
use signstar_nethsm::sdk::apis::default_api;
use signstar_nethsm::sdk::models::{
    DecryptMode, DecryptRequestData, EncryptMode, EncryptRequestData,
};
use zeroize::Zeroizing;

use super::data::{Data, decoded};
use super::key_id;
use crate::device::{Device, OPERATOR};
use crate::failure::Failure;
use crate::new_file;
use crate::report::Report;

/// A block of AES.
const BLOCK_BYTES: usize = 16;

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
