//! Requests that bring or make keys, checked.

use std::collections::BTreeSet;

use crate::base64;
use crate::crypto::private_key::{KeyType, PrivateKey};
use crate::crypto::rsa_key;
use crate::device::Device;
use crate::exchange::Refusal;
use crate::identity::valid_id;
use crate::json::Json;
use crate::json::schema::{Misfit, Record, decode};
use crate::keys::fits;
use crate::mechanism::Mechanism;
use crate::multipart;
use crate::resource::Call;

/// What comes with a key.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) mechanisms: Vec<Mechanism>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) label: String,
}

/// A key to make.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) key_type: KeyType,
    pub(crate) bits: usize,
    /// Empty when the device is to choose.
    pub(crate) id: String,
    pub(crate) about: About,
}

/// A key that is brought.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) private: Private,
    pub(crate) about: About,
}

/// Its private part.
#[derive(Debug)]
pub(crate) enum Private {
    Parsed(PrivateKey),
    Pem(String),
}

/// Checks the length of a label, in bytes.
pub(crate) fn valid_label(label: &str) -> Result<(), Refusal> {
    if label.len() > 32 {
        return Err(Refusal::bad("Label is too long, max 32 bytes"));
    }
    Ok(())
}

/// The names of a record's fields: there are no labels before version 5.
fn with_label<'a>(device: &Device, names: &[&'a str]) -> Vec<&'a str> {
    let label = (device.software.0 >= 5).then_some("label");
    names.iter().copied().chain(label).collect()
}

/// What comes with a key in a request or in the store.
pub(crate) fn about(record: &Record<'_>) -> Result<About, Misfit> {
    let label = record.text_or_empty("label")?;
    let tags = match record.get("restrictions") {
        None => BTreeSet::new(),
        Some(json) => {
            let restrictions = Record::of(json, "Json.restrictions", &["tags"])?;
            match restrictions.get("tags") {
                None => BTreeSet::new(),
                Some(_) => restrictions.texts("tags")?.into_iter().collect(),
            }
        }
    };
    Ok(About {
        mechanisms: mechanisms(record)?,
        tags,
        label,
    })
}

fn mechanisms(record: &Record<'_>) -> Result<Vec<Mechanism>, Misfit> {
    let Json::List(names) = record.need("mechanisms")? else {
        return Err("Expected JSON list for mechanisms".to_owned());
    };
    let mut mechanisms = BTreeSet::new();
    for name in names {
        let Json::String(name) = name else {
            return Err("Expected JSON string for mechanism".to_owned());
        };
        let name = String::from_utf8_lossy(name);
        mechanisms.insert(Mechanism::from_name(&name).ok_or("Json.mechanism")?);
    }
    Ok(mechanisms.into_iter().collect())
}

fn key_type(record: &Record<'_>) -> Result<KeyType, Misfit> {
    match record.need("type")? {
        Json::String(name) => {
            let name = String::from_utf8_lossy(name);
            Ok(KeyType::from_name(&name).ok_or("Json.key_type")?)
        }
        _ => Err("Expected JSON string for key type".to_owned()),
    }
}

fn valid_about(about: &About) -> Result<(), Refusal> {
    for tag in &about.tags {
        valid_id(tag)?;
    }
    valid_label(&about.label)
}

/// The length that a type needs, in bits.
pub(crate) fn valid_bits(key_type: KeyType, bits: i64) -> Result<usize, Refusal> {
    let (range, message) = match key_type {
        KeyType::Rsa => (1024..=8192, "RSA key length must be between 1024 and 8192."),
        KeyType::Generic => (128..=8192, "Length must be between 128 and 8192."),
        _ => return Ok(0),
    };
    if !range.contains(&bits) {
        return Err(Refusal::bad(message));
    }
    usize::try_from(bits).map_err(|_| Refusal::bad(message))
}

