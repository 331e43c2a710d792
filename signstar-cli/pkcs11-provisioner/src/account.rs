//! Becoming the account that will sign, for good.

use nix::unistd::{Gid, Uid, getegid, geteuid, setgid, setgroups, setuid};
use signstar_pkcs11::provision::{Account, Fault};

/// Becomes `account`, unless this process is it already.
pub(crate) fn become_account(account: &Account) -> Result<(), Fault> {
    let (user, group) = (Uid::from_raw(account.user), Gid::from_raw(account.group));
    if (geteuid(), getegid()) == (user, group) {
        return Ok(());
    }
    let groups = account.groups.iter().copied().map(Gid::from_raw);
    let groups: Vec<Gid> = groups.collect();
    // Groups first: afterwards there is no right to change them.
    setgroups(&groups)
        .and_then(|()| setgid(group))
        .and_then(|()| setuid(user))
        .map_err(|_| Fault::Account)
}
