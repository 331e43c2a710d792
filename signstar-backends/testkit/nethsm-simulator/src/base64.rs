//! Base64 with the words of the device's decoder.

use base64ct::{Base64, Encoding as _};

/// The octets of `text`.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, &'static str> {
    if !text.len().is_multiple_of(4) {
        return Err("Wrong padding");
    }
    Base64::decode_vec(text).map_err(|_| "Malformed input")
}

/// The text of `octets`.
pub(crate) fn encode(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}
