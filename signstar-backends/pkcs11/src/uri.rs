//! A key by its PKCS#11 URI (RFC 7512), read strictly.
//!
//! Deliberately absent: queries, which could name a module or a PIN (both have their own place in the
//! configuration), slots, whose numbers change, and attributes of vendors.

use std::fmt;

/// Longest URI, in bytes. The longest names of a token and a key, percent-encoded, fit.
const URI_BYTES_MAX: usize = 1024;

/// Which token, and which key on it. An attribute that is absent may have any value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uri {
    /// Label of the token.
    pub token: Option<String>,
    /// Serial number of the token.
    pub serial: Option<String>,
    /// Manufacturer of the token.
    pub manufacturer: Option<String>,
    /// Model of the token.
    pub model: Option<String>,
    /// Label of the key (CKA_LABEL).
    pub object: Option<String>,
    /// Identifier of the key (CKA_ID).
    pub id: Option<Vec<u8>>,
}

/// Why a URI names no key. The operator must mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriError {
    /// It does not begin with `pkcs11:`, or is too long.
    Scheme,
    /// It has a query, which is not for this.
    Query,
    /// An attribute has no value, stands twice, or is none of those that are known.
    Attribute,
    /// A value has a character that must be percent-encoded, or is broken or empty.
    Value,
    /// `type` is something else than a private key.
    Type,
    /// It names no token.
    NoToken,
    /// It names no key.
    NoKey,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => {
                "must be a PKCS#11 URI (`pkcs11:token=…;object=…`) of at most 1024 bytes"
            }
            Self::Query => "must have no query: module and PIN have keys of their own here",
            Self::Attribute => {
                "may have each of token, serial, manufacturer, model, object, id, type=private once"
            }
            Self::Value => {
                "has a value that is empty, not percent-encoded as it must be, or not UTF-8"
            }
            Self::Type => "must name a private key: type=private, or no type",
            Self::NoToken => "must name its token by token or serial",
            Self::NoKey => "must name its key by object or id",
        })
    }
}

impl std::error::Error for UriError {}

impl Uri {
    /// Reads a URI.
    ///
    /// # Errors
    /// See [`UriError`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let path = text.strip_prefix("pkcs11:").ok_or(UriError::Scheme)?;
        if text.len() > URI_BYTES_MAX {
            return Err(UriError::Scheme);
        }
        if path.contains('?') {
            return Err(UriError::Query);
        }
        let mut uri = Self::default();
        let mut kind = None;
        for attribute in path.split(';') {
            let (name, value) = attribute.split_once('=').ok_or(UriError::Attribute)?;
            let bytes = decode(value)?;
            if name == "id" {
                put(&mut uri.id, bytes)?;
                continue;
            }
            let text = String::from_utf8(bytes).map_err(|_| UriError::Value)?;
            let place = match name {
                "token" => &mut uri.token,
                "serial" => &mut uri.serial,
                "manufacturer" => &mut uri.manufacturer,
                "model" => &mut uri.model,
                "object" => &mut uri.object,
                "type" => &mut kind,
                _ => return Err(UriError::Attribute),
            };
            put(place, text)?;
        }
        if kind.is_some_and(|kind| kind != "private") {
            return Err(UriError::Type);
        }
        if uri.token.is_none() && uri.serial.is_none() {
            return Err(UriError::NoToken);
        }
        if uri.object.is_none() && uri.id.is_none() {
            return Err(UriError::NoKey);
        }
        Ok(uri)
    }

    /// Whether `other` names its token by the same attributes, so that both keys are on one token.
    pub fn is_on_token_of(&self, other: &Self) -> bool {
        self.token == other.token
            && self.serial == other.serial
            && self.manufacturer == other.manufacturer
            && self.model == other.model
    }
}

/// As [`Uri::parse`] reads it, with every octet encoded that is no letter, digit or one of `-._`: what a
/// token calls itself does no harm on a terminal. A URI of a token alone names no key.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let attributes = [
            ("token", text(&self.token)),
            ("serial", text(&self.serial)),
            ("manufacturer", text(&self.manufacturer)),
            ("model", text(&self.model)),
            ("object", text(&self.object)),
            ("id", self.id.clone()),
        ];
        let mut mark = "pkcs11:";
        for (name, value) in attributes {
            let Some(value) = value else { continue };
            write!(f, "{mark}{name}=")?;
            mark = ";";
            for byte in value {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                        write!(f, "{}", char::from(byte))?;
                    }
                    other => write!(f, "%{other:02X}")?,
                }
            }
        }
        Ok(())
    }
}

