//! A secret for another program: in memory, behind a descriptor that the program inherits.
//!
//! Neither its arguments nor its environment have it, and no file system; it goes with the last process that has
//! the descriptor, however that ends.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::ConsoleError;

/// A secret that every program can read, as often as it wants, that is started while this is there.
#[derive(Debug)]
pub struct Handed(OwnedFd);

impl Handed {
    /// Puts `secret` there, where nobody can change it any more. `name` is what lists of open files show.
    ///
    /// # Errors
    /// [`ConsoleError::File`] if the kernel gives no memory for it.
    pub fn new(name: &str, secret: &[u8]) -> Result<Self, ConsoleError> {
        let failed = |error: std::io::Error| ConsoleError::with(name.as_ref(), error);
        // Without MFD_CLOEXEC: to be inherited is what it is for.
        let descriptor = memfd_create(name, MFdFlags::MFD_ALLOW_SEALING)
            .map_err(|error| failed(error.into()))?;
        let mut file = File::from(descriptor);
        file.set_permissions(Permissions::from_mode(0o400))
            .and_then(|()| file.write_all(secret))
            .map_err(failed)?;
        let seals = SealFlag::F_SEAL_SEAL
            | SealFlag::F_SEAL_SHRINK
            | SealFlag::F_SEAL_GROW
            | SealFlag::F_SEAL_WRITE;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).map_err(|error| failed(error.into()))?;
        Ok(Self(file.into()))
    }

    /// Where a program that has inherited it finds it.
    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn programs_read_it_twice_and_cannot_change_it() {
        let handed = Handed::new("test", b"secret\n").unwrap();
        let path = handed.path();
        let script = format!("cat {path} {path}; echo x 2>/dev/null >>{path} || echo refused");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(output.stdout, b"secret\nsecret\nrefused\n");
        drop(handed);
        assert!(fs::read(path).unwrap_or_default() != b"secret\n");
    }
}
