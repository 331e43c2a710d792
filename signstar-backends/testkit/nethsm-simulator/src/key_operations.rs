//! What operators do with keys: signing, decrypting, encrypting; signing requests; random bytes.

use std::sync::Arc;

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use aes::{Aes128, Aes192, Aes256};

use crate::access::Access;
use crate::base64;
use crate::crypto::certificate::{self, Subject};
use crate::crypto::private_key::PrivateKey;
use crate::crypto::{random_bytes, rsa_key};
use crate::device::Device;
use crate::exchange::{Answer, Refusal};
use crate::json::Json;
use crate::json::schema::{Misfit, Record, decode};
use crate::json::writer::{object, string};
use crate::keys::{is_usable, key_exists, need};
use crate::mechanism::{DecryptMode, Mechanism, SignMode};
use crate::metrics::KeyUse;
use crate::resource::{Call, Limit, Media, Resource};

const BLOCK_BYTES: usize = 16;

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::new(
        "random",
        &[("POST", "random_post")],
        Access::Operator,
        random,
    ),
    Resource::new(
        "keys/:/sign",
        &[("POST", "keys_key_id_sign_post")],
        Access::Operator,
        sign,
    )
    .limit(Limit::Message)
    .exists(key_exists),
    Resource::new(
        "keys/:/decrypt",
        &[("POST", "keys_key_id_decrypt_post")],
        Access::Operator,
        decrypt,
    )
    .limit(Limit::Message)
    .exists(key_exists),
    Resource::new(
        "keys/:/encrypt",
        &[("POST", "keys_key_id_encrypt_post")],
        Access::Operator,
        encrypt,
    )
    .limit(Limit::Message)
    .exists(key_exists),
    Resource::new(
        "keys/:/csr.pem",
        &[("POST", "keys_key_id_csr_pem_post")],
        Access::AdministratorOrOperator,
        request,
    )
    .media(Media::Pem)
    .exists(key_exists),
];

fn random(_: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let length = decode(call.body(), |json| {
        let length = Record::of(json, "Json.random_req", &["length"])?.int("length")?;
        let length = usize::try_from(length).ok();
        let fits = length.filter(|length| (1..=1024).contains(length));
        fits.ok_or_else(|| "length must be between 1 and 1024".to_owned())
    })?;
    let bytes = random_bytes(length)?;
    Ok(Answer::Body(object([(
        "random",
        string(base64::encode(&bytes)),
    )])))
}

/// The mode of a request, by its name.
fn mode<T>(
    record: &Record<'_>,
    path: &str,
    from_name: impl Fn(&str) -> Option<T>,
) -> Result<T, Misfit> {
    match record.need("mode")? {
        Json::String(name) => from_name(&String::from_utf8_lossy(name)).ok_or(path.to_owned()),
        _ => Err(format!(
            "Expected JSON string for {}",
            path.replace("Json.", "").replace('_', " ")
        )),
    }
}

/// The octets of a request; its base64 may come in lines.
fn octets(text: &str) -> Result<Vec<u8>, Refusal> {
    base64::decode(&text.replace('\n', ""))
        .map_err(|error| Refusal::bad(format!("Couldn't decode data from base64: {error}.")))
}

/// The key, when the caller may use it for that.
fn usable(
    device: &Device,
    call: &Call<'_>,
    text: &str,
    mechanism: Mechanism,
    what: &str,
) -> Result<(Arc<PrivateKey>, Vec<u8>), Refusal> {
    let key = need(device, call)?;
    if !is_usable(device, call, key) {
        return Err(Refusal::new(403, "tags restriction not met"));
    }
    let octets = octets(text)?;
    if !key.mechanisms.contains(&mechanism) {
        return Err(Refusal::bad(format!(
            "Key mechanisms do not allow requested {what}."
        )));
    }
    Ok((Arc::clone(&key.key), octets))
}

/// Counts a use that worked.
fn count(device: &mut Device, call: &Call<'_>, key_use: KeyUse) {
    device.metrics.used(key_use);
    let (namespace, id) = (call.namespace(), call.parameter(0).to_owned());
    let name = match &namespace {
        Some(namespace) => format!("{namespace}~{id}"),
        None => id.clone(),
    };
    *device.key_uses.entry(name).or_default() += 1;
    let keys = device.store.as_mut().map(|store| &mut store.keys);
    if let Some(key) = keys.and_then(|keys| keys.get_mut(&(namespace, id))) {
        key.value.operations += 1;
    }
}

