//! The three files of a keyring as `pacman-key --populate NAME` reads them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use sequoia_openpgp::Cert;
use sequoia_openpgp::policy::StandardPolicy;
use sequoia_openpgp::serialize::SerializeInto as _;
use sequoia_openpgp::types::RevocationStatus;

use crate::describe::{DescribeError, parse};
use crate::statement::causes;

/// How far pacman's GnuPG trusts what a key says of others, as in Arch's own keyring: marginally.
/// That its own signatures count comes from the local signature, which `pacman-key` makes for each
/// key that is listed.
const OWNER_TRUST: u8 = 4;

/// A keyring for pacman.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    /// `NAME.gpg`: the certificates, binary, one after the other.
    pub certificates: Vec<u8>,
    /// `NAME-trusted`: a line with fingerprint and owner trust for each certificate that holds.
    pub trusted: String,
    /// `NAME-revoked`: a line with the fingerprint of each certificate that is revoked.
    pub revoked: String,
}

/// Puts `certificates` (each binary or armored; several of one primary key become one) into a
/// keyring, ordered by fingerprint.
///
/// # Errors
/// One cannot be read, or is of version 6, which GnuPG does not know.
pub fn keyring(certificates: &[&[u8]], now: SystemTime) -> Result<Keyring, DescribeError> {
    let mut keyring = Keyring {
        certificates: Vec::new(),
        trusted: String::new(),
        revoked: String::new(),
    };
    for (fingerprint, cert) in united(certificates)? {
        if cert.primary_key().key().version() != 4 {
            let text = format!("{fingerprint} is not of version 4, and pacman reads no other");
            return Err(DescribeError(text));
        }
        let status = cert.revocation_status(&StandardPolicy::new(), now);
        match status {
            RevocationStatus::Revoked(_) => keyring.revoked += &format!("{fingerprint}\n"),
            RevocationStatus::CouldBe(_) | RevocationStatus::NotAsFarAsWeKnow => {
                keyring.trusted += &format!("{fingerprint}:{OWNER_TRUST}:\n");
            }
        }
        let bytes = cert.export_to_vec();
        keyring
            .certificates
            .extend(bytes.map_err(|error| DescribeError(causes(&error)))?);
    }
    Ok(keyring)
}

/// Certificates by fingerprint.
pub(crate) fn united(certificates: &[&[u8]]) -> Result<BTreeMap<String, Cert>, DescribeError> {
    let mut united: BTreeMap<String, Cert> = BTreeMap::new();
    for bytes in certificates {
        let cert = parse(bytes)?.strip_secret_key_material();
        let fingerprint = cert.fingerprint().to_hex();
        let cert = match united.remove(&fingerprint) {
            Some(known) => known
                .merge_public(cert)
                .map_err(|error| DescribeError(causes(&error)))?,
            None => cert,
        };
        united.insert(fingerprint, cert);
    }
    Ok(united)
}
