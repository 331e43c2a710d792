//! Who else can read a secret, or change what decides about signatures.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use signstar::config::{Config, SinkChoice};

use crate::account::{accounts, groups_of};
use crate::failure::Failure;
use crate::finding::{Findings, Weight};
use crate::owners::{Access, Who, changeable};

/// Adds what is open to others.
pub(super) fn check(findings: &mut Findings, config: &Config, file: &Path) -> Result<(), Failure> {
    let everybody = accounts()?;
    above(findings, file);
    for (name, key) in &config.keys {
        above(findings, &key.certificate);
        for secret in key.device.secrets() {
            above(findings, secret);
            for account in &everybody {
                let user = config.users.get(&account.name);
                let signs = user.is_some_and(|user| user.key == *name);
                if signs || account.id == 0 {
                    continue;
                }
                let groups = groups_of(&account.name, account)?;
                let who = Who {
                    account,
                    groups: &groups,
                };
                if matches!(who.kept_out_by(secret, Access::Read), Ok(None)) {
                    let text = format!(
                        "[key.{name}] an account that does not sign with it can read its secret: \
                         take {} out of the group of {}",
                        account.name,
                        secret.display()
                    );
                    findings.add(Weight::Advice, text);
                }
            }
        }
    }
    if let SinkChoice::File { path, .. } = &config.audit.sink {
        let owner = fs::metadata(path).map(|found| found.uid());
        if owner.is_ok_and(|owner| owner != 0) {
            let text = format!(
                "[audit] the file of records is not root's: `chown root {}`",
                path.display()
            );
            findings.add(Weight::Problem, text);
        }
    }
    Ok(())
}

/// The login shell looks at a file and its folder; who can change a folder above can put others in
/// their place.
fn above(findings: &mut Findings, path: &Path) {
    let Ok(Some(place)) = changeable(path) else {
        return;
    };
    // Those two the login shell refuses itself.
    if place != path && Some(place.as_path()) != path.parent() {
        let text = format!(
            "a folder above {} can be changed by others than root: make {} root's, writable by \
             root only",
            path.display(),
            place.display()
        );
        findings.add(Weight::Advice, text);
    }
}