/// A request to make a key.
pub(crate) fn generation(device: &Device, body: &[u8]) -> Result<Generation, Refusal> {
    let names = ["mechanisms", "type", "length", "id", "restrictions"];
    let names = with_label(device, &names);
    let (about, id, length, key_type) = decode(body, |json| {
        let record = Record::of(json, "Json.generate_key_req", &names)?;
        let id = record.text_or_empty("id")?;
        let length = match record.get("length") {
            None => 0,
            Some(_) => record.int("length")?,
        };
        let key_type = key_type(&record)?;
        Ok((about(&record)?, id, length, key_type))
    })?;
    let bits = match key_type {
        KeyType::Rsa => valid_bits(key_type, length)?,
        _ => 0,
    };
    if !fits(&about.mechanisms, key_type) {
        return Err(Refusal::bad("Mechanism does not match key type"));
    }
    if about.mechanisms.is_empty() {
        return Err(Refusal::bad("Empty set of mechanisms"));
    }
    if !id.is_empty() {
        valid_id(&id)?;
    }
    valid_about(&about)?;
    let bits = match key_type {
        KeyType::Generic => valid_bits(key_type, length)?,
        _ => bits,
    };
    Ok(Generation {
        key_type,
        bits,
        id,
        about,
    })
}

/// A request that brings a key, as JSON or as a form with a PEM file.
pub(crate) fn import(device: &Device, call: &Call<'_>) -> Result<Import, Refusal> {
    if call.request.media().as_deref() == Some("multipart/form-data") {
        return import_form(device, call);
    }
    let names = ["mechanisms", "type", "private", "restrictions"];
    let names = with_label(device, &names);
    let (about, key_type, parts) = decode(call.body(), |json| {
        let record = Record::of(json, "Json.private_key_req", &names)?;
        let parts = ["primeP", "primeQ", "publicExponent", "data"];
        let private = Record::of(record.need("private")?, "Json.private_key", &parts)?;
        let mut given = Vec::new();
        for name in parts {
            given.push((name, private.text_or_empty(name)?));
        }
        let key_type = key_type(&record)?;
        Ok((about(&record)?, key_type, given))
    })?;
    valid_about(&about)?;
    let private = Private::Parsed(private_key(key_type, &parts)?);
    Ok(Import { private, about })
}

fn private_key(key_type: KeyType, parts: &[(&str, String)]) -> Result<PrivateKey, Refusal> {
    let [p, q, e, data] = parts else {
        return Err(Refusal::bad("invalid prime p"));
    };
    let named = |(name, text): &(&str, String)| {
        base64::decode(text).map_err(|error| {
            Refusal::bad(format!(
                "Invalid base64 encoded value (error: {error}) in \"{name}\": {text}"
            ))
        })
    };
    match key_type {
        KeyType::Rsa => {
            let key = rsa_key::from_primes(&named(p)?, &named(q)?, &named(e)?)?;
            Ok(PrivateKey::Rsa(Box::new(key)))
        }
        KeyType::Generic => Ok(PrivateKey::Generic(named(data)?)),
        _ => {
            let data = base64::decode(&data.1).map_err(Refusal::bad)?;
            Ok(PrivateKey::from_data(key_type, &data)?)
        }
    }
}

fn import_form(device: &Device, call: &Call<'_>) -> Result<Import, Refusal> {
    let wrong =
        "Invalid multipart request, must have exactly two parts: json parameters and pem file.";
    let content_type = call.request.header("content-type").unwrap_or_default();
    let parts = multipart::parts(content_type, call.body());
    let Some([(_, arguments), (_, pem)]) = parts.as_deref() else {
        return Err(Refusal::bad(wrong));
    };
    let names = with_label(device, &["mechanisms", "restrictions"]);
    let about = decode(arguments, |json| {
        about(&Record::of(json, "Json.private_key_pem_req", &names)?)
    })?;
    valid_about(&about)?;
    let pem = String::from_utf8_lossy(pem).into_owned();
    Ok(Import {
        private: Private::Pem(pem),
        about,
    })
}
