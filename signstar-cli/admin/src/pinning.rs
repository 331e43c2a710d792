//! Whether the system holds the addresses of NetHSMs, which the login shell itself cannot: a system call
//! filter sees no addresses, and Landlock knows ports only.
//!
//! Two things hold them: `IPAddressAllow` of the unit that sshd runs in, and rules of nftables for the
//! account. Each file that is there is looked at on its own, and one of them must be there.
//!
//! Deliberately absent: asking the kernel or systemd what is loaded now. What is read are files, so that a
//! machine can be checked before it is started.

mod nftables;
mod prefix;
mod unit;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use signstar::back_ends::nethsm::NetHsm;
use signstar_console::ConsoleError;

use crate::cli::SshdCheck;
use crate::failure::Failure;
use crate::finding::{Findings, Weight};
use crate::settings::Settings;
use nftables::Rules;
use prefix::Prefix;
use unit::Unit;

/// Larger ones are no configuration that people write.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Where rules of nftables are customarily.
const NFTABLES: &str = "/etc/nftables.conf";

/// A NetHSM of an account.
struct Reached<'a> {
    account: &'a str,
    label: &'a str,
    at: SocketAddr,
}

/// Adds each address that is not held.
pub(crate) fn check(
    findings: &mut Findings,
    settings: &Settings,
    options: &SshdCheck,
) -> Result<(), Failure> {
    let reached = reached(settings);
    if reached.is_empty() {
        return Ok(());
    }
    let units = match options.unit.as_slice() {
        [] => unit::installed(),
        named => named.to_vec(),
    };
    let named = options.nftables.as_deref();
    let rules = match named {
        Some(path) => Some((path, text(path)?)),
        None => customary()?,
    };
    if units.is_empty() && rules.is_none() {
        let text = "nothing holds the addresses of NetHSMs: install the examples of packaging \
                    (network.conf for the unit, signstar.nft), or name the files by --unit and \
                    --nftables";
        findings.add(Weight::Problem, text);
        return Ok(());
    }
    if !units.is_empty() {
        let mut unit = Unit::default();
        for path in &units {
            unit.read(&text(path)?);
        }
        of_unit(findings, &unit, &reached);
    }
    if let Some((path, text)) = rules {
        of_rules(findings, path, &Rules::read(&text), &reached);
    }
    Ok(())
}

/// The customary rules, if they are about accounts at all: distributions bring some that are not.
fn customary() -> Result<Option<(&'static Path, String)>, Failure> {
    let path = Path::new(NFTABLES);
    if !path.is_file() {
        return Ok(None);
    }
    let text = text(path)?;
    Ok(text.contains("skuid").then_some((path, text)))
}

fn of_unit(findings: &mut Findings, unit: &Unit, reached: &[Reached<'_>]) {
    if unit.has_no_network() {
        let text = "the unit has no network, and a key is in a NetHSM: write `PrivateNetwork=no` \
                    (packaging's network.conf)";
        findings.add(Weight::Problem, text);
    }
    if !unit.denies_everything() {
        let text = "the unit lets its processes connect to any address: write \
                    `IPAddressDeny=any`";
        findings.add(Weight::Problem, text);
        return;
    }
    let mut known = BTreeSet::new();
    for Reached { label, at, .. } in reached {
        known.insert(Prefix::only(at.ip()));
        if !unit.allowed().iter().any(|prefix| prefix.holds(at.ip())) {
            let text = format!(
                "the unit does not allow the address of a NetHSM: write `IPAddressAllow={}` for \
                 {label}",
                at.ip()
            );
            findings.add(Weight::Problem, text);
        }
    }
    for prefix in unit.allowed() {
        if !known.contains(prefix) {
            let text = format!(
                "the unit allows more addresses than those of NetHSMs: take `IPAddressAllow={prefix}` \
                 out, or note what it is for"
            );
            findings.add(Weight::Advice, text);
        }
    }
}

fn of_rules(findings: &mut Findings, path: &Path, rules: &Rules, reached: &[Reached<'_>]) {
    let shown = path.display();
    let accounts: BTreeSet<&str> = reached.iter().map(|reached| reached.account).collect();
    for account in accounts {
        if !rules.drops(account) {
            let text = format!(
                "nftables lets the account connect to any address: end the output chain of {shown} \
                 with `meta skuid \"{account}\" counter drop`"
            );
            findings.add_for(account, Weight::Problem, text);
            continue;
        }
        let own = reached.iter().filter(|reached| reached.account == account);
        for Reached { label, at, .. } in own.clone() {
            if !rules.accepts(account, *at) {
                let text = format!(
                    "nftables does not let the account reach a NetHSM: accept {} port {} for {label} \
                     in {shown}",
                    at.ip(),
                    at.port()
                );
                findings.add_for(account, Weight::Problem, text);
            }
        }
        let places: Vec<SocketAddr> = own.map(|reached| reached.at).collect();
        for more in rules.more_than(account, &places) {
            let text = format!(
                "nftables lets the account reach more than its NetHSMs: take {more} out of {shown}, or \
                 note what it is for"
            );
            findings.add_for(account, Weight::Advice, text);
        }
    }
}

/// The NetHSMs of all accounts, each with its address.
fn reached(settings: &Settings) -> Vec<Reached<'_>> {
    let mut all = Vec::new();
    for (account, user) in &settings.config.users {
        let key = settings.config.keys.get(&user.key);
        let Some(hsm) = key.and_then(|key| key.device_as::<NetHsm>()) else {
            continue;
        };
        all.extend(hsm.devices.iter().filter_map(|place| {
            Some(Reached {
                account,
                label: &place.label,
                at: SocketAddr::new(place.address.ip()?, place.address.port()),
            })
        }));
    }
    all
}

fn text(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::from(ConsoleError::File(path.to_path_buf(), error));
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > FILE_BYTES_MAX {
        let text = format!("{}: is larger than 1 MiB", path.display());
        return Err(Failure::new(crate::failure::Status::Data, text));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
