//! Accounts and groups of this machine, from /etc/passwd and /etc/group as the login shell reads
//! them: a service account is a local one.

use std::path::{Path, PathBuf};

use signstar::trusted_file::{self, Kind};

use crate::failure::{Failure, Status};
use crate::settings::Settings;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// More than any machine's local accounts.
const BYTES_MAX: u64 = 4 << 20;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) id: u32,
    /// Its own group.
    pub(crate) group: u32,
    /// Where its files are.
    pub(crate) home: PathBuf,
    /// The program that it logs in to.
    pub(crate) shell: String,
}

/// The account `name`, if there is one.
pub(crate) fn account(name: &str) -> Result<Option<Account>, Failure> {
    Ok(accounts()?.into_iter().find(|account| account.name == name))
}

/// All accounts of this machine.
pub(crate) fn accounts() -> Result<Vec<Account>, Failure> {
    let read = |line: String| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [name, _, id, group, _, home, shell] => Some(Account {
                name: (*name).to_owned(),
                id: id.parse().ok()?,
                group: group.parse().ok()?,
                home: home.into(),
                shell: (*shell).to_owned(),
            }),
            _ => None,
        }
    };
    Ok(lines(PASSWD)?.into_iter().filter_map(read).collect())
}

/// The name of the group with this number, if it has one.
pub(crate) fn name_of_group(number: u32) -> Result<Option<String>, Failure> {
    Ok(lines(GROUP)?.into_iter().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    }))
}

/// The number of a group by its name, or as it stands.
pub(crate) fn group(name: &str) -> Result<u32, Failure> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let found = lines(GROUP)?.into_iter().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name))
            .then(|| fields.nth(1)?.parse().ok())
            .flatten()
    });
    found.ok_or_else(|| Failure::new(Status::Usage, format!("{GROUP} has no group {name:?}")))
}

/// All groups that the account `name` is in.
pub(crate) fn groups_of(name: &str, account: &Account) -> Result<Vec<u32>, Failure> {
    let others = lines(GROUP)?.into_iter().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.as_slice() {
            [_, _, number, members] if members.split(',').any(|member| member == name) => {
                number.parse().ok()
            }
            _ => None,
        }
    });
    Ok(std::iter::once(account.group).chain(others).collect())
}

/// Names of all accounts that are in the group.
pub(crate) fn members_of(group: u32) -> Result<Vec<String>, Failure> {
    let mut members = Vec::new();
    for line in lines(PASSWD)? {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(own))) = (fields.next(), fields.nth(2).map(str::parse::<u32>))
            && own == group
        {
            members.push(name.to_owned());
        }
    }
    for line in lines(GROUP)? {
        let fields: Vec<&str> = line.split(':').collect();
        if let [_, _, number, listed] = fields.as_slice()
            && number.parse() == Ok(group)
        {
            members.extend(listed.split(',').map(str::to_owned));
        }
    }
    members.retain(|name| !name.is_empty());
    members.sort_unstable();
    members.dedup();
    Ok(members)
}

/// The group of those who sign with the key `name`, or the one that was given.
pub(crate) fn group_of_key(
    settings: &Settings,
    name: &str,
    given: Option<&str>,
) -> Result<u32, Failure> {
    if let Some(given) = given {
        return group(given);
    }
    let mut groups = Vec::new();
    for user in settings.accounts_of(name) {
        let account = account(user)?.ok_or_else(|| {
            let text = format!("[user.{user}]: there is no such account: make it, or give --group");
            Failure::new(Status::Configuration, text)
        })?;
        groups.push(account.group);
    }
    groups.sort_unstable();
    groups.dedup();
    match groups.as_slice() {
        [group] => Ok(*group),
        [] => {
            let text = format!("no [user.NAME] signs with {name:?}: add one, or give --group");
            Err(Failure::new(Status::Configuration, text))
        }
        _ => {
            let text =
                format!("the accounts that sign with {name:?} are of several groups: give --group");
            Err(Failure::new(Status::Usage, text))
        }
    }
}

/// The account that signs with the key `name`, or the one that was given.
pub(crate) fn account_of_key(
    settings: &Settings,
    name: &str,
    given: Option<&str>,
) -> Result<Account, Failure> {
    let signing: Vec<&str> = settings.accounts_of(name);
    let wanted = match (given, signing.as_slice()) {
        (Some(given), _) => given,
        (None, [one]) => *one,
        (None, []) => {
            let text = format!("no [user.NAME] signs with {name:?}: add one, or give --account");
            return Err(Failure::new(Status::Configuration, text));
        }
        (None, _) => {
            let text = format!("several accounts sign with {name:?}: give --account");
            return Err(Failure::new(Status::Usage, text));
        }
    };
    account(wanted)?.ok_or_else(|| {
        let text = format!("there is no account {wanted:?}: make it, or give --account");
        Failure::new(Status::Configuration, text)
    })
}

fn lines(path: &str) -> Result<Vec<String>, Failure> {
    let bytes = trusted_file::read(Path::new(path), Kind::Public, BYTES_MAX)?;
    Ok(String::from_utf8_lossy(&bytes)
        .lines()
        .map(str::to_owned)
        .collect())
}