fn sign(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let ((mode, mechanism), message) = decode(call.body(), |json| {
        let record = Record::of(json, "Json.sign_req", &["mode", "message"])?;
        let message = record.text("message")?;
        Ok((
            mode(&record, "Json.sign_mode", SignMode::from_name)?,
            message,
        ))
    })?;
    let (key, message) = usable(device, call, &message, mechanism, "signing")?;
    let signature = match (key.as_ref(), mode) {
        (PrivateKey::Rsa(key), SignMode::Pkcs1) => rsa_key::sign_pkcs1(key, &message)?,
        (PrivateKey::Rsa(key), SignMode::Pss(hash)) => rsa_key::sign_pss(key, hash, &message)?,
        (PrivateKey::Ed25519(key), SignMode::EdDsa) => PrivateKey::sign_ed25519(key, &message),
        (PrivateKey::Ec(key), SignMode::Ecdsa) => key.sign(&message)?,
        (PrivateKey::Ec(key), SignMode::Bip340) => key.sign_bip340(&message)?,
        (PrivateKey::Generic(_), _) => return Err(Refusal::bad("Generic keys can't sign.")),
        _ => return Err(Refusal::bad("invalid sign mode")),
    };
    count(device, call, KeyUse::Sign);
    Ok(Answer::Body(object([(
        "signature",
        string(base64::encode(&signature)),
    )])))
}

/// An initialisation vector that may be absent.
fn vector(record: &Record<'_>) -> Result<Option<String>, Misfit> {
    match record.get("iv") {
        None | Some(Json::Null) => Ok(None),
        Some(_) => record.text("iv").map(Some),
    }
}

fn decrypt(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let ((mode, mechanism), encrypted, iv) = decode(call.body(), |json| {
        let record = Record::of(json, "Json.decrypt_req", &["mode", "encrypted", "iv"])?;
        let iv = vector(&record)?;
        let encrypted = record.text("encrypted")?;
        let mode = mode(&record, "Json.decrypt_mode", DecryptMode::from_name)?;
        Ok((mode, encrypted, iv))
    })?;
    let (key, block) = usable(device, call, &encrypted, mechanism, "decryption")?;
    let plain = match (key.as_ref(), mode) {
        (PrivateKey::Rsa(key), DecryptMode::Raw) => rsa_key::decrypt_raw(key, &block)?,
        (PrivateKey::Rsa(key), DecryptMode::Pkcs1) => rsa_key::decrypt_pkcs1(key, &block)?,
        (PrivateKey::Rsa(key), DecryptMode::Oaep(hash)) => {
            rsa_key::decrypt_oaep(key, hash, &block)?
        }
        (PrivateKey::Rsa(_), DecryptMode::AesCbc) => {
            return Err(Refusal::bad("Decryption failure"));
        }
        (PrivateKey::Generic(key), DecryptMode::AesCbc) => {
            let iv = iv.ok_or_else(|| Refusal::bad("AES-CBC decrypt requires IV"))?;
            let failed = |error: String| Refusal::bad(format!("Decryption failed: {error}"));
            let iv = base64::decode(&iv).map_err(|error| failed(error.to_owned()))?;
            cbc(Direction::Decrypt, key, &iv, &block).map_err(failed)?
        }
        (PrivateKey::Generic(_), _) => {
            return Err(Refusal::bad("decrypt mode not supported by Generic key"));
        }
        _ => {
            let message = "Decryption only supported for RSA and Generic keys.";
            return Err(Refusal::bad(message));
        }
    };
    count(device, call, KeyUse::Decrypt);
    Ok(Answer::Body(object([(
        "decrypted",
        string(base64::encode(&plain)),
    )])))
}

fn encrypt(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (mechanism, message, iv) = decode(call.body(), |json| {
        let record = Record::of(json, "Json.encrypt_req", &["mode", "message", "iv"])?;
        let iv = vector(&record)?;
        let message = record.text("message")?;
        let mechanism = mode(&record, "Json.encrypt_mode", |name| match name {
            "AES_CBC" => Mechanism::from_name("AES_Encryption_CBC"),
            _ => None,
        })?;
        Ok((mechanism, message, iv))
    })?;
    let (key, message) = usable(device, call, &message, mechanism, "encryption")?;
    let PrivateKey::Generic(key) = key.as_ref() else {
        let message = "Encryption only supported for Generic keys.";
        return Err(Refusal::bad(message));
    };
    let failed = |error: String| Refusal::bad(format!("Encryption failed: {error}"));
    let iv = match iv {
        Some(iv) => base64::decode(&iv).map_err(|error| failed(error.to_owned()))?,
        None => random_bytes(BLOCK_BYTES)?,
    };
    let encrypted = cbc(Direction::Encrypt, key, &iv, &message).map_err(failed)?;
    count(device, call, KeyUse::Encrypt);
    Ok(Answer::Body(object([
        ("encrypted", string(base64::encode(&encrypted))),
        ("iv", string(base64::encode(&iv))),
    ])))
}

