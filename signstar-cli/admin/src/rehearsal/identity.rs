//! Who a rehearsal says that it is.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::failure::Failure;

/// An SSH certificate with the key id `signstar-admin try: a rehearsal`, which stands in the record.
///
/// Key and authority are 32 bytes that no Ed25519 key can be: the text
/// `signstar-admin try: a rehearsal.` is no point of the curve. So nobody can authenticate with
/// them, and sshd never says to the login shell what we say here.
const IDENTITY: &str = "publickey ssh-ed25519-cert-v01@openssh.com \
AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
AAAAIHNpZ25zdGFyLWFkbWluIHRyeTogYSByZWhlYXJzYWwuAAAAAAAAAAAAAAABAAAAH3NpZ25zdGFyLWFkbWluIHRyeTog\
YSByZWhlYXJzYWwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgc2lnbnN0\
YXItYWRtaW4gdHJ5OiBhIHJlaGVhcnNhbC4AAABTAAAAC3NzaC1lZDI1NTE5AAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

/// What sshd would say of the connection.
pub(super) struct Connection {
    pub(super) client: &'static str,
    pub(super) whole: &'static str,
}

/// From this machine, between ports that no connection has.
pub(super) const CONNECTION: Connection = Connection {
    client: "127.0.0.1 0 0",
    whole: "127.0.0.1 0 127.0.0.1 0",
};

/// The file that sshd would write, for as long as this lives.
pub(super) struct IdentityFile {
    path: PathBuf,
}

impl IdentityFile {
    /// A new file, which only `account` can read.
    pub(super) fn new(account: &Account) -> Result<Self, Failure> {
        let mut random = [0; 16];
        let source = Path::new("/dev/urandom");
        File::open(source)
            .and_then(|mut source| source.read_exact(&mut random))
            .map_err(|error| Failure::with(source, &error))?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = PathBuf::from(format!("/tmp/sshauth.{name}"));
        let failed = |error| Failure::with(&path, &error);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        let written = Self { path: path.clone() };
        file.write_all(IDENTITY.as_bytes())
            .and_then(|()| fchown(&file, Some(account.id), Some(account.group)))
            .map_err(failed)?;
        Ok(written)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for IdentityFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use signstar::identity::{parse_connection, parse_user_auth};

    use super::{CONNECTION, IDENTITY};

    #[test]
    fn the_login_shell_reads_who_it_is() {
        let read = parse_user_auth(IDENTITY.as_bytes()).unwrap();
        let certificate = read.certificate.unwrap();
        assert_eq!(certificate.key_id, "signstar-admin try: a rehearsal");
        let documented = include_str!("../../../../docs/audit.md");
        assert!(
            documented.contains(&read.key_fingerprint),
            "{}",
            read.key_fingerprint
        );
        assert_eq!(certificate.authority_fingerprint, read.key_fingerprint);
        let address = parse_connection(Some(CONNECTION.whole.as_ref())).unwrap();
        assert!(address.is_loopback());
    }
}
