//! OpenSSH public keys and certificates, as far as a record needs them.
//!
//! The wire format is RFC 4251, section 5 (strings with a length of 32 bits in front); keys are
//! RFC 4253, section 6.6, RFC 5656 and RFC 8709; certificates are OpenSSH's PROTOCOL.certkeys.
//!
//! Deliberately absent: checking signatures. sshd has done that before this program starts.

use base64ct::{Base64, Base64Unpadded, Encoding};
use signstar_core::{Digest, HashAlgorithm, Hasher, SshCertificate, SshIdentity};

/// Why a text is not an OpenSSH public key. A retry does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `TYPE BASE64` with an optional comment.
    #[error("not a line with a type and base64")]
    Line,
    /// The type is not one that OpenSSH authenticates with.
    #[error("key of an unknown type")]
    Type,
    /// The bytes are not what the type says.
    #[error("malformed key")]
    Malformed,
}

/// Types of keys, and how many fields follow the type's name in their encoding.
const TYPES: [(&str, usize); 8] = [
    ("ssh-rsa", 2),
    ("ssh-dss", 4),
    ("ssh-ed25519", 1),
    ("ecdsa-sha2-nistp256", 2),
    ("ecdsa-sha2-nistp384", 2),
    ("ecdsa-sha2-nistp521", 2),
    ("sk-ssh-ed25519@openssh.com", 2),
    ("sk-ecdsa-sha2-nistp256@openssh.com", 3),
];

/// What stands behind a type's name (before its `@openssh.com`) when it is a certificate's.
const CERTIFICATE_SUFFIX: &str = "-cert-v01@openssh.com";

/// Reads `TYPE BASE64 [COMMENT]`.
///
/// # Errors
/// See [`KeyError`].
pub fn parse_public_key(line: &str) -> Result<SshIdentity, KeyError> {
    let mut words = line.split(' ');
    let name = words.next().ok_or(KeyError::Line)?;
    let encoded = words.next().ok_or(KeyError::Line)?;
    let blob = Base64::decode_vec(encoded).map_err(|_| KeyError::Line)?;
    let (plain, fields, is_certificate) = key_type(name).ok_or(KeyError::Type)?;
    let mut wire = Wire(&blob);
    if wire.string()? != name.as_bytes() {
        return Err(KeyError::Malformed);
    }
    if is_certificate {
        return certificate(&mut wire, plain, fields);
    }
    for _ in 0..fields {
        wire.string()?;
    }
    wire.end()?;
    Ok(SshIdentity {
        key_fingerprint: fingerprint(&blob),
        certificate: None,
    })
}

fn key_type(name: &str) -> Option<(&'static str, usize, bool)> {
    TYPES.into_iter().find_map(|(plain, fields)| {
        let stem = plain.strip_suffix("@openssh.com").unwrap_or(plain);
        match name.strip_prefix(stem)? {
            CERTIFICATE_SUFFIX => Some((plain, fields, true)),
            _ if name == plain => Some((plain, fields, false)),
            _ => None,
        }
    })
}

fn certificate(wire: &mut Wire<'_>, plain: &str, fields: usize) -> Result<SshIdentity, KeyError> {
    let _nonce = wire.string()?;
    // The certified key, put together as it would stand alone.
    let mut key = encode(plain.as_bytes())?;
    for _ in 0..fields {
        key.extend(encode(wire.string()?)?);
    }
    let serial = u64::from_be_bytes(wire.array()?);
    let is_user = u32::from_be_bytes(wire.array()?) == 1;
    let key_id = String::from_utf8_lossy(wire.string()?).into_owned();
    let _principals = wire.string()?;
    let _valid_from_and_to: [u8; 16] = wire.array()?;
    let _critical_options = wire.string()?;
    let _extensions = wire.string()?;
    let _reserved = wire.string()?;
    let authority = wire.string()?;
    let _signature = wire.string()?;
    wire.end()?;
    if !is_user || authority.is_empty() {
        return Err(KeyError::Malformed);
    }
    let authority_fingerprint = fingerprint(authority);
    let certificate = SshCertificate {
        key_id,
        serial,
        authority_fingerprint,
    };
    Ok(SshIdentity {
        key_fingerprint: fingerprint(&key),
        certificate: Some(certificate),
    })
}

fn encode(string: &[u8]) -> Result<Vec<u8>, KeyError> {
    let length = u32::try_from(string.len()).map_err(|_| KeyError::Malformed)?;
    Ok([&length.to_be_bytes(), string].concat())
}

/// `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it.
fn fingerprint(blob: &[u8]) -> String {
    let mut hasher = Hasher::new(HashAlgorithm::Sha256, u64::MAX);
    // A blob that fits into memory cannot pass 2⁶⁴.
    let _ = hasher.update(blob);
    let digest: Digest = hasher.finish();
    format!(
        "SHA256:{}",
        Base64Unpadded::encode_string(digest.as_bytes())
    )
}

/// What is left to read.
struct Wire<'b>(&'b [u8]);

impl<'b> Wire<'b> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], KeyError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(KeyError::Malformed)?;
        self.0 = rest;
        Ok(*array)
    }

    fn string(&mut self) -> Result<&'b [u8], KeyError> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?));
        let length = length.map_err(|_| KeyError::Malformed)?;
        let (string, rest) = self.0.split_at_checked(length).ok_or(KeyError::Malformed)?;
        self.0 = rest;
        Ok(string)
    }

    fn end(&self) -> Result<(), KeyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(KeyError::Malformed)
        }
    }
}
