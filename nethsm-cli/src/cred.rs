//! `cred …`: the users of the profile. Their passphrases are never in it, only where they come from.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use signstar_nethsm::client::is_id;
use signstar_nethsm::sdk::apis::default_api;

use crate::cli::Globals;
use crate::device::ANYBODY;
use crate::failure::Failure;
use crate::profile::User;
use crate::report::Report;
use crate::role::Role;
use crate::secret::{FORMS, Source};
use crate::table::table;

#[derive(Debug, Subcommand)]
pub(crate) enum CredVerb {
    /// Put a user of a device into the profile
    Add(Add),
    /// List the users of the profile
    List,
    /// Take a user of a device out of the profile
    Remove(Remove),
    /// Ask the device whether user and passphrase are right
    Check(Check),
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// The user: ID, or NAMESPACE~ID
    id: String,
    /// What the user may do
    #[arg(long, ignore_case = true)]
    role: Role,
    #[arg(long, value_name = "SOURCE", default_value = "prompt", help = format!("Where the passphrase comes from: {FORMS}. A file is noted with its folder"))]
    from: Source,
}

#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// The user: ID, or NAMESPACE~ID
    id: String,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The user: ID, or NAMESPACE~ID
    id: String,
}

/// Does what `verb` says, for each device that is named.
pub(crate) fn perform(globals: &Globals, verb: &CredVerb) -> Result<Report, Failure> {
    let mut profiles = crate::meant::profiles(globals)?;
    let labels = crate::meant::labels(globals, &profiles)?;
    let report = match verb {
        CredVerb::List => {
            let mut rows = Vec::new();
            let mut users: Vec<Value> = Vec::new();
            for label in &labels {
                for (id, user) in &profiles.device(label)?.users {
                    let (role, from) = (user.role.name(), user.passphrase.to_string());
                    users.push(json!({
                        "device": label, "user": id, "role": role, "passphrase": from,
                    }));
                    rows.push([label.clone(), id.clone(), role.to_owned(), from]);
                }
            }
            let text = table(["DEVICE", "USER", "ROLE", "PASSPHRASE FROM"], &rows);
            return Report::new(text, &json!({ "users": users }));
        }
        CredVerb::Check(options) => return check(globals, &options.id),
        CredVerb::Add(options) => {
            if !options.id.splitn(2, '~').all(is_id) {
                return Err(Failure::usage("there cannot be a user of that name"));
            }
            let user = User {
                role: options.role,
                passphrase: wherever_asked(&options.from)?,
            };
            for label in &labels {
                profiles.put_user(label, &options.id, &user);
            }
            let text = format!("added {} to {}", options.id, labels.join(", "));
            Report::done(text, json!({ "user": options.id, "devices": labels }))
        }
        CredVerb::Remove(options) => {
            for label in &labels {
                profiles.remove_user(label, &options.id)?;
            }
            let text = format!("removed {} from {}", options.id, labels.join(", "));
            Report::done(text, json!({ "user": options.id, "devices": labels }))
        }
    };
    if globals.dry_run {
        return Ok(report.rehearsed());
    }
    profiles.save()?;
    Ok(report)
}

/// The same source, from whatever folder it is used later.
fn wherever_asked(source: &Source) -> Result<Source, Failure> {
    match source {
        Source::File(path) => std::path::absolute(path)
            .map(Source::File)
            .map_err(|error| Failure::with(path, &error)),
        other => Ok(other.clone()),
    }
}

/// Asks each device for what it knows of the user.
fn check(globals: &Globals, id: &str) -> Result<Report, Failure> {
    let mut found = Vec::new();
    let mut text = String::new();
    for mut device in crate::meant::devices(globals)? {
        device.manner.user = Some(id.to_owned());
        let value = device.read(ANYBODY, "users_user_id_get", |asking| {
            default_api::users_user_id_get(asking, id)
        })?;
        let role = value.role.to_string();
        text.push_str(&format!("{}: {id} is {role}\n", device.label));
        found.push(json!({ "device": device.label, "user": id, "role": role }));
    }
    Report::new(text, &json!({ "users": found }))
}