fn put<T>(place: &mut Option<T>, value: T) -> Result<(), UriError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(UriError::Attribute),
    }
}

/// The octets of a value (RFC 7512, section 2.3: `pk11-pchar`).
fn decode(value: &str) -> Result<Vec<u8>, UriError> {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(hexadecimal));
                let [Some(high), Some(low)] = digits else {
                    return Err(UriError::Value);
                };
                bytes.push(high << 4 | low);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => bytes.push(byte),
            _ if b"-._~:[]@!$'()*+,=&".contains(&byte) => bytes.push(byte),
            _ => return Err(UriError::Value),
        }
    }
    if bytes.is_empty() {
        return Err(UriError::Value);
    }
    Ok(bytes)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_attribute_and_decodes_it() {
        let uri = Uri::parse(
            "pkcs11:token=The%20token;serial=01;manufacturer=M;model=X;object=a%3bb;id=%00%fF1;type=private",
        );
        let expected = Uri {
            token: Some("The token".to_owned()),
            serial: Some("01".to_owned()),
            manufacturer: Some("M".to_owned()),
            model: Some("X".to_owned()),
            object: Some("a;b".to_owned()),
            id: Some(vec![0, 0xff, b'1']),
        };
        assert_eq!(uri, Ok(expected));
    }

    #[test]
    fn what_is_shown_is_read_back_and_does_no_harm() {
        let uri = Uri {
            token: Some("The \u{1b}[2J\ntoken;ä".to_owned()),
            serial: Some("01".to_owned()),
            manufacturer: None,
            model: Some("X/1?".to_owned()),
            object: Some("a=b".to_owned()),
            id: Some((0..=255).collect()),
        };
        let shown = uri.to_string();
        assert!(shown.starts_with("pkcs11:token=The%20%1B%5B2J%0Atoken%3B%C3%A4;serial=01;model="));
        assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()), "{shown}");
        assert_eq!(Uri::parse(&shown), Ok(uri));
    }

    #[test]
    fn two_keys_are_on_one_token_when_it_is_named_alike() {
        let uri = |text: &str| Uri::parse(text).unwrap();
        let one = uri("pkcs11:token=a;serial=1;object=b");
        assert!(one.is_on_token_of(&uri("pkcs11:object=c;id=%02;serial=1;token=a")));
        for other in [
            "pkcs11:token=b;serial=1;object=b",
            "pkcs11:token=a;serial=2;object=b",
            "pkcs11:token=a;object=b",
            "pkcs11:token=a;serial=1;model=m;object=b",
            "pkcs11:token=a;serial=1;manufacturer=m;object=b",
        ] {
            assert!(!one.is_on_token_of(&uri(other)), "{other}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for (text, error) in [
            ("", UriError::Scheme),
            ("PKCS11:token=a;object=b", UriError::Scheme),
            ("token=a;object=b", UriError::Scheme),
            ("pkcs11:", UriError::Attribute),
            ("pkcs11:token=a;object=b;", UriError::Attribute),
            ("pkcs11:token", UriError::Attribute),
            ("pkcs11:token=a;token=a;object=b", UriError::Attribute),
            ("pkcs11:id=a;id=a;token=b", UriError::Attribute),
            ("pkcs11:token=a;object=b;slot-id=1", UriError::Attribute),
            ("pkcs11:token=a;object=b;x-vendor=1", UriError::Attribute),
            ("pkcs11:token=a;object=b?pin-value=1", UriError::Query),
            ("pkcs11:token=a;object=b?", UriError::Query),
            ("pkcs11:token=;object=b", UriError::Value),
            ("pkcs11:token=a b;object=b", UriError::Value),
            ("pkcs11:token=a/b;object=b", UriError::Value),
            ("pkcs11:token=%;object=b", UriError::Value),
            ("pkcs11:token=%0;object=b", UriError::Value),
            ("pkcs11:token=%0g;object=b", UriError::Value),
            ("pkcs11:token=%ff;object=b", UriError::Value),
            ("pkcs11:token=ä;object=b", UriError::Value),
            ("pkcs11:token=a;object=b;type=public", UriError::Type),
            ("pkcs11:object=b", UriError::NoToken),
            ("pkcs11:model=a;object=b", UriError::NoToken),
            ("pkcs11:token=a", UriError::NoKey),
        ] {
            assert_eq!(Uri::parse(text), Err(error), "{text}");
        }
        let long = format!("pkcs11:token={};object=b", "a".repeat(1024));
        assert_eq!(Uri::parse(&long), Err(UriError::Scheme));
    }
}