#[derive(Clone, Copy)]
enum Direction {
    Encrypt,
    Decrypt,
}

/// AES in CBC mode without padding, with the device's words for wrong lengths.
fn cbc(direction: Direction, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>, String> {
    let wrong_key = |_| "Mirage_crypto: AES: key length not 16, 24, or 32".to_owned();
    if ![16, 24, 32].contains(&key.len()) {
        return Err(wrong_key(()));
    }
    if iv.len() != BLOCK_BYTES {
        let length = iv.len();
        return Err(format!(
            "Mirage_crypto: CBC: IV length {length} not of block size"
        ));
    }
    if !data.len().is_multiple_of(BLOCK_BYTES) {
        let length = data.len();
        return Err(format!(
            "Mirage_crypto: CBC: argument length {length} not of block size"
        ));
    }
    let wrong = |_| wrong_key(());
    let done = match (direction, key.len()) {
        (Direction::Encrypt, 16) => cbc::Encryptor::<Aes128>::new_from_slices(key, iv)
            .map_err(wrong)?
            .encrypt_padded_vec_mut::<NoPadding>(data),
        (Direction::Encrypt, 24) => cbc::Encryptor::<Aes192>::new_from_slices(key, iv)
            .map_err(wrong)?
            .encrypt_padded_vec_mut::<NoPadding>(data),
        (Direction::Encrypt, _) => cbc::Encryptor::<Aes256>::new_from_slices(key, iv)
            .map_err(wrong)?
            .encrypt_padded_vec_mut::<NoPadding>(data),
        (Direction::Decrypt, 16) => cbc::Decryptor::<Aes128>::new_from_slices(key, iv)
            .map_err(wrong)?
            .decrypt_padded_vec_mut::<NoPadding>(data)
            .unwrap_or_default(),
        (Direction::Decrypt, 24) => cbc::Decryptor::<Aes192>::new_from_slices(key, iv)
            .map_err(wrong)?
            .decrypt_padded_vec_mut::<NoPadding>(data)
            .unwrap_or_default(),
        (Direction::Decrypt, _) => cbc::Decryptor::<Aes256>::new_from_slices(key, iv)
            .map_err(wrong)?
            .decrypt_padded_vec_mut::<NoPadding>(data)
            .unwrap_or_default(),
    };
    Ok(done)
}

/// Who a signing request is for. Without alternative names the common name is one.
pub(crate) fn subject(body: &[u8]) -> Result<Subject, Refusal> {
    const NAMES: [&str; 7] = [
        "commonName",
        "countryName",
        "localityName",
        "stateOrProvinceName",
        "organizationName",
        "organizationalUnitName",
        "emailAddress",
    ];
    decode(body, |json| {
        let all: Vec<&str> = NAMES.into_iter().chain(["subjectAltNames"]).collect();
        let record = Record::of(json, "Json.subject_req", &all)?;
        let mut subject = Subject::default();
        let common = record.text("commonName")?;
        for (slot, name) in subject.names.iter_mut().zip(NAMES) {
            *slot = record.text_or_empty(name)?;
        }
        subject.alternatives = match record.get("subjectAltNames") {
            None | Some(Json::Null) => vec![common],
            Some(_) => record.texts("subjectAltNames")?,
        };
        Ok(subject)
    })
}

fn request(device: &mut Device, call: &Call<'_>) -> Result<Answer, Refusal> {
    let subject = subject(call.body())?;
    if subject.names.first().is_none_or(String::is_empty) {
        return Err(Refusal::bad("JSON field commonName is empty."));
    }
    let key = &need(device, call)?.key;
    let pem = certificate::request(key, &subject)
        .ok_or_else(|| Refusal::bad("Generic keys can't create certificates"))??;
    Ok(Answer::Body(pem.into_bytes()))
}
