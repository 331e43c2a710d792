//! What the demonstration prints of the results.

use std::path::Path;

use crate::failure::{Because, Result};

/// Bytes in one line of hexadecimal digits.
const PER_LINE: usize = 32;

/// The signature: where, how long, what kind, and all of it.
pub(crate) fn signature(path: &Path, bytes: &[u8]) {
    println!("\nSignature\n  {}, {} bytes", path.display(), bytes.len());
    if let Some(kind) = kind(bytes) {
        println!("  {kind}");
    }
    for line in bytes.chunks(PER_LINE) {
        let digits: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("  {}", digits.join(" "));
    }
}

/// The records that the request has left.
pub(crate) fn audit(path: &str) -> Result<()> {
    let records = std::fs::read_to_string(path).because(format_args!("cannot read {path}"))?;
    println!("\nAudit records");
    for record in records.lines() {
        println!("  {record}");
    }
    Ok(())
}

/// The beginning of a signature packet in words (RFC 9580, sections 4.2.2 and 5.2.3).
fn kind(packet: &[u8]) -> Option<String> {
    let header = *packet.first()?;
    let length_bytes = match header {
        0x88 => 1,
        0x89 => 2,
        _ => return None,
    };
    let fields = packet.get(1 + length_bytes..)?.first_chunk::<4>()?;
    let [version, signature_type, algorithm, hash] = *fields;
    let algorithm = match algorithm {
        1 => "RSA",
        19 => "ECDSA",
        22 => "EdDSA (legacy form)",
        27 => "Ed25519",
        _ => "another algorithm",
    };
    let hash = match hash {
        8 => "SHA-256",
        9 => "SHA-384",
        10 => "SHA-512",
        _ => "another hash",
    };
    Some(format!(
        "version {version}, type {signature_type:#04x}, {algorithm} over {hash}"
    ))
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn names_what_a_packet_begins_with() {
        let found = kind(&[0x88, 0x75, 4, 0, 22, 10, 0]);
        assert_eq!(
            found.as_deref(),
            Some("version 4, type 0x00, EdDSA (legacy form) over SHA-512")
        );
        assert_eq!(kind(&[0x88, 1, 4]), None);
    }
}
