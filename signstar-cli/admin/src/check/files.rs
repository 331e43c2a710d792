//! Who else can read a secret, or change the records. What others could put in the place of a file, the login
//! shell refuses itself.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use signstar::config::{Config, SinkChoice};

use crate::account::{accounts, groups_of};
use crate::failure::Failure;
use crate::finding::{Findings, Weight};
use crate::owners::{Access, Who};

/// Adds what is open to others.
pub(super) fn check(findings: &mut Findings, config: &Config) -> Result<(), Failure> {
    let everybody = accounts()?;
    for (name, key) in &config.keys {
        for secret in key.device.secrets() {
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
