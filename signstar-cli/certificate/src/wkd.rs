//! Certificates where others look for them by mail address: a Web Key Directory
//! (draft-koch-openpgp-webkey-service).

use std::collections::BTreeMap;

use sequoia_openpgp::cert::amalgamation::UserIDAmalgamation;
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::HashAlgorithm;
use sequoia_openpgp::{Cert, anyhow};

use crate::describe::DescribeError;
use crate::keyring::united;
use crate::statement::causes;

/// The alphabet of z-base-32 (RFC 6189, section 5.1.6).
const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// What a directory holds for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The address as the user ID has it.
    pub address: String,
    /// Its domain, lower-case. Nothing but letters, digits, dashes and single dots.
    pub domain: String,
    /// The name of the file: the hash of the local part, 32 letters and digits.
    pub hash: String,
    /// The certificates with this address, binary, one after the other; each without user IDs of
    /// other addresses.
    pub certificates: Vec<u8>,
}

/// Sorts `certificates` (each binary or armored) by the mail addresses in their user IDs.
///
/// # Errors
/// One cannot be read, or has no user ID with an address.
pub fn web_key_directory(certificates: &[&[u8]]) -> Result<Vec<Published>, DescribeError> {
    let fault = |error: anyhow::Error| DescribeError(causes(&error));
    let mut published: BTreeMap<(String, String), Published> = BTreeMap::new();
    for (fingerprint, cert) in united(certificates)? {
        let addresses: BTreeMap<(String, String), String> = cert
            .userids()
            .filter_map(|user_id| address(&user_id))
            .collect();
        if addresses.is_empty() {
            let text = format!("{fingerprint} has no user ID with a mail address");
            return Err(DescribeError(text));
        }
        for ((domain, local), address) in addresses {
            let bytes = only(&cert, &domain, &local).export_to_vec();
            let hash = hash(&local).map_err(fault)?;
            let entry = published
                .entry((domain.clone(), local))
                .or_insert(Published {
                    address,
                    domain,
                    hash,
                    certificates: Vec::new(),
                });
            entry.certificates.extend(bytes.map_err(fault)?);
        }
    }
    Ok(published.into_values().collect())
}

/// Domain and local part for the directory, and the whole address as it was written.
fn address(user_id: &UserIDAmalgamation<'_>) -> Option<((String, String), String)> {
    let address = user_id.userid().email().ok().flatten()?;
    let (local, domain) = address.rsplit_once('@')?;
    // Only letters of ASCII change (section 3.1 of the draft).
    let (local, domain) = (local.to_ascii_lowercase(), domain.to_ascii_lowercase());
    // It becomes the name of a folder.
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain
        .split('.')
        .all(is_label)
        .then(|| ((domain, local), address.to_owned()))
}

/// The certificate with no user ID but those of one address.
fn only(cert: &Cert, domain: &str, local: &str) -> Cert {
    let wanted = (domain.to_owned(), local.to_owned());
    cert.clone()
        .retain_userids(|user_id| address(&user_id).is_some_and(|(found, _)| found == wanted))
        .retain_user_attributes(|_| false)
}

/// SHA-1 of the local part in z-base-32: 160 bits are 32 letters.
fn hash(local: &str) -> anyhow::Result<String> {
    let mut context = HashAlgorithm::SHA1.context()?.for_digest();
    context.update(local.as_bytes());
    let digest = context.into_digest()?;
    Ok(z_base_32(&digest))
}

/// Five bits are a letter, the highest bits first. What is left over is filled with zeros.
fn z_base_32(bytes: &[u8]) -> String {
    let mut letters = String::new();
    let (mut bits, mut count) = (0_u16, 0_u8);
    let mut push = |value: u16| {
        let letter = ALPHABET.get(usize::from(value & 31)).copied();
        letters.extend(letter.map(char::from));
    };
    for byte in bytes {
        bits = bits << 8 | u16::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            push(bits >> count);
        }
        // Only what is not written yet.
        bits &= 31;
    }
    if count > 0 {
        push(bits << (5 - count));
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::{hash, z_base_32};

    #[test]
    fn writes_z_base_32_as_its_authors_do() {
        // From the specification of z-base-32, and RFC 6189.
        for (bytes, text) in [
            (&b""[..], ""),
            (&[0xf0, 0xbf, 0xc7], "6n9hq"),
            (&[0xd4, 0x7a, 0x04], "4t7ye"),
            (&[0x10, 0x11, 0x10], "nyety"),
            (&[0xff, 0xff, 0xff, 0xff, 0xff], "99999999"),
        ] {
            assert_eq!(z_base_32(bytes), text, "{bytes:?}");
        }
    }

    #[test]
    fn hashes_the_local_part_as_the_draft_does() {
        assert_eq!(hash("joe.doe").unwrap(), "iy9q119eutrkn8s1mk4r39qejnbu3n5q");
    }
}
