//! The accounts that sign: what stands in /etc/passwd, /etc/shadow and /etc/group of them.

use std::path::Path;

use signstar::trusted_file::{self, Kind};

use super::SHELL;
use super::effective::Effective;
use crate::account::{Account, groups_of, name_of_group};
use crate::failure::Failure;
use crate::finding::{Findings, Weight};
use crate::owners;

const SHADOW: &str = "/etc/shadow";
/// More than any machine's local accounts.
const SHADOW_BYTES_MAX: u64 = 4 << 20;
const SECONDS_PER_DAY: u64 = 86_400;

/// Groups whose members can do what root can, or read what root keeps from others.
const POWERFUL: [&str; 11] = [
    "adm",
    "admin",
    "disk",
    "docker",
    "kmem",
    "lxd",
    "root",
    "shadow",
    "sudo",
    "systemd-journal",
    "wheel",
];

/// Adds what is wrong with the account itself, and returns it, if it is there.
pub(super) fn check<'a>(
    findings: &mut Findings,
    user: &str,
    everybody: &'a [Account],
) -> Result<Option<&'a Account>, Failure> {
    let Some(account) = everybody.iter().find(|account| account.name == user) else {
        let text = "there is no such account: make it, or remove the table";
        findings.add_for(user, Weight::Problem, text);
        return Ok(None);
    };
    if account.shell != SHELL {
        let text = format!("signstar is not the login shell: `usermod --shell {SHELL} {user}`");
        findings.add_for(user, Weight::Problem, text);
    }
    if account.id == 0 {
        let text = "the account is root: give it a number of its own";
        findings.add_for(user, Weight::Problem, text);
    }
    let namesakes = everybody.iter().filter(|other| other.id == account.id);
    if namesakes.count() > 1 {
        let text = "another account has the same number: give each one of its own, or every \
                    request is refused";
        findings.add_for(user, Weight::Problem, text);
    }
    home(findings, account);
    for number in groups_of(user, account)? {
        let Some(group) = name_of_group(number)? else {
            continue;
        };
        if POWERFUL.contains(&group.as_str()) {
            let text =
                format!("the account is a member of a powerful group: take it out of {group}");
            findings.add_for(user, Weight::Advice, text);
        }
    }
    Ok(Some(account))
}

fn home(findings: &mut Findings, account: &Account) {
    let (user, home) = (&account.name, account.home.display());
    match owners::changeable(&account.home) {
        Ok(None) => {}
        Ok(Some(place)) => {
            let text = format!(
                "others than root can change the home folder: make {} root's, writable by root \
                 only, or `usermod --home / {user}`",
                place.display()
            );
            findings.add_for(user, Weight::Problem, text);
        }
        Err(_) => {
            let text = format!(
                "the home folder {home} is missing, of which sshd tells each client: \
                 `usermod --home / {user}`"
            );
            findings.add_for(user, Weight::Advice, text);
        }
    }
}

/// Adds what sshd would keep the account out for.
pub(super) fn check_with(
    findings: &mut Findings,
    account: &Account,
    sshd: &Effective,
) -> Result<(), Failure> {
    let user = &account.name;
    let mut groups = Vec::new();
    for number in groups_of(user, account)? {
        groups.extend(name_of_group(number)?);
    }
    let by_name = |option| listed(sshd, option, std::slice::from_ref(user));
    let by_group = |option| listed(sshd, option, &groups);
    let left_out = |list: Option<bool>| list == Some(false);
    if by_name("denyusers") == Some(true)
        || left_out(by_name("allowusers"))
        || by_group("denygroups") == Some(true)
        || left_out(by_group("allowgroups"))
    {
        let text = "sshd does not let the account in: mind AllowUsers, DenyUsers, AllowGroups \
                    and DenyGroups";
        findings.add_for(user, Weight::Problem, text);
    }
    shadow(findings, user, sshd)
}

/// Whether one of `names` is on the list, if there is one.
fn listed(sshd: &Effective, option: &str, names: &[String]) -> Option<bool> {
    let mut patterns = sshd.words(option).peekable();
    patterns.peek()?;
    let matched = |pattern: &str| {
        // From where somebody comes is not asked here.
        let pattern = pattern.split('@').next().unwrap_or_default();
        names.iter().any(|name| matches(pattern, name))
    };
    Some(patterns.any(matched))
}

/// `*` and `?`, as in sshd_config(5).
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return name.is_empty();
    };
    let rest = pattern.get(first.len_utf8()..).unwrap_or_default();
    let mut tails = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    let next = || {
        name.chars()
            .next()
            .and_then(|char| name.get(char.len_utf8()..))
    };
    match first {
        '*' => tails.any(|at| matches(rest, name.get(at..).unwrap_or_default())),
        '?' => next().is_some_and(|tail| matches(rest, tail)),
        _ => name
            .strip_prefix(first)
            .is_some_and(|tail| matches(rest, tail)),
    }
}

/// shadow(5): without PAM, sshd reads this itself.
fn shadow(findings: &mut Findings, user: &str, sshd: &Effective) -> Result<(), Failure> {
    let bytes = trusted_file::read(Path::new(SHADOW), Kind::Secret, SHADOW_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text
        .lines()
        .find(|line| line.split(':').next() == Some(user));
    let Some(line) = line else {
        return Ok(());
    };
    let mut fields = line.split(':').skip(1);
    let password = fields.next().unwrap_or_default();
    if password.starts_with('!') && sshd.get("usepam") == "no" {
        let text = format!(
            "the account is locked, and sshd without PAM lets nobody in: `usermod -p '*' {user}`"
        );
        findings.add_for(user, Weight::Problem, text);
    }
    if password.is_empty() || password.starts_with('$') {
        let text = format!("the account has a password: `usermod -p '*' {user}`");
        findings.add_for(user, Weight::Advice, text);
    }
    let today = std::time::UNIX_EPOCH
        .elapsed()
        .map(|since| since.as_secs() / SECONDS_PER_DAY)
        .unwrap_or_default();
    let expires: Option<u64> = fields.nth(5).and_then(|days| days.parse().ok());
    if expires.is_some_and(|day| day <= today) {
        let text = format!("the account has expired: `usermod --expiredate '' {user}`");
        findings.add_for(user, Weight::Problem, text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_those_of_sshd() {
        for (pattern, name, expected) in [
            ("signer", "signer", true),
            ("signer", "signer2", false),
            ("sign*", "signer", true),
            ("*er", "signer", true),
            ("sign?r", "signer", true),
            ("sign?", "signer", false),
            ("*", "", true),
            ("", "signer", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
