//! Who is calling: the account of this process, and what sshd says about the other side.
//!
//! sshd sets SSH_CONNECTION last, so it can be trusted under sshd. With `ExposeAuthInfo yes` it
//! also writes a file that names the key which authenticated, and puts its name into
//! SSH_USER_AUTH. The file vanishes when the client goes.

use std::ffi::OsStr;
use std::fs::File;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::{geteuid, Uid};
use signstar_core::{Failure, Refusal, SshIdentity};

use crate::trusted_file::{self, Kind};

mod ssh_key;

pub use ssh_key::{parse_public_key, KeyError};

/// Accounts are looked up here and nowhere else: a service account is a local one.
const PASSWD: &str = "/etc/passwd";
/// More than any machine's local accounts.
const PASSWD_BYTES_MAX: u64 = 4 << 20;
/// The longest line is an RSA certificate of 16384 bits with a full list of principals.
const USER_AUTH_BYTES_MAX: u64 = 64 << 10;
/// Where sshd puts the file, and how its name starts.
const USER_AUTH_PREFIX: &str = "/tmp/sshauth.";

/// Name of the account that this process runs as.
///
/// # Errors
/// The account is not in /etc/passwd, or several names share its number.
pub fn account() -> Result<String, Failure> {
    let failed = |detail: String| Failure::new(Refusal::UserUnknown, detail);
    let bytes = trusted_file::read(Path::new(PASSWD), Kind::Public, PASSWD_BYTES_MAX)
        .map_err(|error| failed(error.to_string()))?;
    let uid = geteuid();
    let mut names = names_of(&bytes, uid);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, _) => Err(failed(format!("uid {uid} is not in {PASSWD}"))),
        (Some(_), Some(_)) => Err(failed(format!("uid {uid} has several names in {PASSWD}"))),
    }
}

fn names_of(passwd: &[u8], uid: Uid) -> impl Iterator<Item = &str> {
    let lines = passwd.split(|&byte| byte == b'\n');
    lines.filter_map(move |line| {
        let mut fields = std::str::from_utf8(line).ok()?.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid.as_raw())).then_some(name)
    })
}

/// The client's address from SSH_CONNECTION: `address port address port`.
///
/// # Errors
/// Any other form.
pub fn parse_connection(connection: Option<&OsStr>) -> Result<IpAddr, Failure> {
    let failed = |detail: &str| Failure::new(Refusal::IdentityMissing, detail);
    let connection = connection.ok_or_else(|| failed("SSH_CONNECTION is not set"))?;
    let malformed = || failed("SSH_CONNECTION is malformed");
    let text = connection.to_str().ok_or_else(malformed)?;
    let fields: Vec<&str> = text.split(' ').collect();
    let [client, client_port, server, server_port] = fields.as_slice() else {
        return Err(malformed());
    };
    for port in [client_port, server_port] {
        port.parse::<u16>().map_err(|_| malformed())?;
    }
    parse_address(server).ok_or_else(malformed)?;
    parse_address(client).ok_or_else(malformed)
}

/// A link-local IPv6 address comes with the name of its interface, which says nothing here.
fn parse_address(text: &str) -> Option<IpAddr> {
    let (address, interface) = text.split_once('%').unwrap_or((text, "lo"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if interface.is_empty() || interface.len() > 15 || !interface.bytes().all(plain) {
        return None;
    }
    address.parse().ok()
}

/// The key that authenticated the client, from the file that SSH_USER_AUTH names.
///
/// # Errors
/// The file is not one of sshd's for this account, or names no public key.
pub fn read_user_auth(path: Option<&OsStr>) -> Result<SshIdentity, Failure> {
    let failed = |detail: String| Failure::new(Refusal::IdentityMissing, detail);
    let path = path.ok_or_else(|| {
        failed("SSH_USER_AUTH is not set: sshd needs `ExposeAuthInfo yes`".to_owned())
    })?;
    let suffix = path
        .to_str()
        .and_then(|path| path.strip_prefix(USER_AUTH_PREFIX));
    if !suffix.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err(failed(format!(
            "SSH_USER_AUTH is not a file {USER_AUTH_PREFIX}*"
        )));
    }
    let path = Path::new(path);
    let file = File::options()
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
        .map_err(|error| failed(format!("SSH_USER_AUTH: {}", trusted_file::describe(&error))))?;
    let metadata = file
        .metadata()
        .map_err(|error| failed(trusted_file::describe(&error)))?;
    if !metadata.is_file() || metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
        return Err(failed(
            "SSH_USER_AUTH is not a private file of this account".to_owned(),
        ));
    }
    let bytes = trusted_file::read_up_to(&file, path, USER_AUTH_BYTES_MAX)
        .map_err(|error| failed(error.to_string()))?;
    parse_user_auth(&bytes)
}

/// Reads the lines of an SSH_USER_AUTH file: one per authentication method, `publickey` with the
/// key among them. With several keys the last one counts: it completed the authentication.
///
/// # Errors
/// No line names a public key, or one does badly.
pub fn parse_user_auth(bytes: &[u8]) -> Result<SshIdentity, Failure> {
    let failed = |detail: String| Failure::new(Refusal::IdentityMissing, detail);
    let text =
        std::str::from_utf8(bytes).map_err(|_| failed("SSH_USER_AUTH is not a text".to_owned()))?;
    let key = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("publickey "));
    let key = key.ok_or_else(|| {
        failed("SSH_USER_AUTH names no key: set `AuthenticationMethods publickey`".to_owned())
    })?;
    parse_public_key(key).map_err(|error| failed(format!("SSH_USER_AUTH: {error}")))
}

#[cfg(test)]
mod tests;
