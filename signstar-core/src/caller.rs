//! Who asks: what the SSH server established about the other side.
//!
//! Absent: finding it out. The login shell reads it from the SSH server's files and variables.

use std::net::IpAddr;

/// Who asks for a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account on this machine.
    pub user: String,
    /// The other end of the connection.
    pub address: Option<IpAddr>,
    /// The key that authenticated.
    pub identity: Option<SshIdentity>,
}

/// The key that authenticated a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshIdentity {
    /// `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it.
    pub key_fingerprint: String,
    /// The certificate around the key, if the caller came with one.
    pub certificate: Option<SshCertificate>,
}

/// An OpenSSH certificate that authenticated a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshCertificate {
    /// The key id that the authority gave it: free text of the authority, so outside bytes.
    pub key_id: String,
    /// The serial number that the authority gave it.
    pub serial: u64,
    /// Fingerprint of the authority's key, in the form of [`SshIdentity::key_fingerprint`].
    pub authority_fingerprint: String,
}
