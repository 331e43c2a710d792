//! A shell in the throwaway enclave, for a reader who wants to measure by hand.

use std::path::Path;
use std::process::Command;

use super::ED25519;
use super::keys::user_id;
use super::rivals::{Gpg, folder};
use crate::caller::Caller;
use crate::failure::{Because, Result};
use crate::scene::account_ids;

/// Says what can be typed, and opens the shell.
pub(crate) fn shell(root: &Path, gpg: &Gpg) -> Result<()> {
    let caller = Caller::new(&ED25519)?;
    let (user, group) = account_ids(&ED25519)?;
    let key = format!(
        "{}/etc/signstar/{}.secret.pgp",
        root.display(),
        ED25519.name
    );
    std::fs::write(root.join("1k"), [0x5a; 1024]).because("cannot write 1k")?;
    println!(
        "\nThis shell sees the enclave; `exit` removes it. As sshd does, but by hand:\n\n  \
         as=\"setpriv --reuid {user} --regid {group} --clear-groups\"\n  \
         $as hyperfine --warmup 20 'cat 1k | signstar -c /usr/bin/signstar | cat'\n  \
         hyperfine --warmup 20 'cat 1k | gpg --batch -q -u {} --digest-algo SHA512 -b | cat' \\\n    \
         'cat 1k | sqop sign --no-armor {key} | cat' 'cat 1k | rsop sign --no-armor {key} | cat'\n  \
         head -c 2G /dev/zero | $as /usr/bin/time -v signstar -c /usr/bin/signstar | wc -c\n  \
         head -c 2G /dev/zero | /usr/bin/time -v gpg --batch -q -u {} --digest-algo SHA512 -b | wc -c\n",
        user_id(&ED25519),
        user_id(&ED25519),
    );
    let mut shell = Command::new("/bin/sh");
    for (name, value) in caller.command().get_envs() {
        if let (Some(value), true) = (value, name.to_string_lossy().starts_with("SSH_")) {
            shell.env(name, value);
        }
    }
    let path = format!(
        "{}:/usr/bin:/bin:/usr/sbin:/sbin",
        folder()?.join("bin").display()
    );
    // How the last command ended says nothing about us.
    shell
        .env("PATH", path)
        .env("GNUPGHOME", gpg.home())
        .current_dir(root)
        .status()
        .because("sh")?;
    Ok(())
}
