//! PEM: base64 in lines of 64 between two marks.

use base64ct::{Base64, Encoding as _};

/// `der` between marks with `label`.
pub(crate) fn encode(label: &str, der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (index, char) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            out.push('\n');
        }
        out.push(char);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

/// Label and content of every block in `text`.
pub(crate) fn blocks(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut blocks = Vec::new();
    for part in text.split("-----BEGIN ").skip(1) {
        let Some((label, rest)) = part.split_once("-----") else {
            continue;
        };
        let Some((body, _)) = rest.split_once("-----END ") else {
            continue;
        };
        let body: String = body.split_whitespace().collect();
        if let Ok(der) = Base64::decode_vec(&body) {
            blocks.push((label.to_owned(), der));
        }
    }
    blocks
}
